/* flags: -z execstack
 * Has an executable stack from the start, and tells where. */
#include "tell.h"

int main(void)
{
	char local;

	tell("stack", (unsigned long)&local);
	return 0;
}
