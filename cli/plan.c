/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/plan_text.h"
#include "cli/text.h"
#include "base/cleanup.h"

int cli_plan(const struct cli *cli)
{
	struct strbuf path AUTO_STRBUF = { 0 }, text AUTO_STRBUF = { 0 };
	struct api_plan plan;
	struct err err;

	cli_vm_file(cli, cli->words[0], &path);
	if (path.failed)
		return cli_complain(&path, CLI_FAILED);
	if (api_plan(path.text, &cli->api, &plan, &err) < 0) {
		/* A file that is not there is no VM that is not there. */
		cli_fail(&err);
		return CLI_FAILED;
	}
	if (cli->flags & CLI_JSON)
		text_take_json(&text, plan_json(&plan));
	else
		plan_text(&plan, &text);
	int status = plan.cannot.count > 0 ? CLI_FAILED : CLI_OK;

	api_plan_free(&plan);
	return cli_print(&text, status);
}
