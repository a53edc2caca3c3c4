/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/run_text.h"
#include "cli/text.h"

int cli_run(const struct cli *cli)
{
	struct api_run_result result = { 0 };
	struct strbuf path AUTO_STRBUF = { 0 }, text AUTO_STRBUF = { 0 };

	cli_vm_file(cli, cli->words[0], &path);
	if (path.failed || !path.text)
		return cli_complain(&path, CLI_FAILED);
	api_run(path.text, &cli->api, &result);
	if (result.status != CLI_OK) {
		run_text(&result, &text);
		cli_complain(&text, result.status);
	}
	if (result.power_off_host)
		return cli_power_off(result.name);
	return result.status;
}
