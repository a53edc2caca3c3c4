/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/text.h"

#include <string.h>

static const char global_options[] =
	"Options, before or after the verb:\n"
	"  --run-dir DIR     where the supervisor keeps its state and its socket (/run/vfio-sup)\n"
	"  --config-dir DIR  where vms/NAME.conf is (/etc/vfio-sup)\n"
	"  --root DIR        read the host from a copied /proc and /sys\n"
	"  --version, --help\n";

static const char exit_statuses[] =
	"Exit status: 0 well, 1 the job failed, 2 wrong usage, 3 not running, 4 no such VM,\n"
	"5 another supervisor holds the lock, 6 no supervisor answers.\n";

void cli_usage(const struct cli *cli, struct strbuf *text)
{
	struct text_table table = { .columns = 2 };
	struct strbuf cell = { 0 };

	strbuf_add(text,
		"vfio-sup keeps QEMU virtual machines running well: it starts them, places "
		"their\nthreads, watches that they stay there, and says what is odd.\n\n");
	for (size_t i = 0; i < cli->verb_count; i++) {
		const struct cli_verb *verb = &cli->verbs[i];

		strbuf_addf(&cell, "  vfio-sup %s%s%s", verb->name, verb->usage[0] ? " " : "",
			verb->usage);
		text_table_take(&table, &cell);
		text_table_add(&table, verb->summary);
	}
	text_table_write(&table, text);
	text_table_free(&table);
	strbuf_addf(text, "\n%s\n%s", global_options, exit_statuses);
}

void cli_verb_usage(const struct cli_verb *verb, struct strbuf *text)
{
	strbuf_addf(text, "vfio-sup %s%s%s\n  %s\n\n%s\n%s", verb->name, verb->usage[0] ? " " : "",
		verb->usage, verb->summary, verb->help, global_options);
}

int cli_help(const struct cli *cli)
{
	struct strbuf text AUTO_STRBUF = { 0 };

	if (cli->word_count == 0) {
		cli_usage(cli, &text);
		return cli_print(&text, CLI_OK);
	}
	for (size_t i = 0; i < cli->verb_count; i++) {
		if (strcmp(cli->verbs[i].name, cli->words[0]) != 0)
			continue;
		cli_verb_usage(&cli->verbs[i], &text);
		return cli_print(&text, CLI_OK);
	}
	strbuf_add(&text, "vfio-sup: there is no verb \"");
	text_add_clean(&text, cli->words[0]);
	strbuf_add(&text, "\"\n  try    vfio-sup help\n");
	return cli_complain(&text, CLI_USAGE);
}
