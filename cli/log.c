/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/text.h"

#include <string.h>

/* Line by line: what a terminal might take for more than text is made harmless. */
static void add_lines(struct strbuf *text, char *words)
{
	char *rest = NULL;

	for (char *line = strtok_r(words, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		text_add_clean(text, line);
		strbuf_add(text, "\n");
	}
}

int cli_log(const struct cli *cli)
{
	struct strbuf name AUTO_STRBUF = { 0 }, words AUTO_STRBUF = { 0 }, text AUTO_STRBUF = { 0 };
	struct err err = { 0 };

	cli_vm_name(cli->words[0], &name);
	if (name.failed || !name.text)
		return cli_complain(&name, CLI_FAILED);
	if (api_log(name.text, &cli->api, &words, &err) < 0)
		return cli_fail(&err);
	if (words.text)
		add_lines(&text, words.text);
	return cli_print(&text, CLI_OK);
}
