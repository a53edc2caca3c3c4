/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/scan_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int say_bad_key(struct scan *scan, const struct token *token)
{
	char shown[SCAN_SHOWN];
	const char *dot = memchr(token->start, '.', token->length);

	scan_show(token, shown);
	scan_top(scan)->key.length = 0;
	if (token->start[0] == '_') {
		scan_fail(scan, token->line, "%s: a key cannot begin with _", shown);
		err_fix(scan->err,
			"keys begin with a letter; to leave a line out, begin it with #");
	} else if (dot && dot > token->start) {
		scan_fail(scan, token->line, "%s: a key cannot hold a dot", shown);
		err_fix(scan->err, "write %.*s = { %.*s = ...; };", (int)(dot - token->start),
			token->start, (int)(token->length - (size_t)(dot - token->start) - 1),
			dot + 1);
	} else {
		scan_fail(scan, token->line, "%s cannot be a key", shown);
		err_fix(scan->err, "keys are letters, digits, - and _, and begin with a letter");
	}
	return -EINVAL;
}

static int say_bad_word(struct scan *scan, const struct token *token)
{
	enum scan_state state = scan_top(scan)->state;

	if (state == SCAN_KEY || state == SCAN_AFTER) {
		if (scan->last.kind == TOKEN_COMMA && strchr("0123456789", token->start[0]))
			return scan_say_word_for_key(scan, token);
		return say_bad_key(scan, token);
	}
	if (state == SCAN_EQUALS)
		return scan_say_no_equals(scan, token);
	if (state == SCAN_AFTER_ITEM)
		return scan_say_no_comma(scan, token);
	return scan_say_unquoted(scan, token);
}

static void fix_integer(struct scan *scan, const struct token *token, const char *shown)
{
	if (token->start[0] == '0')
		err_fix(scan->err, "write it in decimal, %lldL, or as text: \"%.*s\"",
			strtoll(token->start, NULL, 16), (int)strcspn(shown, "L"), shown);
	else
		err_fix(scan->err, "write %sL, or as text: \"%s\"", shown, shown);
}

static int say_bad_number(struct scan *scan, const struct token *token)
{
	char shown[SCAN_SHOWN];

	scan_show(token, shown);
	if (token->kind == TOKEN_BAD_LEADING_ZERO) {
		size_t zeros = strspn(token->start, "+-0");
		bool all = zeros >= token->length;

		scan_fail(scan, token->line, "%s: a number must not begin with 0", shown);
		err_why(scan->err,
			"some versions of libconfig read it as octal, others as decimal");
		err_fix(scan->err, "write %s, or \"%s\" if it is a text", all ? "0" : shown + zeros,
			shown);
	} else if (token->kind == TOKEN_BAD_INTEGER64) {
		scan_fail(scan, token->line, "%s does not fit into 64 bits", shown);
		shown[strcspn(shown, "L")] = '\0';
		err_fix(scan->err, "write it as text: \"%s\"", shown);
	} else {
		scan_fail(scan, token->line, "%s does not fit into 32 bits", shown);
		fix_integer(scan, token, shown);
	}
	return -EINVAL;
}

static int say_bad_string(struct scan *scan, const struct token *token)
{
	scan_fail(scan, token->line, "the text that begins here is not closed on its line");
	err_fix(scan->err, "end it with \"; a line break inside a text is written \\n");
	return -EINVAL;
}

static int say_bad_escape(struct scan *scan, const struct token *token)
{
	char shown[SCAN_SHOWN];

	scan_fail(scan, token->line, "%s in a text", scan_show(token, shown));
	err_fix(scan->err, "a backslash is written \\\\; known are \\\\ \\\" \\n \\r \\t \\f and "
			   "\\x01 to \\x7f");
	return -EINVAL;
}

static int say_bad_quote(struct scan *scan, const struct token *token)
{
	char shown[SCAN_SHOWN];

	scan_fail(scan, token->line, "text needs double quotes, not %s", scan_show(token, shown));
	err_fix(scan->err, "write \"...\"");
	return -EINVAL;
}

static int say_bad_character(struct scan *scan, const struct token *token)
{
	const unsigned char *at = (const unsigned char *)token->start;
	char shown[SCAN_SHOWN];

	scan_show(token, shown);
	if (at[0] == 0xc2 && at[1] == 0xa0)
		scan_fail(scan, token->line, "a no-break space (U+00A0)");
	else if (at[0] < 0x20 || at[0] == 0x7f)
		scan_fail(scan, token->line, "the control character 0x%02x", at[0]);
	else
		scan_fail(scan, token->line, "unexpected %s", shown);
	if (at[0] < 0x20)
		err_fix(scan->err, "remove it; inside a text it is written \\x%02x", at[0]);
	else
		err_fix(scan->err, "remove it, or put the text into double quotes");
	return -EINVAL;
}

int scan_say_bad(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	/* Behind a whole setting it is no longer about that key. */
	if (token->kind != TOKEN_BAD_WORD && token->kind != TOKEN_BAD_QUOTE &&
		(frame->state == SCAN_KEY || frame->state == SCAN_AFTER))
		frame->key.length = 0;
	switch (token->kind) {
	case TOKEN_BAD_WORD:
		return say_bad_word(scan, token);
	case TOKEN_BAD_INTEGER:
	case TOKEN_BAD_INTEGER64:
	case TOKEN_BAD_LEADING_ZERO:
		return say_bad_number(scan, token);
	case TOKEN_BAD_STRING:
		return say_bad_string(scan, token);
	case TOKEN_BAD_ESCAPE:
		return say_bad_escape(scan, token);
	case TOKEN_BAD_QUOTE:
		return say_bad_quote(scan, token);
	case TOKEN_BAD_COMMENT:
		scan_fail(scan, token->line, "the comment that begins here is never closed");
		err_fix(scan->err, "end it with */, or begin the line with # instead");
		return -EINVAL;
	case TOKEN_BAD_INCLUDE:
		scan_fail(scan, token->line, "@include is not allowed");
		err_fix(scan->err, "write the settings here: a VM is described by one file");
		return -EINVAL;
	default:
		return say_bad_character(scan, token);
	}
}
