/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/text.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_print(struct strbuf *text, int status)
{
	if (text->failed)
		fputs("vfio-sup: out of memory\n", stderr);
	bool written = !text->failed &&
		       fwrite(text->text, 1, text->length, stdout) == text->length &&
		       fflush(stdout) == 0;

	if (!written && !text->failed)
		fprintf(stderr, "vfio-sup: standard output: %s\n", strerror(errno));
	strbuf_free(text);
	return written ? status : CLI_FAILED;
}

int cli_complain(struct strbuf *text, int status)
{
	const char *words = text->failed || !text->text ? "vfio-sup: out of memory\n" : text->text;
	bool journal = log_is_journal();

	fflush(stdout);
	while (*words) {
		size_t length = strcspn(words, "\n") + 1;

		if (journal)
			fprintf(stderr, "<%d>", LOG_LEVEL_ERR);
		fprintf(stderr, "%.*s\n", (int)length - 1, words);
		words += words[length - 1] ? length : length - 1;
	}
	strbuf_free(text);
	return status;
}

int cli_exit_of(int code)
{
	switch (code) {
	case EWOULDBLOCK:
		return CLI_LOCKED;
	case ECONNREFUSED:
	case ENOTCONN:
		return CLI_NO_SUPERVISOR;
	case ENOENT:
		return CLI_NO_VM;
	default:
		return CLI_FAILED;
	}
}

int cli_fail(const struct err *err)
{
	struct strbuf text AUTO_STRBUF = { 0 };

	text_add_err(&text, "vfio-sup", err, NULL);
	if ((err->code == ECONNREFUSED || err->code == ENOTCONN) && !err->fix[0])
		text_add_line(&text, "fix", "start a VM: vfio-sup run FILE");
	return cli_complain(&text, cli_exit_of(err->code));
}

static bool is_path(const char *word)
{
	size_t length = strlen(word);

	return strchr(word, '/') || (length > 5 && strcmp(word + length - 5, ".conf") == 0);
}

void cli_vm_name(const char *word, struct strbuf *name)
{
	const char *slash = strrchr(word, '/');
	const char *base = slash ? slash + 1 : word;
	size_t length = strlen(base);

	if (length > 5 && strcmp(base + length - 5, ".conf") == 0)
		length -= 5;
	strbuf_add_bytes(name, base, length);
}

void cli_vm_file(const struct cli *cli, const char *word, struct strbuf *path)
{
	if (!is_path(word)) {
		strbuf_addf(path, "%s/vms/%s.conf", cli->config_dir, word);
		if (path->failed || access(path->text, F_OK) == 0)
			return;
		strbuf_free(path);
	}
	strbuf_add(path, word);
}

static int asked_for_words(const struct cli *cli)
{
	struct strbuf text AUTO_STRBUF = { 0 };

	if (cli->version)
		strbuf_add(&text, "vfio-sup " VERSION "\n");
	else if (cli->verb)
		cli_verb_usage(cli->verb, &text);
	else
		cli_usage(cli, &text);
	return cli_print(&text, CLI_OK);
}

int cli_main(const struct cli_verb *verbs, size_t count, int argc, char **argv)
{
	struct cli cli = {
		.verbs = verbs,
		.verb_count = count,
		.api = { .root = "/" },
		.config_dir = "/etc/vfio-sup",
	};
	struct strbuf complaint AUTO_STRBUF = { 0 };

	if (cli_parse(&cli, argc, argv, &complaint) < 0)
		return cli_complain(&complaint, CLI_USAGE);
	if (cli.help || cli.version)
		return asked_for_words(&cli);
	return cli.verb ? cli.verb->run(&cli) : cli_status(&cli);
}
