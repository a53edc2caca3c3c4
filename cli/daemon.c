/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

int cli_daemon(const struct cli *cli)
{
	struct err err = { 0 };

	return api_daemon(cli->config_dir, &cli->api, &err) < 0 ? cli_fail(&err) : CLI_OK;
}
