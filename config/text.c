/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SHOWN = 200 };

int conf_vfail(const struct conf_text *text, struct err *err, int line, const char *key,
	const char *format, va_list args)
{
	char words[320];
	size_t length = strlen(text->path);
	bool cut = length > PATH_SHOWN;

	vsnprintf(words, sizeof(words), format, args);
	return err_set(err, EINVAL, "%s%s:%d: %s%s%s", cut ? "..." : "",
		cut ? text->path + length - PATH_SHOWN : text->path, line, key ? key : "",
		key ? ": " : "", words);
}

int conf_fail(const struct conf_text *text, struct err *err, int line, const char *key,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int r = conf_vfail(text, err, line, key, format, args);
	va_end(args);
	return r;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

char *conf_copy_shown(const char *start, size_t length, char *shown, size_t size)
{
	bool cut = false;

	while (length > 0 && is_blank(start[0])) {
		start++;
		length--;
	}
	while (length > 0 && is_blank(start[length - 1]))
		length--;
	if (length > size - 1) {
		cut = true;
		length = size - 4;
		while (length > 0 && is_continuation(start[length]))
			length--;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)start[i];

		shown[i] = c == '\t' ? ' ' : c < 0x20 || c == 0x7f ? '?' : start[i];
	}
	snprintf(shown + length, size - length, "%s", cut ? "..." : "");
	return shown;
}

void conf_why_line(const struct conf_text *text, struct err *err, int line)
{
	const char *end = text->bytes + text->length, *start = text->bytes;
	char shown[CONF_LINE_SIZE];

	for (int i = 1; i < line; i++) {
		const char *newline = memchr(start, '\n', (size_t)(end - start));

		if (!newline)
			return;
		start = newline + 1;
	}
	const char *newline = memchr(start, '\n', (size_t)(end - start));
	conf_copy_shown(start, (size_t)((newline ? newline : end) - start), shown, sizeof(shown));
	err_why(err, "line %d reads: %s", line, shown);
}

/* Length of the UTF-8 sequence at `at`, 0 if it is none (RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF). */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	static const unsigned char least[] = { 0, 0, 0xa0, 0x90 }, most[] = { 0, 0, 0x9f, 0x8f };
	unsigned char c = at[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!is_continuation((char)at[i]))
			return 0;
	if ((c == 0xe0 && at[1] < least[2]) || (c == 0xf0 && at[1] < least[3]) ||
		(c == 0xed && at[1] > most[2]) || (c == 0xf4 && at[1] > most[3]))
		return 0;
	return n;
}

static int refuse_nul(const struct conf_text *text, struct err *err, int line)
{
	conf_fail(text, err, line, NULL, "a NUL byte");
	err_why(err, "everything behind it would be lost in silence; this may not be a text file");
	err_fix(err, "remove it, for example: tr -d '\\000' < FILE > FILE.new");
	return -EINVAL;
}

static int refuse_encoding(const struct conf_text *text, struct err *err, int line, unsigned byte)
{
	conf_fail(text, err, line, NULL, "the byte 0x%02x is not UTF-8", byte);
	conf_why_line(text, err, line);
	err_fix(err, "save the file as UTF-8, for example: iconv -f latin1 -t utf-8");
	return -EINVAL;
}

static int refuse_return(const struct conf_text *text, struct err *err, int line)
{
	conf_fail(text, err, line, NULL, "a carriage return that does not end a line");
	err_fix(err, "end lines with a newline, for example: tr '\\r' '\\n' < FILE > FILE.new");
	return -EINVAL;
}

int conf_check_bytes(const struct conf_text *text, struct err *err)
{
	const unsigned char *bytes = (const unsigned char *)text->bytes;
	int line = 1;

	if (text->length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		conf_fail(text, err, 1, NULL, "the file begins with a byte order mark");
		err_fix(err, "save it as UTF-8 without one: sed -i '1s/^\\xef\\xbb\\xbf//' FILE");
		return -EINVAL;
	}
	for (size_t at = 0; at < text->length;) {
		size_t n = utf8_length(bytes + at, text->length - at);

		if (n == 0)
			return refuse_encoding(text, err, line, bytes[at]);
		if (bytes[at] == '\0')
			return refuse_nul(text, err, line);
		if (bytes[at] == '\r' && (at + 1 == text->length || bytes[at + 1] != '\n'))
			return refuse_return(text, err, line);
		if (bytes[at] == '\n')
			line++;
		at += n;
	}
	return 0;
}
