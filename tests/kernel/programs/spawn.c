/* spawn: starts a program in every way the C library has, from the first thread and from another one. */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *spawn(void *argument)
{
	char *words[] = {"true", NULL};
	pid_t child;
	FILE *pipe;

	if (posix_spawn(&child, "/bin/true", NULL, NULL, words, environ) != 0 || waitpid(child, NULL, 0) != child)
		exit(1);
	if (system("true") != 0)
		exit(1);
	pipe = popen("true", "r");
	if (pipe == NULL || pclose(pipe) != 0)
		exit(1);
	child = vfork();
	if (child == 0) {
		execv("/bin/true", words);
		_exit(127);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		exit(1);
	return argument;
}

int main(void)
{
	pthread_t thread;

	spawn(NULL);
	return pthread_create(&thread, NULL, spawn, NULL) || pthread_join(thread, NULL);
}
