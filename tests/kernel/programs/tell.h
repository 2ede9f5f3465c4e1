/* How a program tells the test what it is about to do: one line for each number, its name and its hex digits. */
#ifndef TELL_H
#define TELL_H

#include <stdio.h>
#include <stdlib.h>

/* Flushed at once, since what comes next may end the process. */
static inline void tell(const char *name, unsigned long value)
{
	printf("%s %lx\n", name, value);
	fflush(stdout);
}

#define must(condition)                  \
	do {                             \
		if (!(condition)) {      \
			perror(#condition); \
			exit(99);        \
		}                        \
	} while (0)

#endif
