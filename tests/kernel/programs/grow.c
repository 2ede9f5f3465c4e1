/* grow MIB map|heap [quick]: takes memory by the MiB, touches all of it, resting in between unless it is to be quick,
 * and ends. Tells how much, if it gets there. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tell.h"

#define MIB (1L << 20)

int main(int argc, char **argv)
{
	long size = argc > 1 ? atol(argv[1]) : 0;
	int heap = argc > 2 && strcmp(argv[2], "heap") == 0;

	for (long at = 0; at < size; at++) {
		void *area = heap ? sbrk(MIB)
				  : mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(area != (void *)-1);
		memset(area, 1, MIB);
		if (argc < 4)
			usleep(100);
	}
	tell("mib", size);
	return size <= 0;
}
