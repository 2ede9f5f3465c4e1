/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes TCP connections over loopback one after another and prints the nanoseconds from the first to the last.
 *
 * connect COUNT RATE
 *
 * Each is taken up by a thread of this program and then reset, so that no port waits for its second life. RATE is
 * connections a second: each is begun at its appointed time, or as soon as the one before it is over; 0 is as fast as
 * they go.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pace.h"

static long connections;
static sem_t taken_up; /* A full queue of connections would lose some without a word. */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Ends when it has taken up all connections; reading waits for the reset. */
static void *serve(void *listener)
{
	char byte;

	for (long number = 0; number < connections; number++) {
		int taken = accept(*(int *)listener, NULL, NULL);

		if (taken < 0)
			fail("accept");
		sem_post(&taken_up);
		while (read(taken, &byte, 1) > 0)
			;
		close(taken);
	}
	return NULL;
}

int main(int count, char **arguments)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	socklen_t size = sizeof(address);
	pthread_t server;

	if (count != 3)
		return 2;
	connections = atol(arguments[1]);

	long rate = atol(arguments[2]);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (void *)&address, size) || listen(listener, 128)
	    || getsockname(listener, (void *)&address, &size))
		fail("listen");
	sem_init(&taken_up, 0, 0);
	if (pthread_create(&server, NULL, serve, &listener))
		fail("pthread_create");

	long begin = now();

	for (long number = 0; number < connections; number++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		if (rate)
			wait_until(begin + number * (SECOND / rate));
		if (connect(client, (void *)&address, size))
			fail("connect");
		sem_wait(&taken_up);
		setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(client);
	}
	pthread_join(server, NULL);
	printf("%ld\n", now() - begin);
	return 0;
}
