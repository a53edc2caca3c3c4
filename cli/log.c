/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/text.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define AGAIN_MS 300

/* Where the last `count` lines begin. */
static char *last_lines(char *words, size_t count)
{
	char *at = words + strlen(words);

	if (at > words && at[-1] == '\n')
		at--;
	if (count == 0)
		return words + strlen(words);
	while (at > words && !(at[-1] == '\n' && --count == 0))
		at--;
	return at;
}

/* Line by line: what a terminal might take for more than text is made harmless. */
static void add_lines(struct strbuf *text, char *words)
{
	char *rest = NULL;

	for (char *line = strtok_r(words, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		text_add_clean(text, line);
		strbuf_add(text, "\n");
	}
}

static int show(struct strbuf *words, const struct cli *cli, bool first)
{
	struct strbuf text AUTO_STRBUF = { 0 };

	if (!words->text)
		return CLI_OK;
	add_lines(&text, first && (cli->flags & CLI_LINES) ? last_lines(words->text, cli->lines)
							   : words->text);
	strbuf_free(words);
	return text.text ? cli_print(&text, CLI_OK) : CLI_OK;
}

static int follow(struct api_log *log, const struct cli *cli)
{
	const struct timespec pause = { .tv_nsec = AGAIN_MS * 1000000L };
	struct strbuf words AUTO_STRBUF = { 0 };
	int status = CLI_OK;

	while (status == CLI_OK) {
		nanosleep(&pause, NULL);
		if (api_log_read(log, &words) < 0)
			return CLI_FAILED;
		status = show(&words, cli, false);
	}
	return status;
}

static int show_log(struct api_log *log, const struct cli *cli)
{
	struct strbuf words AUTO_STRBUF = { 0 };
	struct err err = { 0 };
	int r = api_log_read(log, &words);

	if (r < 0) {
		err_set(&err, -r, "the log cannot be read: %s", strerror(-r));
		return cli_fail(&err);
	}
	if (!(cli->flags & CLI_FOLLOW))
		api_log_unheard(log, &words);
	int status = show(&words, cli, true);
	return status == CLI_OK && (cli->flags & CLI_FOLLOW) ? follow(log, cli) : status;
}

int cli_log(const struct cli *cli)
{
	struct strbuf name AUTO_STRBUF = { 0 };
	struct api_log *log = NULL;
	struct err err = { 0 };

	cli_vm_name(cli->words[0], &name);
	if (name.failed || !name.text)
		return cli_complain(&name, CLI_FAILED);
	if (api_log_open(name.text, &cli->api, &log, &err) < 0)
		return cli_fail(&err);
	int status = show_log(log, cli);
	api_log_close(log);
	return status;
}
