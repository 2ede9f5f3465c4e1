/* set_ids UID GID: changes group and user, then sleeps so that the scheduler sees it, then ends. */
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3 || setgroups(0, NULL) || setgid(atoi(argv[2])) || setuid(atoi(argv[1])))
		return 1;
	usleep(20000);
	return 0;
}
