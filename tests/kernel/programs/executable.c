/* executable WAY [TIMES]: makes memory executable in one way, tells where, and makes a system call from there. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_call.h"
#include "tell.h"

#define READ PROT_READ
#define WRITE (PROT_READ | PROT_WRITE)
#define EXECUTE (PROT_READ | PROT_EXEC)
#define ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static size_t page;

static void *map(int protection, int flags, int file)
{
	long area = call_kernel(SYS_mmap, 0L, page, (long)protection, (long)flags, (long)file, 0L);

	must(area > 0);
	return (void *)area;
}

/* Anonymous memory that is no part of a larger area. */
static void *fenced(int protection)
{
	char *area = mmap(NULL, 3 * page, PROT_NONE, ANONYMOUS, -1, 0);

	must(area != MAP_FAILED && mprotect(area + page, page, protection) == 0);
	return area + page;
}

/* Tells what becomes executable and from where the kernel is called for it. */
static void announce(void *area)
{
	tell("address", (unsigned long)area);
	tell("length", page);
	tell("ip", (unsigned long)call_kernel_return);
}

static void protect(void *area, int protection)
{
	must(call_kernel(SYS_mprotect, area, page, (long)protection) == 0);
}

static void put_code(void *area)
{
	memcpy(area, (const void *)call_kernel, CALL_KERNEL_SIZE);
	__builtin___clear_cache(area, (char *)area + CALL_KERNEL_SIZE);
}

static void run_code(void *area)
{
	must(((kernel_call *)area)(SYS_getpid) == getpid());
}

static void write_then(void *area, int protection)
{
	put_code(area);
	announce(area);
	protect(area, protection);
	run_code(area);
}

static void written(void)
{
	write_then(fenced(WRITE), EXECUTE);
}

static void made_writable(void)
{
	write_then(fenced(WRITE), ALL);
}

static void read_only_first(void)
{
	void *area = fenced(WRITE);

	put_code(area);
	protect(area, READ);
	announce(area);
	protect(area, EXECUTE);
	run_code(area);
}

static void writable(void)
{
	void *area = map(ALL, ANONYMOUS, -1);

	put_code(area);
	announce(area);
	run_code(area);
}

static void implied(void)
{
	void *area;

	must(personality(READ_IMPLIES_EXEC) >= 0);
	area = map(WRITE, ANONYMOUS, -1);
	put_code(area);
	announce(area);
	run_code(area);
}

static void anonymous(void)
{
	announce(map(EXECUTE, ANONYMOUS, -1));
}

static void untouched(void)
{
	void *area = fenced(READ);

	announce(area);
	protect(area, EXECUTE);
}

static void on_stack(void)
{
	char room[3 * 65536];

	write_then((void *)(((uintptr_t)room + page - 1) & -page), EXECUTE);
}

static void *in_thread(void *argument)
{
	on_stack();
	return argument;
}

static void on_thread_stack(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, in_thread, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
}

static void on_heap(void)
{
	char *end = sbrk(3 * page);

	must(end != (void *)-1);
	write_then((void *)(((uintptr_t)end + page - 1) & -page), EXECUTE);
}

static void text_relocation(void)
{
	int file = open("/proc/self/exe", O_RDONLY);

	write_then(map(WRITE, MAP_PRIVATE, file), EXECUTE);
	close(file);
}

static void shared(void)
{
	write_then(map(WRITE, MAP_SHARED | MAP_ANONYMOUS, -1), EXECUTE);
}

static void system_v(void)
{
	int id = shmget(IPC_PRIVATE, page, IPC_CREAT | 0700);
	void *area = (void *)call_kernel(SYS_shmat, (long)id, 0L, (long)SHM_EXEC);

	must(shmctl(id, IPC_RMID, NULL) == 0 && (long)area > 0);
	put_code(area);
	announce(area);
	run_code(area);
}

static int memory_file(void)
{
	int file = memfd_create("code", 0);

	must(file >= 0 && ftruncate(file, 2 * page) == 0);
	must(pwrite(file, (const void *)call_kernel, CALL_KERNEL_SIZE, 0) == (ssize_t)CALL_KERNEL_SIZE);
	must(pwrite(file, (const void *)call_kernel, CALL_KERNEL_SIZE, page) == (ssize_t)CALL_KERNEL_SIZE);
	return file;
}

static void in_memory_file(void)
{
	void *area = map(EXECUTE, MAP_PRIVATE, memory_file());

	announce(area);
	run_code(area);
}

static void mapped_twice(void)
{
	int file = memory_file();
	void *alias = map(WRITE, MAP_SHARED, file), *area = map(EXECUTE, MAP_SHARED, file);

	put_code(alias);
	announce(area);
	run_code(area);
}

static void moved(void)
{
	void *area = fenced(WRITE), *target = map(PROT_NONE, ANONYMOUS, -1);

	write_then(area, EXECUTE);
	must(call_kernel(SYS_mremap, area, page, page, (long)(MREMAP_MAYMOVE | MREMAP_FIXED), target) == (long)target);
	announce(target);
	run_code(target);
}

static void remapped(void)
{
	void *area = map(EXECUTE, MAP_SHARED, memory_file());

	must(call_kernel(SYS_remap_file_pages, area, page, 0L, 1L, 0L) == 0);
	announce(area);
	run_code(area);
}

static void by_key(void)
{
	void *area = fenced(WRITE);

	put_code(area);
	announce(area);
	must(call_kernel(SYS_pkey_mprotect, area, page, (long)EXECUTE, -1L) == 0);
	run_code(area);
}

/* One call for two areas, of which the first is executable already. */
static void spanning(void)
{
	char *both = (char *)fenced(WRITE) - page;
	int file = open("/proc/self/exe", O_RDONLY);

	must(mmap(both, page, EXECUTE, MAP_PRIVATE | MAP_FIXED, file, 0) == both);
	put_code(both + page);
	announce(both + page);
	must(call_kernel(SYS_mprotect, both, 2 * page, (long)EXECUTE) == 0);
	run_code(both + page);
	close(file);
}

/* Writable and executable by turns, as in just-in-time compilers. */
static void toggled(void)
{
	void *area = fenced(WRITE);

	announce(area);
	for (int turn = 0; turn < 50; turn++) {
		protect(area, WRITE);
		put_code(area);
		protect(area, EXECUTE);
		run_code(area);
	}
}

/* mprotect by the number and the instruction of 32-bit programs. */
extern const char compatible_return[];

static void compatible(void)
{
#ifdef __x86_64__
	void *area = map(WRITE, ANONYMOUS | MAP_32BIT, -1);
	long result;

	put_code(area);
	announce(area);
	tell("ip", (unsigned long)compatible_return);
	asm volatile("int $0x80\ncompatible_return:"
		     : "=a"(result)
		     : "a"(125), "b"(area), "c"(page), "d"(EXECUTE)
		     : "memory", "r8", "r9", "r10", "r11");
	must(result == 0);
	run_code(area);
#else
	must(!"there is no such way on this machine");
#endif
}

static const struct {
	const char *name;
	void (*function)(void);
} ways[] = {
	{"written", written},
	{"made_writable", made_writable},
	{"read_only_first", read_only_first},
	{"writable", writable},
	{"implied", implied},
	{"anonymous", anonymous},
	{"untouched", untouched},
	{"stack", on_stack},
	{"thread_stack", on_thread_stack},
	{"heap", on_heap},
	{"text_relocation", text_relocation},
	{"shared", shared},
	{"system_v", system_v},
	{"memory_file", in_memory_file},
	{"mapped_twice", mapped_twice},
	{"moved", moved},
	{"remapped", remapped},
	{"by_key", by_key},
	{"spanning", spanning},
	{"toggled", toggled},
	{"compatible", compatible},
};

int main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[2]) : 1;

	page = sysconf(_SC_PAGESIZE);
	for (size_t at = 0; argc > 1 && at < sizeof(ways) / sizeof(*ways); at++) {
		if (strcmp(ways[at].name, argv[1]) != 0)
			continue;
		for (int time = 0; time < times; time++)
			ways[at].function();
		return 0;
	}
	return 2;
}
