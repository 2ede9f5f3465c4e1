/* forking_server: a child for each connection reads an address from its caller and takes a byte from there, as a
 * service with an overflow does; what the caller guesses wrong ends the child. Ends when its input does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tell.h"

static void serve(int connection)
{
	volatile char *guess = NULL;
	char byte;

	must(read(connection, &guess, sizeof(guess)) == (ssize_t)sizeof(guess));
	byte = *guess;
	must(write(connection, &byte, 1) == 1);
	exit(0);
}

int main(void)
{
	struct sockaddr_in address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
	socklen_t size = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd files[] = {{server, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};

	must(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 64) == 0);
	must(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	tell("port", ntohs(address.sin_port));
	signal(SIGCHLD, SIG_IGN);
	while (poll(files, 2, -1) > 0 && files[1].revents == 0) {
		int connection = accept(server, NULL, NULL);

		if (fork() == 0)
			serve(connection);
		close(connection);
	}
	return 0;
}
