/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/call.h"
#include "cli/status_text.h"
#include "cli/text.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>

/* Bare `vfio-sup`: that nothing runs is no error there. */
static int nothing_here(void)
{
	struct strbuf text AUTO_STRBUF = { 0 };

	strbuf_add(&text, "No VM runs under vfio-sup here.\n"
			  "  start one    vfio-sup run FILE\n"
			  "  all verbs    vfio-sup help\n");
	return cli_print(&text, CLI_OK);
}

static void write_status(const struct cli *cli, json_t *status, struct strbuf *text)
{
	if (cli->flags & CLI_JSON) {
		text_take_json(text, json_incref(status));
	} else if (cli->word_count > 0) {
		status_vm_text(status, clock_wall_seconds(), text);
	} else {
		status_overview_text(status, clock_wall_seconds(), text);
	}
}

int cli_status(const struct cli *cli)
{
	bool one = cli->word_count > 0;
	struct strbuf text AUTO_STRBUF = { 0 };
	json_t *status = NULL;
	struct err err;
	int r = call_once(cli, "Status", one ? call_vm(cli) : NULL, &status, &err);

	if (r == -ENOTCONN && !cli->verb)
		return nothing_here();
	if (r < 0)
		return cli_fail(&err);
	write_status(cli, status, &text);
	int result = one ? status_vm_exit(status) : status_overview_exit(status);

	json_decref(status);
	return cli_print(&text, result);
}
