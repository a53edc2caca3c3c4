/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "base/num.h"
#include "cli/text.h"
#include "config/nearest.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum option_id { OPTION_DIRECTORY, OPTION_LINES, OPTION_FLAG, OPTION_HELP, OPTION_VERSION };

static const struct option {
	const char *name;
	enum option_id id;
	size_t field;  /* OPTION_DIRECTORY: offset in struct cli */
	unsigned flag; /* OPTION_FLAG, OPTION_LINES */
} options[] = {
	{ "--run-dir", OPTION_DIRECTORY, offsetof(struct cli, api.run_dir), 0 },
	{ "--config-dir", OPTION_DIRECTORY, offsetof(struct cli, config_dir), 0 },
	{ "--root", OPTION_DIRECTORY, offsetof(struct cli, api.root), 0 },
	{ "--json", OPTION_FLAG, 0, CLI_JSON },
	{ "--force", OPTION_FLAG, 0, CLI_FORCE },
	{ "--host-shutdown", OPTION_FLAG, 0, CLI_HOST_SHUTDOWN },
	{ "--lease", OPTION_FLAG, 0, CLI_LEASE },
	{ "--lines", OPTION_LINES, 0, CLI_LINES },
	{ "-n", OPTION_LINES, 0, CLI_LINES },
	{ "--follow", OPTION_FLAG, 0, CLI_FOLLOW },
	{ "-f", OPTION_FLAG, 0, CLI_FOLLOW },
	{ "--help", OPTION_HELP, 0, 0 },
	{ "-h", OPTION_HELP, 0, 0 },
	{ "--version", OPTION_VERSION, 0, 0 },
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]), VERBS_MOST = 32 };

static int refuse(struct strbuf *complaint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct strbuf *complaint, const char *format, ...)
{
	struct strbuf words AUTO_STRBUF = { 0 };
	va_list args;

	va_start(args, format);
	strbuf_vaddf(&words, format, args);
	va_end(args);
	strbuf_add(complaint, "vfio-sup: ");
	text_add_clean(complaint, words.text ? words.text : "");
	strbuf_add(complaint, "\n");
	return -EINVAL;
}

/* Ends a complaint with what would work. */
static int hint(const struct cli *cli, struct strbuf *complaint)
{
	if (cli->verb)
		strbuf_addf(
			complaint, "  usage  vfio-sup %s %s\n", cli->verb->name, cli->verb->usage);
	else
		strbuf_add(complaint, "  try    vfio-sup help\n");
	return -EINVAL;
}

static int unknown(const struct cli *cli, const char *kind, const char *word,
	const char *const *names, size_t count, struct strbuf *complaint)
{
	const char *near = nearest_name(word, names, count);

	if (near)
		refuse(complaint, "unknown %s \"%s\"; did you mean %s?", kind, word, near);
	else
		refuse(complaint, "unknown %s \"%s\"", kind, word);
	return hint(cli, complaint);
}

static int take_verb(struct cli *cli, const char *word, struct strbuf *complaint)
{
	const char *names[VERBS_MOST];

	for (size_t i = 0; i < cli->verb_count && i < VERBS_MOST; i++) {
		names[i] = cli->verbs[i].name;
		if (strcmp(word, names[i]) == 0) {
			cli->verb = &cli->verbs[i];
			return 0;
		}
	}
	return unknown(cli, "verb", word, names, cli->verb_count, complaint);
}

static int take_word(struct cli *cli, const char *word, struct strbuf *complaint)
{
	if (!cli->verb)
		return take_verb(cli, word, complaint);
	if (cli->word_count == cli->verb->most) {
		refuse(complaint, "%s: \"%s\" is one word too many", cli->verb->name, word);
		return hint(cli, complaint);
	}
	cli->words[cli->word_count++] = word;
	return 0;
}

static const struct option *find_option(const char *word, size_t length)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == length &&
			strncmp(word, options[i].name, length) == 0)
			return &options[i];
	return NULL;
}

static int unknown_option(const struct cli *cli, const char *word, struct strbuf *complaint)
{
	const char *names[OPTIONS];

	for (size_t i = 0; i < OPTIONS; i++)
		names[i] = options[i].name;
	return unknown(cli, "option", word, names, OPTIONS, complaint);
}

static int take_directory(
	struct cli *cli, const struct option *option, const char *value, struct strbuf *complaint)
{
	if (!value || !value[0]) {
		refuse(complaint, "%s needs a directory", option->name);
		return hint(cli, complaint);
	}
	memcpy((char *)cli + option->field, &value, sizeof(value));
	return 0;
}

static int take_lines(
	struct cli *cli, const struct option *option, const char *value, struct strbuf *complaint)
{
	long lines;

	if (!value || num_parse_long(value, 0, 1000000, &lines) < 0) {
		refuse(complaint, "%s needs a number of lines", option->name);
		return hint(cli, complaint);
	}
	cli->lines = (size_t)lines;
	cli->flags |= option->flag;
	return 0;
}

/* `*at` is the option's place in argv, moved on where its value is the next word. */
static int take_option(struct cli *cli, char **argv, int *at, struct strbuf *complaint)
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *option = find_option(word, length);

	if (!option)
		return unknown_option(cli, word, complaint);
	if (option->id == OPTION_DIRECTORY || option->id == OPTION_LINES) {
		const char *value = equals ? equals + 1 : argv[*at + 1];

		*at += !equals && value;
		return option->id == OPTION_LINES ? take_lines(cli, option, value, complaint)
						  : take_directory(cli, option, value, complaint);
	}
	if (equals) {
		refuse(complaint, "%s takes no value", option->name);
		return hint(cli, complaint);
	}
	cli->flags |= option->flag;
	cli->help |= option->id == OPTION_HELP;
	cli->version |= option->id == OPTION_VERSION;
	return 0;
}

/* What can only be told once all was read: options stand before the verb too. */
static int check(const struct cli *cli, struct strbuf *complaint)
{
	unsigned foreign = cli->flags & ~(cli->verb ? cli->verb->flags : 0u);

	if (cli->help || cli->version)
		return 0;
	for (size_t i = 0; i < OPTIONS; i++) {
		if (!(options[i].flag & foreign))
			continue;
		refuse(complaint, "%s%s%s", cli->verb ? cli->verb->name : options[i].name,
			cli->verb ? " does not take " : " needs a verb",
			cli->verb ? options[i].name : "");
		return hint(cli, complaint);
	}
	if (cli->flags & CLI_HOST_SHUTDOWN) {
		if (cli->word_count == 0 && cli->flags == CLI_HOST_SHUTDOWN)
			return 0;
		refuse(complaint,
			"--host-shutdown means all VMs, and goes on to the end: it stands alone");
		return hint(cli, complaint);
	}
	if (cli->verb && cli->word_count < cli->verb->least) {
		refuse(complaint, "%s needs more than that", cli->verb->name);
		return hint(cli, complaint);
	}
	return 0;
}

int cli_parse(struct cli *cli, int argc, char **argv, struct strbuf *complaint)
{
	bool only_words = false;

	for (int i = 1; i < argc; i++) {
		int r;

		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if (!only_words && argv[i][0] == '-' && argv[i][1])
			r = take_option(cli, argv, &i, complaint);
		else
			r = take_word(cli, argv[i], complaint);
		if (r < 0)
			return r;
	}
	return check(cli, complaint);
}
