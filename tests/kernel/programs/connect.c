/* connect PORT COUNT: connects to this host so often, one after the other, each time writes a byte and waits for the end. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char byte = 'x';

	if (argc != 3)
		return 2;
	to.sin_port = htons(atoi(argv[1]));
	for (int left = atoi(argv[2]); left > 0; left--) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		if (client < 0 || connect(client, (struct sockaddr *)&to, sizeof(to))) {
			perror("connect");
			return 1;
		}
		if (write(client, &byte, 1) != 1 || read(client, &byte, 1) != 0) {
			perror("exchange");
			return 1;
		}
		close(client);
	}
	return 0;
}
