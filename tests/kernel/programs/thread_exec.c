/* Starts a thread that executes the given command: the thread takes over the process and its pid. */
#include <pthread.h>
#include <unistd.h>

static void *execute(void *arguments)
{
	char **words = arguments;

	execv(words[0], words);
	_exit(127);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return 2;
	pthread_create(&thread, NULL, execute, argv + 1);
	pthread_join(thread, NULL);
	return 1;
}
