/* code_server serve exec|stay: runs the machine code that it receives from the first caller; tells its port.
 * code_server send PORT: sends it some. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_call.h"
#include "tell.h"

#define SIZE 65536

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
}

static void *receive(int connection)
{
	char *area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t size = 0, got;

	must(area != MAP_FAILED);
	while ((got = read(connection, area + size, SIZE - size)) > 0)
		size += got;
	__builtin___clear_cache(area, area + size);
	tell("address", (unsigned long)area);
	must(size > 0 && mprotect(area, SIZE, PROT_READ | PROT_EXEC) == 0);
	return area;
}

static void serve(int executes)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	char *words[] = {"true", NULL};
	kernel_call *received;

	must(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 1) == 0);
	must(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	tell("port", ntohs(address.sin_port));
	received = (kernel_call *)receive(accept(server, NULL, NULL));
	if (executes)
		received(SYS_execve, "/bin/true", words, environ);
	must(received(SYS_getpid) == getpid());
}

static void send_code(int port)
{
	struct sockaddr_in address = loopback(port);
	int connection = socket(AF_INET, SOCK_STREAM, 0);

	must(connect(connection, (struct sockaddr *)&address, sizeof(address)) == 0);
	must(write(connection, (const void *)call_kernel, CALL_KERNEL_SIZE) == (ssize_t)CALL_KERNEL_SIZE);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "send") == 0)
		send_code(atoi(argv[2]));
	else
		serve(strcmp(argv[2], "exec") == 0);
	return 0;
}
