/* A library that does nothing. */
int pyloader_simulation;
