/* burst PROCESSES TIMES: processes that each map, touch and unmap a page again and again, all at once. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tell.h"

static void allocate(long times)
{
	for (long time = 0; time < times; time++) {
		char *area = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must(area != MAP_FAILED);
		*area = 1;
		must(munmap(area, 65536) == 0);
	}
}

int main(int argc, char **argv)
{
	long processes = argc == 3 ? atol(argv[1]) : 0, times = argc == 3 ? atol(argv[2]) : 0;
	int status, failed = 0;

	if (processes <= 0 || processes > 64 || times <= 0)
		return 2;
	for (long at = 0; at < processes; at++) {
		pid_t child = fork();

		must(child >= 0);
		if (child == 0) {
			allocate(times);
			return 0;
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed != 0;
}
