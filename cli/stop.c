/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"

int cli_stop(const struct cli *cli)
{
	json_t *parameters = call_vm(cli);

	json_object_set_new(parameters, "force", json_boolean(cli->flags & CLI_FORCE));
	return call_for_steps(cli, "Stop", parameters);
}
