/* SPDX-License-Identifier: Apache-2.0 */
/* The cheapest program to execute: linked statically, it does nothing. */
int main(void)
{
	return 0;
}
