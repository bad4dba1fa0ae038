/* SPDX-License-Identifier: ISC */
/* face/main.c -- the program: one row of a table for each command. */
int
main(void)
{
	return 0;
}
