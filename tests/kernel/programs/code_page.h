/* Pages that come to hold the code of a system call, and what is told of them. */
#ifndef CODE_PAGE_H
#define CODE_PAGE_H

#include <sys/mman.h>
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

static inline void *map(int protection, int flags, int file)
{
	long area = call_kernel(SYS_mmap, 0L, page, (long)protection, (long)flags, (long)file, 0L);

	must(area > 0);
	return (void *)area;
}

/* Anonymous memory that is no part of a larger area. */
static inline void *fenced(int protection)
{
	char *area = mmap(NULL, 3 * page, PROT_NONE, ANONYMOUS, -1, 0);

	must(area != MAP_FAILED && mprotect(area + page, page, protection) == 0);
	return area + page;
}

/* Tells what becomes executable and from where the kernel is called for it. */
static inline void announce(void *area)
{
	tell("address", (unsigned long)area);
	tell("length", page);
	tell("ip", (unsigned long)call_kernel_return);
}

static inline void protect(void *area, int protection)
{
	must(call_kernel(SYS_mprotect, area, page, (long)protection) == 0);
}

static inline void run_code(void *area)
{
	must(((kernel_call *)area)(SYS_getpid) == getpid());
}

static inline void write_then(void *area, int protection)
{
	put_code(area);
	announce(area);
	protect(area, protection);
	run_code(area);
}

#endif
