/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_power_off(const char *name)
{
	static const char *const paths[] = { "/usr/sbin/poweroff", "/sbin/poweroff" };
	struct err err;

	printf("%s has powered off, and the host goes with it (on_poweroff = \"host-poweroff\")\n",
		name);
	fflush(stdout);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		execl(paths[i], "poweroff", (char *)NULL);
	err_set(&err, errno, "cannot power off the host: %s: %s", paths[0], strerror(errno));
	return cli_fail(&err);
}
