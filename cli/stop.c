/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"

static int stop_all(const struct cli *cli)
{
	struct steps steps = { 0 };
	struct err err;
	int r = api_host_shutdown(&cli->api, cli->config_dir, call_show_step, &steps, &err);

	return call_end(r, &steps, &err);
}

int cli_stop(const struct cli *cli)
{
	if (cli->flags & CLI_HOST_SHUTDOWN)
		return stop_all(cli);

	json_t *parameters = call_vm(cli);

	json_object_set_new(parameters, "force", json_boolean(cli->flags & CLI_FORCE));
	return call_for_steps(cli, "Stop", parameters);
}
