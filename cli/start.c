/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"

int cli_start(const struct cli *cli)
{
	return call_for_steps(cli, "Start", call_vm(cli));
}
