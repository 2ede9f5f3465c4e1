/* origin CODE STACK CALL [PORT]: makes one system call from code of one kind on a stack of one kind; tells both. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernel_call.h"
#include "tell.h"

/* A multiple of every page size. */
#define SIZE 65536
#define WRITE (PROT_READ | PROT_WRITE)
#define EXECUTE (PROT_READ | PROT_EXEC)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static kernel_call *gate = call_kernel;
static const char *call;
static int port;

static void *map(int protection)
{
	void *area = mmap(NULL, SIZE, protection, ANONYMOUS, -1, 0);

	must(area != MAP_FAILED);
	return area;
}

static void execute(void)
{
	char *words[] = {"origin", "nothing", NULL};

	gate(SYS_execve, "/proc/self/exe", words, environ);
	must(!"executed");
}

static void connect_socket(void)
{
	struct sockaddr_in peer = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
	int plain = socket(AF_INET, SOCK_STREAM, 0);

	gate(SYS_connect, (long)plain, &peer, sizeof(peer));
	close(plain);
}

static void act(void)
{
	if (strcmp(call, "exec") == 0)
		execute();
	else if (strcmp(call, "connect") == 0)
		connect_socket();
	else if (strcmp(call, "protect") == 0)
		must(gate(SYS_mprotect, map(WRITE), (long)SIZE, (long)EXECUTE) == 0);
	else if (strcmp(call, "map") == 0)
		must(gate(SYS_mmap, 0L, (long)SIZE, (long)EXECUTE, (long)ANONYMOUS, -1L, 0L) > 0);
	else
		exit(2);
}

static void act_upon_signal(int number)
{
	(void)number;
	act();
}

static void *act_in_thread(void *argument)
{
	act();
	return argument;
}

/* Puts the code of the system call where it does not belong. */
static void choose_code(const char *kind)
{
	char *area = NULL;

	if (strcmp(kind, "heap") == 0)
		area = (char *)(((uintptr_t)sbrk(2 * SIZE) + SIZE - 1) & -SIZE);
	else if (strcmp(kind, "anonymous") == 0)
		area = map(WRITE);
	else if (strcmp(kind, "memory_file") == 0) {
		int file = memfd_create("code", 0);

		must(file >= 0 && ftruncate(file, SIZE) == 0);
		area = mmap(NULL, SIZE, WRITE, MAP_SHARED, file, 0);
		must(area != MAP_FAILED);
	}
	if (area != NULL) {
		memcpy(area, (const void *)call_kernel, CALL_KERNEL_SIZE);
		__builtin___clear_cache(area, area + CALL_KERNEL_SIZE);
		must(mprotect(area, SIZE, EXECUTE) == 0);
		gate = (kernel_call *)area;
	}
	tell("ip", (unsigned long)gate + (call_kernel_return - (const char *)call_kernel));
}

static void *announced(void *stack)
{
	tell("stack", (unsigned long)stack);
	tell("stack_end", (unsigned long)stack + SIZE);
	return stack;
}

static void run_thread(void *stack)
{
	pthread_attr_t attributes;
	pthread_t thread;

	must(pthread_attr_init(&attributes) == 0);
	if (stack != NULL)
		must(pthread_attr_setstack(&attributes, announced(stack), SIZE) == 0);
	must(pthread_create(&thread, &attributes, act_in_thread, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
}

static void run_signal_handler(void)
{
	stack_t stack = {.ss_sp = announced(map(WRITE)), .ss_size = SIZE};
	struct sigaction action = {.sa_handler = act_upon_signal, .sa_flags = SA_ONSTACK};

	must(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
}

static void run_coroutine(void)
{
	ucontext_t here, there;

	must(getcontext(&there) == 0);
	there.uc_stack.ss_sp = announced(map(WRITE));
	there.uc_stack.ss_size = SIZE;
	there.uc_link = &here;
	makecontext(&there, act, 0);
	must(swapcontext(&here, &there) == 0);
}

static void run(const char *kind)
{
	if (strcmp(kind, "own") == 0)
		act();
	else if (strcmp(kind, "thread") == 0)
		run_thread(NULL);
	else if (strcmp(kind, "given") == 0)
		run_thread(map(WRITE));
	else if (strcmp(kind, "signal") == 0)
		run_signal_handler();
	else if (strcmp(kind, "coroutine") == 0)
		run_coroutine();
	else if (strcmp(kind, "heap") == 0)
		/* Small enough that malloc takes it from the heap proper. */
		call_on((char *)announced(aligned_alloc(16, SIZE)) + SIZE, act);
	else if (strcmp(kind, "anonymous") == 0)
		call_on((char *)announced(map(WRITE)) + SIZE, act);
	else if (strcmp(kind, "executable") == 0)
		call_on((char *)announced(map(WRITE | PROT_EXEC)) + SIZE, act);
	else
		exit(2);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (argc < 4)
		return 2;
	call = argv[3];
	port = argc > 4 ? atoi(argv[4]) : 9;
	choose_code(argv[1]);
	run(argv[2]);
	return 0;
}
