/* reach WAY child|grandchild|PID ADDRESS: reaches into the memory or the registers of a process, at the address of
 * eight bytes that it may change, and tells its pid and the errno of a refusal. A child and a grandchild of its own
 * have the same address as this process: 0 stands for a variable of this program. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tell.h"

static unsigned long own;
static pid_t target;
static char *address;

/* Returns what the kernel said, and keeps the first refusal. */
static int outcome(long result)
{
	static int refusal;

	if (result < 0 && refusal == 0)
		refusal = errno;
	return refusal;
}

static int attach(void)
{
	if (outcome(ptrace(PTRACE_ATTACH, target, NULL, NULL)))
		return outcome(0);
	must(waitpid(target, NULL, __WALL) == target);
	return 0;
}

static int only_attach(void)
{
	return attach() || outcome(ptrace(PTRACE_DETACH, target, NULL, NULL)) ? outcome(0) : 0;
}

static int seize(void)
{
	return outcome(ptrace(PTRACE_SEIZE, target, NULL, NULL));
}

static int poke(void)
{
	if (attach())
		return outcome(0);
	outcome(ptrace(PTRACE_POKEDATA, target, address, (void *)7));
	return outcome(ptrace(PTRACE_DETACH, target, NULL, NULL));
}

static int set_registers(void)
{
	struct user_regs_struct registers;
	struct iovec set = {&registers, sizeof(registers)};

	if (attach())
		return outcome(0);
	outcome(ptrace(PTRACE_GETREGSET, target, (void *)NT_PRSTATUS, &set));
	outcome(ptrace(PTRACE_SETREGSET, target, (void *)NT_PRSTATUS, &set));
	return outcome(ptrace(PTRACE_DETACH, target, NULL, NULL));
}

/* Makes the target go on in the function at the address, as code injectors do. */
static int inject(void)
{
	struct user_regs_struct registers;
	struct iovec set = {&registers, sizeof(registers)};
	long word;

	if (attach())
		return outcome(0);
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, target, address, NULL);
	outcome(errno ? -1 : 0);
	outcome(ptrace(PTRACE_POKETEXT, target, address, (void *)word));
	outcome(ptrace(PTRACE_GETREGSET, target, (void *)NT_PRSTATUS, &set));
#if defined(__x86_64__)
	registers.rip = (unsigned long)address;
	registers.rsp &= -16UL;
	registers.orig_rax = -1;
#elif defined(__aarch64__)
	registers.pc = (unsigned long)address;
#endif
	outcome(ptrace(PTRACE_SETREGSET, target, (void *)NT_PRSTATUS, &set));
	return outcome(ptrace(PTRACE_DETACH, target, NULL, NULL));
}

static int read_vm(void)
{
	unsigned long word;
	struct iovec here = {&word, sizeof(word)}, there = {address, sizeof(word)};

	return outcome(process_vm_readv(target, &here, 1, &there, 1, 0));
}

static int read_vm_often(void)
{
	for (int time = 1; time < 20; time++)
		read_vm();
	return read_vm();
}

static int write_vm(void)
{
	unsigned long word = 7;
	struct iovec here = {&word, sizeof(word)}, there = {address, sizeof(word)};

	return outcome(process_vm_writev(target, &here, 1, &there, 1, 0));
}

static int open_memory(int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/%d/mem", target);
	return open(name, flags);
}

static int only_open(void)
{
	return outcome(open_memory(O_RDWR));
}

static int open_to_read(void)
{
	unsigned long word;

	return outcome(pread(open_memory(O_RDONLY), &word, sizeof(word), (off_t)address));
}

static int write_file(void)
{
	unsigned long word = 7;

	return outcome(pwrite(open_memory(O_RDWR), &word, sizeof(word), (off_t)address));
}

static int seek_and_write_file(void)
{
	unsigned long word = 7;
	int file = open_memory(O_WRONLY);

	outcome(lseek(file, (off_t)address, SEEK_SET));
	return outcome(write(file, &word, sizeof(word)));
}

static int write_own(void)
{
	target = getpid();
	return write_file();
}

static const struct {
	const char *name;
	int (*function)(void);
} ways[] = {
	{"attach", only_attach},
	{"seize", seize},
	{"poke", poke},
	{"set_registers", set_registers},
	{"inject", inject},
	{"read_vm", read_vm},
	{"read_vm_often", read_vm_often},
	{"write_vm", write_vm},
	{"open", only_open},
	{"open_to_read", open_to_read},
	{"write_file", write_file},
	{"seek_and_write_file", seek_and_write_file},
	{"write_own", write_own},
};

/* Starts a process that waits, and ends with its parent. */
static pid_t descendant(int generations)
{
	int ends[2];
	pid_t child, pid = 0;

	must(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		pid = generations > 1 ? descendant(generations - 1) : getpid();
		must(write(ends[1], &pid, sizeof(pid)) == (ssize_t)sizeof(pid));
		for (;;)
			pause();
	}
	must(child > 0 && read(ends[0], &pid, sizeof(pid)) == (ssize_t)sizeof(pid));
	return pid;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	if (strcmp(argv[2], "child") == 0)
		target = descendant(1);
	else if (strcmp(argv[2], "grandchild") == 0)
		target = descendant(2);
	else
		target = atoi(argv[2]);
	address = (char *)strtoul(argv[3], NULL, 16);
	if (address == NULL)
		address = (char *)&own;
	for (size_t at = 0; at < sizeof(ways) / sizeof(*ways); at++) {
		if (strcmp(ways[at].name, argv[1]) != 0)
			continue;
		tell("target", target);
		tell("address", (unsigned long)address);
		tell("error", ways[at].function());
		return 0;
	}
	return 2;
}
