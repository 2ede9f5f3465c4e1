/* flags: -fstack-protector-all -U_FORTIFY_SOURCE
 * fault KIND [handled]: commits one fault and tells where; a handler, if wanted, ends the process with status 3. */
#define _GNU_SOURCE
#include <assert.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_call.h"
#include "tell.h"

#define SIZE 65536

/* Each faults at its first instruction, but for a breakpoint on x86, which is reported behind it. */
extern void load(void *address), store(void *address), bad_instruction(void), breakpoint(void);
extern void divide(long number, long unused, long zero);

#if defined(__x86_64__)
#define BREAKPOINT_SIZE 1
asm("load: movb (%rdi), %al; ret\n"
    "store: movb %al, (%rdi); ret\n"
    "bad_instruction: ud2\n"
    "breakpoint: int3; ret\n"
    "divide: divq %rdx\n");
#elif defined(__aarch64__)
#define BREAKPOINT_SIZE 0
asm("load: ldrb w0, [x0]; ret\n"
    "store: strb w0, [x0]; ret\n"
    "bad_instruction: udf #0\n"
    "breakpoint: brk #0\n");
#endif

static void *map(int protection)
{
	void *area = mmap(NULL, SIZE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(area != MAP_FAILED);
	return area;
}

static void *announced(void *address, const void *ip)
{
	tell("address", (unsigned long)address);
	tell("ip", (unsigned long)ip);
	return address;
}

static void wild(void)
{
	void *area = map(PROT_NONE);

	munmap(area, SIZE);
	load(announced(area, load));
}

static void null(void)
{
	load(announced(NULL, load));
}

static void noncanonical(void)
{
	announced(NULL, load);
	load((void *)0x4141414141414141);
}

static void read_only(void)
{
	store(announced(map(PROT_READ), store));
}

static void read_only_file(void)
{
	store(announced((char *)load, store));
}

static void jump_to(void *target)
{
	announced(target, target);
	((void (*)(void))target)();
}

static void jump(void)
{
	jump_to(map(PROT_READ | PROT_WRITE));
}

static void jump_to_stack(void)
{
	char code[64] = {0};

	jump_to(code);
}

static void jump_to_heap(void)
{
	jump_to(malloc(64));
}

static void jump_wild(void)
{
	void *area = map(PROT_NONE);

	munmap(area, SIZE);
	jump_to(area);
}

static void smash(void)
{
	char room[16];
	volatile size_t size = 64;

	memset(room, 'A', size);
	/* Keeps the array. */
	tell("first", room[0]);
}

static void double_free(void)
{
	char *volatile block = malloc(24);

	free(block);
	free(block);
}

static void assertion(void)
{
	assert(getpid() == 0);
}

/* Faults in the gap below the stack. */
static long recurse(long depth)
{
	volatile char room[4096];

	room[0] = depth;
	return depth > 0 ? recurse(depth - 1) + room[0] : 0;
}

static void overflow(void)
{
	recurse(1 << 30);
}

static void illegal(void)
{
	announced(bad_instruction, bad_instruction);
	bad_instruction();
}

static void trap(void)
{
	announced(NULL, (char *)breakpoint + BREAKPOINT_SIZE);
	breakpoint();
}

static void division(void)
{
#ifdef __x86_64__
	announced(divide, divide);
	divide(1, 0, 0);
#endif
}

static void beyond_file(void)
{
	int file = memfd_create("short", 0);

	load(announced(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file, 0), load));
}

static void forbidden(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, __builtin_offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sync, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code), .filter = code};

	announced((void *)call_kernel_return, call_kernel_return);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
	call_kernel(SYS_sync);
}

static void handler(int number)
{
	(void)number;
	_exit(3);
}

static void handle_all(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
	stack_t stack = {.ss_sp = map(PROT_READ | PROT_WRITE), .ss_size = SIZE};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

	must(sigaltstack(&stack, NULL) == 0);
	for (size_t at = 0; at < sizeof(numbers) / sizeof(*numbers); at++)
		must(sigaction(numbers[at], &action, NULL) == 0);
}

static const struct {
	const char *name;
	void (*function)(void);
} kinds[] = {
	{"wild", wild},
	{"null", null},
	{"noncanonical", noncanonical},
	{"read_only", read_only},
	{"read_only_file", read_only_file},
	{"jump", jump},
	{"jump_to_stack", jump_to_stack},
	{"jump_to_heap", jump_to_heap},
	{"jump_wild", jump_wild},
	{"smash", smash},
	{"double_free", double_free},
	{"assertion", assertion},
	{"abort", abort},
	{"overflow", overflow},
	{"illegal", illegal},
	{"trap", trap},
	{"division", division},
	{"beyond_file", beyond_file},
	{"forbidden", forbidden},
};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[2], "handled") == 0)
		handle_all();
	for (size_t at = 0; argc > 1 && at < sizeof(kinds) / sizeof(*kinds); at++)
		if (strcmp(kinds[at].name, argv[1]) == 0)
			kinds[at].function();
	return 2;
}
