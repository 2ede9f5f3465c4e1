/* Changes the mode of a file, without the program that is made for it. usage: chmod FOLDER FILE */
#include <stdio.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	char path[4096];

	if (argc < 3)
		return 2;
	snprintf(path, sizeof(path), "%s%s.txt", argv[1], argv[2]);
	return chmod(path, S_IRWXU | S_IRWXG | S_IRWXO) != 0;
}
