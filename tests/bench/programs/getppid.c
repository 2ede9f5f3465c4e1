/* SPDX-License-Identifier: Apache-2.0 */
/* Calls getppid(2), which does next to nothing, COUNT times and prints the nanoseconds that this took. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

int main(int count, char **arguments)
{
	if (count != 2)
		return 2;

	long begin = now();

	for (long left = atol(arguments[1]); left; left--)
		syscall(SYS_getppid);
	printf("%ld\n", now() - begin);
	return 0;
}
