/* steady COUNT RATE PROGRAM: starts COUNT processes, RATE a second, each with its number as argument. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[1]) : 0, rate = argc == 4 ? atol(argv[2]) : 0;
	struct timespec next;

	if (count <= 0 || rate <= 0)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (long number = 0; number < count; number++) {
		char word[24];
		pid_t child;

		snprintf(word, sizeof(word), "%ld", number);
		child = fork();
		if (child == 0) {
			execl(argv[3], argv[3], word, (char *)NULL);
			_exit(127);
		}
		if (child < 0 || wait(NULL) < 0)
			return 1;
		next.tv_nsec += 1000000000 / rate;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return 0;
}
