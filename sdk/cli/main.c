/* SPDX-License-Identifier: MIT */
#include "commands.h"

int main(int argc, char **argv)
{
	return cli_run(argc, argv);
}
