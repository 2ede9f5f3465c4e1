/* target: tells where it keeps eight bytes and how it can be ended from outside, and waits until its input ends. */
#include <unistd.h>

#include "tell.h"

static volatile unsigned long kept = 0x1234;

/* Where an injector sends it. */
static void injected(void)
{
	_exit(42);
}

int main(void)
{
	char byte;

	tell("kept", (unsigned long)&kept);
	tell("injected", (unsigned long)injected);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
