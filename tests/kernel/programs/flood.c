/* flood COUNT PROGRAM: starts COUNT processes, each with its number as argument, never more than 64 at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[1]) : 0;
	int running = 0;

	if (count <= 0)
		return 2;
	for (long number = 0; number < count; number++) {
		char word[24];
		pid_t child;

		snprintf(word, sizeof(word), "%ld", number);
		child = fork();
		if (child == 0) {
			execl(argv[2], argv[2], word, (char *)NULL);
			_exit(127);
		}
		if (child < 0)
			return 1;
		if (++running == 64 && wait(NULL) > 0)
			running--;
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
