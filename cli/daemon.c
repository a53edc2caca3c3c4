/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

int cli_daemon(const struct cli *cli)
{
	struct err err = { 0 };
	bool power_off = false;

	if (api_daemon(cli->config_dir, &cli->api, &power_off, &err) < 0)
		return cli_fail(&err);
	return power_off ? cli_power_off("the last VM") : CLI_OK;
}
