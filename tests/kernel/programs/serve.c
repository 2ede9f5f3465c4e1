/* serve: listens on a free port of this host, prints it, and takes connections for ever: reads a byte and closes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	if (server < 0 || bind(server, (struct sockaddr *)&at, sizeof(at)) || listen(server, 128) ||
	    getsockname(server, (struct sockaddr *)&at, &size)) {
		perror("listen");
		return 1;
	}
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int client = accept(server, NULL, NULL);

		if (client < 0)
			return 1;
		if (read(client, &byte, 1) < 0)
			perror("read");
		close(client);
	}
}
