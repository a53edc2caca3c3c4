/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch.h"

#include <string.h>

static bool is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_=+,./:@%";

	return word[0] && word[strspn(word, plain)] == '\0';
}

static bool has_control(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			return true;
	return false;
}

/* $'...': the only form that keeps a newline on one line. */
static void add_ansi_quoted(struct strbuf *text, const char *word)
{
	strbuf_add(text, "$'");
	for (; *word; word++) {
		unsigned char byte = (unsigned char)*word;
		if (byte < ' ' || byte == 0x7f)
			strbuf_addf(text, "\\%03o", byte);
		else if (byte == '\'' || byte == '\\')
			strbuf_addf(text, "\\%c", byte);
		else
			strbuf_add_bytes(text, word, 1);
	}
	strbuf_add(text, "'");
}

static void add_quoted(struct strbuf *text, const char *word)
{
	if (is_plain(word)) {
		strbuf_add(text, word);
		return;
	}
	if (has_control(word)) {
		add_ansi_quoted(text, word);
		return;
	}
	strbuf_add(text, "'");
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_add(text, "'\\''");
		else
			strbuf_add_bytes(text, word, 1);
	}
	strbuf_add(text, "'");
}

void launch_format(const struct strlist *argv, struct strbuf *text)
{
	for (size_t i = 0; i < argv->count; i++) {
		if (i > 0)
			strbuf_add(text, argv->items[i][0] == '-' ? " \\\n  " : " ");
		add_quoted(text, argv->items[i]);
	}
	strbuf_add(text, "\n");
}
