/* repeat AREAS FAULTS NAPS: tells its pid and waits for a line. Then it makes so many areas that can be written and
 * executed, catches so many faults, asks as often for a file in memory, and sleeps for a tenth of a second as often. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tell.h"

#define SIZE 65536

static sigjmp_buf before;

static void handler(int number)
{
	siglongjmp(before, number);
}

int main(int argc, char **argv)
{
	char line[8];
	long areas = argc == 4 ? atol(argv[1]) : 0, faults = argc == 4 ? atol(argv[2]) : 0;
	long naps = argc == 4 ? atol(argv[3]) : 0;

	tell("pid", getpid());
	if (!fgets(line, sizeof(line), stdin))
		return 2;
	for (long at = 0; at < areas; at++) {
		/* What cannot be touched keeps each apart from the one before. */
		char *room = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(room != MAP_FAILED);
		must(mmap(room + SIZE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			  -1, 0) != MAP_FAILED);
	}
	must(signal(SIGSEGV, handler) != SIG_ERR);
	for (volatile long at = 0; at < faults; at++) {
		if (!sigsetjmp(before, 1))
			*(volatile char *)8 = 1;
		must(close(memfd_create("again", 0)) == 0);
	}
	for (long at = 0; at < naps; at++)
		usleep(100000);
	return 0;
}
