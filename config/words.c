/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/words.h"

#include <errno.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* All return the character behind what they read, or NULL for an unfinished one. */

static const char *add_single(const char *at, struct strbuf *word)
{
	const char *end = strchr(at + 1, '\'');

	if (!end)
		return NULL;
	strbuf_add_bytes(word, at + 1, (size_t)(end - at - 1));
	return end + 1;
}

static const char *add_double(const char *at, struct strbuf *word)
{
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1] && strchr("\\\"$`\n", at[1])) {
			at++;
			if (*at == '\n')
				continue;
		}
		strbuf_add_bytes(word, at, 1);
	}
	return *at ? at + 1 : NULL;
}

static const char *add_escaped(const char *at, struct strbuf *word)
{
	if (!at[1])
		return NULL;
	if (at[1] != '\n')
		strbuf_add_bytes(word, at + 1, 1);
	return at + 2;
}

static const char *add_part(const char *at, struct strbuf *word)
{
	switch (*at) {
	case '\'':
		return add_single(at, word);
	case '"':
		return add_double(at, word);
	case '\\':
		return add_escaped(at, word);
	default:
		strbuf_add_bytes(word, at, 1);
		return at + 1;
	}
}

static int fail(struct err *err, char c)
{
	if (c == '\\') {
		err_set(err, EINVAL, "a backslash at the end");
		err_fix(err, "remove it, or double it");
	} else {
		err_set(err, EINVAL, "the %s quote is not closed", c == '"' ? "double" : "single");
		err_fix(err, "close it, or put the words into a list: ( \"-rtc\", \"base=utc\" )");
	}
	return -EINVAL;
}

int words_split(const char *text, struct strlist *words, struct err *err)
{
	while (true) {
		struct strbuf word AUTO_STRBUF = { 0 };

		while (is_blank(*text))
			text++;
		if (!*text)
			return 0;
		while (*text && !is_blank(*text)) {
			const char *next = add_part(text, &word);

			if (!next)
				return fail(err, *text);
			text = next;
		}
		if (strlist_take(words, strbuf_take(&word)) < 0)
			return err_set(err, ENOMEM, "out of memory");
	}
}
