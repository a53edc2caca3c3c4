/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch_parts.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* -1: neither. The words that QEMU's command line takes. */
static int parse_bool(const char *text)
{
	static const char *const yes[] = { "on", "yes", "true", "y" };
	static const char *const no[] = { "off", "no", "false", "n" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(text, yes[i]) == 0)
			return 1;
		if (strcmp(text, no[i]) == 0)
			return 0;
	}
	return -1;
}

static int parse_number(const char *text, json_int_t *ret)
{
	bool minus = text[0] == '-';
	uint64_t value = 0;
	int r = num_parse_u64(text + minus, &value);

	if (r < 0)
		return r;
	if (value > INT64_MAX)
		return -ERANGE;
	*ret = minus ? -(json_int_t)value : (json_int_t)value;
	return 0;
}

/* QEMU's suffixes: powers of 1024, either case. */
static int parse_size(const char *text, json_int_t *ret)
{
	static const char suffixes[] = "bkmgtpe";
	char digits[32];
	size_t n = strspn(text, "0123456789");
	uint64_t value = 0;

	if (text[0] == '0' && tolower((unsigned char)text[1]) == 'x')
		return parse_number(text, ret);
	if (n == 0 || n >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	int r = num_parse_u64(digits, &value);
	if (r < 0)
		return r;
	if (text[n]) {
		const char *suffix = strchr(suffixes, tolower((unsigned char)text[n]));
		if (!suffix || text[n + 1])
			return -EINVAL;
		uint64_t factor = 1ull << (10 * (suffix - suffixes));
		if (__builtin_mul_overflow(value, factor, &value))
			return -ERANGE;
	}
	if (value > INT64_MAX)
		return -ERANGE;
	*ret = (json_int_t)value;
	return 0;
}

/* The value as a person would write it, for messages. */
static const char *shown(const json_t *value, char *text, size_t size)
{
	if (json_is_string(value))
		snprintf(text, size, "\"%.60s\"", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(text, size, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, size, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(text, size, "%s", json_is_true(value) ? "true" : "false");
	else
		snprintf(text, size, "%s", json_is_array(value) ? "a list" : "a group");
	return text;
}

/* One value to convert: where it stands, for messages. */
struct place {
	const struct launch *launch;
	int line;
	const char *what;
	const json_t *value;
};

static int refuse(const struct place *at, const char *wants, const char *fix)
{
	char text[80];

	launch_refuse(at->launch, at->line, "%s wants %s, not %s", at->what, wants,
		shown(at->value, text, sizeof(text)));
	err_fix(at->launch->err, "%s", fix);
	return -EINVAL;
}

static int give(json_t *value, json_t **ret)
{
	*ret = value;
	return value ? 0 : -ENOMEM;
}

static int to_bool(const struct place *at, json_t **ret)
{
	int on = json_is_boolean(at->value) ? json_is_true(at->value) : -1;

	if (json_is_string(at->value))
		on = parse_bool(json_string_value(at->value));
	if (on >= 0)
		return give(json_boolean(on), ret);
	return refuse(at, "true or false", "write true or false");
}

static int to_number(const struct place *at, bool size, json_t **ret)
{
	const char *text = json_string_value(at->value);
	json_int_t number = json_integer_value(at->value);
	int r = json_is_integer(at->value) ? 0 : -EINVAL;

	if (text)
		r = size ? parse_size(text, &number) : parse_number(text, &number);
	if (r == 0)
		return give(json_integer(number), ret);
	if (r == -ERANGE)
		return refuse(at, "a number below 2^63", "a larger one can only be given in args");
	if (size)
		return refuse(at, "a size", "write it as 67108864, \"64M\" or \"0x4000000\"");
	return refuse(at, "a number", "write it as 16 or \"0x10\"");
}

/* QEMU's enumerations have such members as on, off, 16 and 288: all are text to it. */
static int to_text(const struct place *at, json_t **ret)
{
	char text[32];

	if (json_is_string(at->value))
		return give(json_string(json_string_value(at->value)), ret);
	if (json_is_boolean(at->value))
		return give(json_string(json_is_true(at->value) ? "on" : "off"), ret);
	if (json_is_integer(at->value))
		return give(json_string(shown(at->value, text, sizeof(text))), ret);
	return refuse(at, "text", "write it in double quotes");
}

int launch_value(const struct launch *launch, int line, const char *what, enum prop_kind kind,
	const json_t *value, json_t **ret_value)
{
	struct place at = { launch, line, what, value };

	switch (kind) {
	case PROP_BOOL:
		return to_bool(&at, ret_value);
	case PROP_NUMBER:
	case PROP_SIZE:
		return to_number(&at, kind == PROP_SIZE, ret_value);
	case PROP_STRING:
		return to_text(&at, ret_value);
	case PROP_OTHER:
		break;
	}
	if (json_is_boolean(value))
		return to_text(&at, ret_value);
	return give(json_deep_copy(value), ret_value);
}
