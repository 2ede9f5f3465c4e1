/* ask userfaultfd|memory_file: asks for a facility of the kernel and tells the flags and the errno of a refusal. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tell.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

int main(int argc, char **argv)
{
	int memory_file = argc == 2 && strcmp(argv[1], "memory_file") == 0;
	unsigned int flags = memory_file ? MFD_CLOEXEC | MFD_ALLOW_SEALING : O_CLOEXEC | UFFD_USER_MODE_ONLY;

	tell("flags", flags);
	if ((memory_file ? memfd_create("a name", flags) : syscall(SYS_userfaultfd, flags)) < 0)
		tell("error", errno);
	return 0;
}
