/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"

int cli_kill(const struct cli *cli)
{
	return call_for_words(cli, "Kill");
}
