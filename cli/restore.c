/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/text.h"

int cli_restore(const struct cli *cli)
{
	struct strlist words AUTO_STRLIST = { 0 };
	struct strbuf text AUTO_STRBUF = { 0 };
	struct err err = { 0 };
	bool lease = cli->flags & CLI_LEASE;
	int r = lease ? api_lease(&cli->api, &words, &err) : api_restore(&cli->api, &words, &err);

	for (size_t i = 0; i < words.count; i++) {
		text_add_clean(&text, words.items[i]);
		strbuf_add(&text, "\n");
	}
	if (r == 0 && words.count == 0 && !lease)
		strbuf_add(&text, "nothing is left changed\n");
	int status = text.length > 0 ? cli_print(&text, CLI_OK) : CLI_OK;

	return r < 0 ? cli_fail(&err) : status;
}
