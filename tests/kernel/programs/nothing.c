/* Does nothing, whatever it is called. */
int main(void)
{
	return 0;
}
