/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates processes one after another and prints the nanoseconds from the first to the last.
 *
 * spawn COUNT RATE [PROGRAM]
 *
 * Each process is made by vfork, executes PROGRAM with its number (from 0) as the only argument, or ends at once if
 * there is no PROGRAM, and is waited for. RATE is processes a second, each at its appointed time; 0 sets no pace.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void wait_until(long time)
{
	struct timespec until = { time / SECOND, time % SECOND };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int create(char *program, long number)
{
	char text[24];
	char *arguments[] = { program, text, NULL };
	int status;
	pid_t child;

	snprintf(text, sizeof(text), "%ld", number);
	child = vfork();
	if (child == 0) {
		if (program)
			execv(program, arguments);
		_exit(program ? 127 : 0);
	}
	return child < 0 || waitpid(child, &status, 0) != child || status;
}

int main(int count, char **arguments)
{
	if (count < 3 || count > 4)
		return 2;

	long processes = atol(arguments[1]), rate = atol(arguments[2]);
	char *program = count == 4 ? arguments[3] : NULL;
	long begin = now();

	for (long number = 0; number < processes; number++) {
		if (rate)
			wait_until(begin + number * (SECOND / rate));
		if (create(program, number))
			return 1;
	}
	printf("%ld\n", now() - begin);
	return 0;
}
