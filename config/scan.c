/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/scan.h"
#include "config/scan_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char closing(char open)
{
	return open == '{' ? '}' : open == '(' ? ')' : ']';
}

static bool in_list(const struct scan_frame *frame)
{
	return frame->open != '{';
}

static int open_frame(struct scan *scan, const struct token *token)
{
	char open = token->start[0];

	if (scan->depth == SCAN_DEPTH)
		return scan_say_too_much(scan, token, "levels of blocks and lists", SCAN_DEPTH);
	scan->frames[++scan->depth] = (struct scan_frame){
		.open = open,
		.line = token->line,
		.state = open == '{' ? SCAN_KEY : SCAN_FIRST_ITEM,
		.first_key = scan->key_count,
	};
	return 0;
}

static int close_frame(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	if (scan->depth == 0 || token->start[0] != closing(frame->open))
		return scan_say_mismatch(scan, token);
	scan->key_count = frame->first_key;
	scan->depth--;
	frame = scan_top(scan);
	frame->state = in_list(frame) ? SCAN_AFTER_ITEM : SCAN_AFTER;
	return 0;
}

static int remember_key(struct scan *scan, const struct token *token)
{
	size_t first = scan_top(scan)->first_key;

	for (size_t i = first; i < scan->key_count; i++)
		if (scan->keys[i].length == token->length &&
			memcmp(scan->keys[i].start, token->start, token->length) == 0)
			return scan_say_duplicate(scan, &scan->keys[i], token);
	if (scan->key_count - first == SCAN_KEYS)
		return scan_say_too_much(scan, token, "keys in one block", SCAN_KEYS);
	if (scan->key_count == scan->key_size) {
		size_t size = scan->key_size ? 2 * scan->key_size : 64;
		struct token *keys = realloc(scan->keys, size * sizeof(*keys));

		if (!keys)
			return err_set(scan->err, ENOMEM, "out of memory");
		scan->keys = keys;
		scan->key_size = size;
	}
	scan->keys[scan->key_count++] = *token;
	return 0;
}

static int on_key(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	switch (token->kind) {
	case TOKEN_NAME:
		frame->key = *token;
		frame->state = SCAN_EQUALS;
		return remember_key(scan, token);
	case TOKEN_CLOSE:
		return close_frame(scan, token);
	case TOKEN_END:
		return scan->depth == 0 ? 0 : scan_say_unclosed(scan);
	default:
		return scan_say_no_key(scan, token);
	}
}

static int on_equals(struct scan *scan, const struct token *token)
{
	if (token->kind != TOKEN_EQUALS)
		return scan_say_no_equals(scan, token);
	scan_top(scan)->state = SCAN_VALUE;
	return 0;
}

static bool is_scalar(const struct token *token)
{
	return token->kind == TOKEN_BOOL || token->kind == TOKEN_INTEGER ||
	       token->kind == TOKEN_FLOAT || token->kind == TOKEN_STRING;
}

static int on_value(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	if (token->kind == TOKEN_NAME)
		return scan_say_unquoted(scan, token);
	if (token->kind != TOKEN_OPEN && !is_scalar(token))
		return scan_say_no_value(scan, token);
	frame->value = *token;
	frame->state = SCAN_AFTER;
	return token->kind == TOKEN_OPEN ? open_frame(scan, token) : 0;
}

static int on_after(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	switch (token->kind) {
	case TOKEN_SEMICOLON:
		frame->key.length = frame->value.length = 0;
		frame->state = SCAN_KEY;
		return 0;
	case TOKEN_COMMA:
		frame->state = SCAN_KEY;
		return 0;
	case TOKEN_NAME:
	case TOKEN_CLOSE:
	case TOKEN_END:
		return on_key(scan, token);
	default:
		if (token->kind == TOKEN_STRING && scan->last.kind == TOKEN_STRING)
			return scan_say_joined(scan, token);
		return scan_say_no_semicolon(scan, token);
	}
}

/* libconfig's types: a number with L is another one than without. */
static bool same_kind(const struct token *a, const struct token *b)
{
	return a->kind == b->kind &&
	       (a->kind != TOKEN_INTEGER ||
		       !memchr(a->start, 'L', a->length) == !memchr(b->start, 'L', b->length));
}

static int on_array_item(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	if (frame->value.length == 0)
		frame->value = *token;
	if (same_kind(&frame->value, token))
		return 0;
	scan_fail(scan, token->line, "an array [ ] holds values of one kind");
	err_fix(scan->err, "write ( ) instead of [ ] on line %d", frame->line);
	return -EINVAL;
}

static int on_item(struct scan *scan, const struct token *token)
{
	struct scan_frame *frame = scan_top(scan);

	if (token->kind == TOKEN_OPEN && frame->open == '[') {
		scan_fail(scan, token->line, "[ ] holds only plain values, here comes a %c",
			token->start[0]);
		err_fix(scan->err, "write ( ) instead of [ ] on line %d", frame->line);
		return -EINVAL;
	}
	if (token->kind == TOKEN_CLOSE && frame->state == SCAN_FIRST_ITEM)
		return close_frame(scan, token);
	if (token->kind != TOKEN_OPEN && !is_scalar(token))
		return scan_say_no_item(scan, token);
	frame->state = SCAN_AFTER_ITEM;
	if (frame->open == '[')
		return on_array_item(scan, token);
	return token->kind == TOKEN_OPEN ? open_frame(scan, token) : 0;
}

static int on_after_item(struct scan *scan, const struct token *token)
{
	switch (token->kind) {
	case TOKEN_COMMA:
		scan_top(scan)->state = SCAN_ITEM;
		return 0;
	case TOKEN_CLOSE:
		return close_frame(scan, token);
	default:
		if (token->kind == TOKEN_STRING && scan->last.kind == TOKEN_STRING)
			return scan_say_joined(scan, token);
		return scan_say_no_comma(scan, token);
	}
}

typedef int step_fn(struct scan *scan, const struct token *token);

static step_fn *const steps[SCAN_STATES] = {
	[SCAN_KEY] = on_key,
	[SCAN_EQUALS] = on_equals,
	[SCAN_VALUE] = on_value,
	[SCAN_AFTER] = on_after,
	[SCAN_FIRST_ITEM] = on_item,
	[SCAN_ITEM] = on_item,
	[SCAN_AFTER_ITEM] = on_after_item,
};

int conf_scan(const struct conf_text *text, struct err *err)
{
	struct scan scan = { .text = text, .err = err };
	int r = conf_check_bytes(text, err);

	scan.tokens = tokens_of(text->bytes, text->length);
	scan.frames[0] = (struct scan_frame){ .open = '{', .line = 1, .state = SCAN_KEY };
	while (r == 0) {
		struct token token = token_next(&scan.tokens);

		r = token.kind >= TOKEN_BAD_WORD ? scan_say_bad(&scan, &token)
						 : steps[scan_top(&scan)->state](&scan, &token);
		if (token.kind == TOKEN_END)
			break;
		scan.last = token;
	}
	free(scan.keys);
	return r;
}
