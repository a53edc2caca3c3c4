/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/scan_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *scan_key_path(const struct scan *scan, char *path)
{
	size_t at = 0;

	path[0] = '\0';
	for (int i = 0; i <= scan->depth; i++) {
		const struct token *key = &scan->frames[i].key;

		if (key->length == 0 || at + key->length + 2 > SCAN_KEY_PATH)
			continue;
		at += (size_t)snprintf(path + at, SCAN_KEY_PATH - at, "%s%.*s", at ? "." : "",
			(int)key->length, key->start);
	}
	return at ? path : NULL;
}

int scan_fail(struct scan *scan, int line, const char *format, ...)
{
	char path[SCAN_KEY_PATH];
	va_list args;

	va_start(args, format);
	conf_vfail(scan->text, scan->err, line, scan_key_path(scan, path), format, args);
	va_end(args);
	conf_why_line(scan->text, scan->err, line);
	return -EINVAL;
}

const char *scan_show(const struct token *token, char *shown)
{
	return conf_copy_shown(token->start, token->length, shown, SCAN_SHOWN);
}

static const char *what_is_open(const struct scan_frame *frame)
{
	return frame->open == '{' ? "block" : frame->open == '(' ? "list" : "array";
}

static char closing_of(const struct scan_frame *frame)
{
	return frame->open == '{' ? '}' : frame->open == '(' ? ')' : ']';
}

/* From `start` to where the value was meant to end: the end of the line, `;`, a comment, or, in a
 * list, what ends an item. */
static const char *rest_of_value(const struct scan *scan, const char *start, char *shown)
{
	const struct scan_frame *frame = &scan->frames[scan->depth];
	const char *stop = frame->open == '{' ? "\n;#}" : "\n;#,)]}";
	size_t length = strcspn(start, stop);

	while (length > 0 && strchr(" \t\r,", start[length - 1]))
		length--;
	return conf_copy_shown(start, length, shown, SCAN_SHOWN);
}

static void fix_by_quotes(struct scan *scan, const char *start)
{
	const struct scan_frame *frame = scan_top(scan);
	char shown[SCAN_SHOWN];

	rest_of_value(scan, start, shown);
	if (strpbrk(shown, "\"\\"))
		err_fix(scan->err,
			"put the text into double quotes; \" and \\ in it become \\\" and \\\\");
	else if (frame->open == '{' && frame->key.length > 0)
		err_fix(scan->err, "%.*s = \"%s\";", (int)frame->key.length, frame->key.start,
			shown);
	else
		err_fix(scan->err, "write \"%s\"", shown);
}

int scan_say_unquoted(struct scan *scan, const struct token *token)
{
	char shown[SCAN_SHOWN];

	scan_show(token, shown);
	scan_fail(scan, token->line, "%s: text needs double quotes", shown);
	fix_by_quotes(scan, token->start);
	const struct scan_frame *frame = scan_top(scan);
	if (frame->open == '{' && frame->key.length > 0 && token->length <= 3 &&
		(token_is(token, "yes") || token_is(token, "on") || token_is(token, "no") ||
			token_is(token, "off")))
		err_fix(scan->err, "%.*s = %s; or, where a text is meant, \"%s\"",
			(int)frame->key.length, frame->key.start,
			token->start[0] == 'y' || token_is(token, "on") ? "true" : "false", shown);
	return -EINVAL;
}

/* The number or word in a block where a key should be: most often the tail of an unquoted text with
 * a comma in it ("vcpu = 2,3;"). */
int scan_say_word_for_key(struct scan *scan, const struct token *token)
{
	const struct scan_frame *frame = scan_top(scan);
	char shown[SCAN_SHOWN];

	if (scan->last.kind != TOKEN_COMMA || frame->value.length == 0 ||
		frame->value.kind == TOKEN_OPEN || frame->value.kind == TOKEN_STRING) {
		scan_fail(scan, token->line, "%s stands where a key should be",
			scan_show(token, shown));
		err_fix(scan->err, "a setting is KEY = VALUE;");
		return -EINVAL;
	}
	scan_fail(scan, frame->value.line, "text needs double quotes (a comma ends the value)");
	fix_by_quotes(scan, frame->value.start);
	return -EINVAL;
}

int scan_say_joined(struct scan *scan, const struct token *token)
{
	char first[SCAN_SHOWN], second[SCAN_SHOWN];
	bool block = scan_top(scan)->open == '{';

	scan_show(&scan->last, first);
	scan_show(token, second);
	scan_fail(
		scan, token->line, "two texts without a %s between them", block ? "`;`" : "comma");
	if (block)
		err_fix(scan->err, "join them into one text, or write ( %s, %s )", first, second);
	else
		err_fix(scan->err, "%s, %s", first, second);
	return -EINVAL;
}

int scan_say_unclosed(struct scan *scan)
{
	struct scan_frame frame = *scan_top(scan);

	frame.key.length = 0;
	scan->depth--;
	scan_fail(scan, frame.line, "the %s opened at line %d is never closed",
		what_is_open(&frame), frame.line);
	err_fix(scan->err, "add the missing %c%s", closing_of(&frame),
		scan_top(scan)->open == '{' ? ";" : "");
	return -EINVAL;
}

int scan_say_mismatch(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	if (scan->depth == 0) {
		frame->key.length = 0;
		scan_fail(scan, token->line, "%c closes nothing", token->start[0]);
		err_fix(scan->err, "remove it, or look for one too many above");
		return -EINVAL;
	}
	frame->key.length = 0;
	scan_fail(scan, token->line, "%c comes while the %s opened at line %d is still open",
		token->start[0], what_is_open(frame), frame->line);
	err_fix(scan->err, "put the missing %c before it", closing_of(frame));
	return -EINVAL;
}

int scan_say_duplicate(struct scan *scan, const struct token *first, const struct token *token)
{
	scan_fail(scan, token->line, "given twice, first on line %d", first->line);
	err_fix(scan->err, "keep one of the two");
	return -EINVAL;
}

int scan_say_too_much(struct scan *scan, const struct token *token, const char *what, int limit)
{
	scan_fail(scan, token->line, "more than %d %s", limit, what);
	err_fix(scan->err, "look for a brace or a parenthesis too many or too few above");
	return -EINVAL;
}

static int say_text_for_key(struct scan *scan, const struct token *token)
{
	const struct scan_frame *frame = scan_top(scan);
	struct token after = token_next(
		&(struct tokens){ scan->tokens.at, scan->tokens.end, scan->tokens.line });
	char shown[SCAN_SHOWN];

	scan_show(token, shown);
	if (after.kind == TOKEN_EQUALS || frame->value.kind != TOKEN_STRING) {
		scan_fail(scan, token->line, "%s: a key is written without quotes", shown);
		err_fix(scan->err, "%.*s = ...;", (int)token->length - 2, token->start + 1);
	} else {
		scan_fail(scan, token->line, "%s stands where a key should be", shown);
		err_fix(scan->err, "several texts need ( ): %.*s = ( %.*s, %s );",
			(int)frame->key.length, frame->key.start,
			frame->value.length < SCAN_SHOWN ? (int)frame->value.length : SCAN_SHOWN,
			frame->value.start, shown);
	}
	return -EINVAL;
}

int scan_say_no_key(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);
	char shown[SCAN_SHOWN];

	if (token->kind == TOKEN_STRING)
		return say_text_for_key(scan, token);
	if (token->kind == TOKEN_INTEGER || token->kind == TOKEN_FLOAT || token->kind == TOKEN_BOOL)
		return scan_say_word_for_key(scan, token);
	bool in_list = scan->depth > 0 && scan->frames[scan->depth - 1].open == '(';
	if (token->kind == TOKEN_COMMA && in_list) {
		frame->key.length = 0;
		scan_fail(scan, token->line,
			"a comma while the block opened at line %d is still open", frame->line);
		err_fix(scan->err, "put the missing } before it");
	} else if (token->kind == TOKEN_OPEN) {
		scan_fail(scan, token->line, "a %c without a key before it", token->start[0]);
		if (scan->depth == 0 && scan->last.length == 0)
			err_fix(scan->err, "the file needs no braces around it");
		else
			err_fix(scan->err, "write KEY = %c", token->start[0]);
	} else {
		scan_fail(scan, token->line, "a %s without a setting before it",
			scan_show(token, shown));
		err_fix(scan->err, "remove it; a setting is KEY = VALUE;");
	}
	return -EINVAL;
}

int scan_say_no_equals(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);
	char shown[SCAN_SHOWN];

	scan_fail(scan, frame->key.line, "= is missing after the key");
	if (token->kind == TOKEN_OPEN || token->kind == TOKEN_STRING ||
		token->kind == TOKEN_INTEGER || token->kind == TOKEN_FLOAT ||
		token->kind == TOKEN_BOOL)
		err_fix(scan->err, "%.*s = %s", (int)frame->key.length, frame->key.start,
			scan_show(token, shown));
	else
		err_fix(scan->err, "a setting is KEY = VALUE; if this is the rest of a text, put "
				   "the whole text into double quotes");
	return -EINVAL;
}

int scan_say_no_value(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	if (token->kind == TOKEN_EQUALS) {
		scan_fail(scan, token->line, "a second = or : after the key");
		err_fix(scan->err, "a setting is KEY = VALUE;");
		return -EINVAL;
	}
	scan_fail(scan, frame->key.line, "no value after the =");
	err_fix(scan->err, "give one, or remove the line: what is not said has its default");
	return -EINVAL;
}

int scan_say_no_semicolon(struct scan *scan, const struct token *token)
{
	const struct scan_frame *frame = scan_top(scan);
	char shown[SCAN_SHOWN];

	scan_show(token, shown);
	if (frame->value.kind != TOKEN_OPEN && frame->value.kind != TOKEN_STRING &&
		token->kind != TOKEN_OPEN && frame->value.line == token->line) {
		scan_fail(scan, token->line, "text needs double quotes");
		fix_by_quotes(scan, frame->value.start);
		return -EINVAL;
	}
	scan_fail(scan, token->line, "%s behind the value", shown);
	if (token->kind == TOKEN_OPEN && frame->value.kind == TOKEN_OPEN)
		err_fix(scan->err, "several blocks need a list: %.*s = ( { ... }, { ... } );",
			(int)frame->key.length, frame->key.start);
	else
		err_fix(scan->err, "end the setting before it with ;");
	return -EINVAL;
}

int scan_say_no_item(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);
	struct token after = token_next(
		&(struct tokens){ scan->tokens.at, scan->tokens.end, scan->tokens.line });

	if (token->kind == TOKEN_END)
		return scan_say_unclosed(scan);
	if (token->kind == TOKEN_NAME && after.kind == TOKEN_EQUALS) {
		scan_fail(scan, token->line, "a setting in %c %c needs braces around it",
			frame->open, closing_of(frame));
		err_fix(scan->err, "write ( { %.*s = ...; } )", (int)token->length, token->start);
		return -EINVAL;
	}
	if (token->kind == TOKEN_NAME)
		return scan_say_unquoted(scan, token);
	if (token->kind == TOKEN_CLOSE && token->start[0] == closing_of(frame)) {
		scan_fail(scan, scan->last.line, "a comma before the closing %c", token->start[0]);
		conf_why_line(scan->text, scan->err, scan->last.line);
		err_fix(scan->err, "remove the comma: libconfig 1.5 (Debian 12) does not know "
				   "trailing commas");
		return -EINVAL;
	}
	if (token->kind == TOKEN_CLOSE)
		return scan_say_mismatch(scan, token);
	if (token->kind == TOKEN_COMMA) {
		scan_fail(scan, token->line, "a comma without a value before it");
		err_fix(scan->err, "remove it, or put the value there");
		return -EINVAL;
	}
	return scan_say_no_comma(scan, token);
}

int scan_say_no_comma(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);
	char shown[SCAN_SHOWN];

	if (token->kind == TOKEN_END)
		return scan_say_unclosed(scan);
	scan_show(token, shown);
	if (token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_EQUALS) {
		scan_fail(scan, token->line, "%s while the %s opened at line %d is still open",
			shown, what_is_open(frame), frame->line);
		err_fix(scan->err,
			token->kind == TOKEN_SEMICOLON
				? "put the missing %c before it, or a comma instead"
				: "settings in a list need braces: ( { KEY = VALUE; } %c",
			closing_of(frame));
		return -EINVAL;
	}
	struct token after = token_next(
		&(struct tokens){ scan->tokens.at, scan->tokens.end, scan->tokens.line });
	if (token->kind == TOKEN_NAME && after.kind == TOKEN_EQUALS) {
		scan_fail(scan, token->line, "the %s opened at line %d is not closed before %s",
			what_is_open(frame), frame->line, shown);
		err_fix(scan->err, "put the missing %c; before it", closing_of(frame));
		return -EINVAL;
	}
	scan_fail(scan, token->line, "no comma before %s", shown);
	err_fix(scan->err, "values of a list are separated by commas");
	return -EINVAL;
}
