/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does one thing with memory COUNT times and prints the nanoseconds that this took.
 *
 * memory_calls WHAT COUNT
 *
 * map      mmap(2) and munmap(2) of a page that is never touched
 * execute  mprotect(2) of an area to executable, and back to writable
 * break    brk(2) a page up, and back down
 * touch    page faults: pages are touched for the first time, in areas of which nothing else happens meanwhile
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGES 4096

static long page;

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static char *mapped(long bytes)
{
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		exit(1);
	return area;
}

static void require(int result)
{
	if (result)
		exit(1);
}

static long map(long count)
{
	long begin = now();

	while (count--)
		require(munmap(mapped(page), page));
	return now() - begin;
}

static long execute(long count)
{
	char *area = mapped(page);
	long begin = now();

	while (count--) {
		require(mprotect(area, page, PROT_READ | PROT_EXEC));
		require(mprotect(area, page, PROT_READ | PROT_WRITE));
	}
	return now() - begin;
}

static long grow(long count)
{
	char *end = sbrk(0);
	long begin = now();

	while (count--) {
		require(brk(end + page));
		require(brk(end));
	}
	return now() - begin;
}

static long touch(long count)
{
	long spent = 0;

	for (long done = 0; done < count; done += PAGES) {
		char *area = mapped(PAGES * page);
		long begin;

		/* Huge pages would make one fault of many. */
		madvise(area, PAGES * page, MADV_NOHUGEPAGE);
		begin = now();
		for (long at = 0; at < PAGES && done + at < count; at++)
			((volatile char *)area)[at * page] = 1;
		spent += now() - begin;
		require(munmap(area, PAGES * page));
	}
	return spent;
}

int main(int count, char **arguments)
{
	const struct {
		const char *name;
		long (*act)(long);
	} acts[] = { { "map", map }, { "execute", execute }, { "break", grow }, { "touch", touch } };

	if (count != 3)
		return 2;
	page = sysconf(_SC_PAGESIZE);
	for (size_t at = 0; at < sizeof(acts) / sizeof(*acts); at++) {
		if (!strcmp(arguments[1], acts[at].name)) {
			printf("%ld\n", acts[at].act(atol(arguments[2])));
			return 0;
		}
	}
	return 2;
}
