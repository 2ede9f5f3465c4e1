/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates processes one after another and prints the nanoseconds from the first to the last.
 *
 * spawn COUNT RATE [PROGRAM]
 *
 * Each process executes PROGRAM with its number (from 0) as the only argument, or ends at once if there is no PROGRAM.
 * RATE is processes a second: each is created at its appointed time, whether or not those before it have ended. With
 * RATE 0 each is created when the one before it has ended.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pace.h"

static void create(char *program, long number)
{
	char text[24];
	char *arguments[] = { program, text, NULL };
	pid_t child;

	snprintf(text, sizeof(text), "%ld", number);
	child = vfork();
	if (child == 0) {
		if (program)
			execv(program, arguments);
		_exit(program ? 127 : 0);
	}
	if (child < 0)
		exit(1);
}

/* Returns how many children have ended, having waited for one if there is to be one at least. */
static long reap(int options)
{
	long ended = 0;
	int status;

	while (waitpid(-1, &status, ended ? WNOHANG : options) > 0) {
		if (status)
			exit(1);
		ended++;
	}
	return ended;
}

int main(int count, char **arguments)
{
	if (count < 3 || count > 4)
		return 2;

	long processes = atol(arguments[1]), rate = atol(arguments[2]);
	char *program = count == 4 ? arguments[3] : NULL;
	long begin = now(), ended = 0;

	for (long number = 0; number < processes; number++) {
		if (rate)
			wait_until(begin + number * (SECOND / rate));
		create(program, number);
		ended += reap(rate ? WNOHANG : 0);
	}
	while (ended < processes)
		ended += reap(0);
	printf("%ld\n", now() - begin);
	return 0;
}
