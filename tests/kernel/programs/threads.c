/* Runs eight threads that end together, then ends with status 7. */
#include <pthread.h>

static void *nothing(void *argument)
{
	return argument;
}

int main(void)
{
	pthread_t threads[8];

	for (int at = 0; at < 8; at++)
		pthread_create(&threads[at], NULL, nothing, NULL);
	for (int at = 0; at < 8; at++)
		pthread_join(threads[at], NULL);
	return 7;
}
