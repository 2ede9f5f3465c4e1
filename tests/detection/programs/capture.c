/* Opens a socket for packets of its own and reads from it for a while.
 * usage: capture [-a] [-4] [-P] [-p PROTOCOL] [-f] [-t SECONDS]
 *   -a: AF_PACKET, SOCK_RAW   -4: AF_INET, SOCK_RAW   -P: with -4, SOCK_PACKET   -f: with a filter for UDP
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int family = AF_PACKET, type = SOCK_RAW, protocol = htons(ETH_P_ALL), filtered = 0, seconds = 1, option;
	char packet[2048];

	while ((option = getopt(argc, argv, "a4Pp:ft:")) != -1) {
		switch (option) {
		case '4':
			family = AF_INET;
			break;
		case 'P':
			type = SOCK_PACKET;
			protocol = htons(ETH_P_ALL);
			break;
		case 'p':
			if (type == SOCK_RAW && family == AF_INET)
				protocol = atoi(optarg);
			break;
		case 'f':
			filtered = 1;
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		}
	}
	int wire = socket(family, type, protocol);
	if (wire < 0) {
		perror("socket");
		return 1;
	}
	if (filtered) {
		struct sock_filter code[] = {
			BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, 0xffff),
			BPF_STMT(BPF_RET | BPF_K, 0),
		};
		struct sock_fprog program = {.len = 4, .filter = code};
		setsockopt(wire, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	}
	struct timeval wait = {.tv_usec = 100000};
	setsockopt(wire, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	time_t end = time(NULL) + seconds;
	while (time(NULL) < end)
		(void)!read(wire, packet, sizeof(packet));
	return 0;
}
