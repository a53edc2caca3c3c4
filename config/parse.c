/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a file's text through libconfig to a table of keys: the same for every kind of file. */
#include "config/reader.h"
#include "config/scan.h"

#include <errno.h>

/* The scanner has words for all it knows: what libconfig still finds is rare. */
static int fail_syntax(const struct conf_text *text, const config_t *config, struct err *err)
{
	const char *words = config_error_text(config);
	int line = config_error_line(config);

	conf_fail(text, err, line > 0 ? line : 1, NULL, "%s", words ? words : "syntax error");
	conf_why_line(text, err, line > 0 ? line : 1);
	err_fix(err, "a setting is KEY = VALUE; text needs double quotes");
	return -EINVAL;
}

/* A comment on a last line that has no newline is a syntax error for libconfig 1.5. */
static bool read_string(config_t *config, const struct conf_text *text)
{
	struct strbuf bytes AUTO_STRBUF = { 0 };

	strbuf_add_bytes(&bytes, text->bytes, text->length);
	strbuf_add(&bytes, "\n");
	return !bytes.failed && config_read_string(config, bytes.text);
}

int conf_read_text(
	struct reader *reader, const struct key_table *keys, int (*check)(struct reader *reader))
{
	config_t config;
	int r = conf_scan(reader->text, reader->err);

	if (r < 0)
		return r;
	config_init(&config);
	if (!read_string(&config, reader->text)) {
		r = fail_syntax(reader->text, &config, reader->err);
	} else {
		reader->root = config_root_setting(&config);
		r = read_table(reader, keys, reader->root);
		if (r == 0 && check)
			r = check(reader);
	}
	config_destroy(&config);
	return r;
}
