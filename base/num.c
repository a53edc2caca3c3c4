/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/num.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

int num_parse_long(const char *text, long min, long max, long *ret_value)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *end;

	if (!isdigit((unsigned char)digits[0]))
		return -EINVAL;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE || value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int num_parse_u64(const char *text, uint64_t *ret_value)
{
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	const char *digits = base == 16 ? text + 2 : text;
	char *end;

	if (!isxdigit((unsigned char)digits[0]) ||
		(base == 10 && !isdigit((unsigned char)digits[0])))
		return -EINVAL;
	errno = 0;
	unsigned long long value = strtoull(digits, &end, base);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

struct unit {
	const char *suffix;
	uint64_t factor;
};

static int parse_with_unit(
	const char *text, const struct unit *units, size_t count, uint64_t *ret_value)
{
	char digits[24];
	size_t n = strspn(text, "0123456789");
	uint64_t value;

	if (n == 0)
		return -EINVAL;
	if (n >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, n);
	digits[n] = '\0';
	int r = num_parse_u64(digits, &value);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(text + n, units[i].suffix) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].factor, &value))
			return -ERANGE;
		*ret_value = value;
		return 0;
	}
	return -EINVAL;
}

static const struct unit sizes[] = {
	{ "", 1 },
	{ "K", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "G", 1ull << 30 },
	{ "T", 1ull << 40 },
};

static const struct unit durations[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "min", 60000000000 },
	{ "h", 3600000000000 },
};

int num_parse_size(const char *text, uint64_t *ret_bytes)
{
	return parse_with_unit(text, sizes, ARRAY_SIZE(sizes), ret_bytes);
}

int num_parse_duration(const char *text, uint64_t *ret_ns)
{
	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	return parse_with_unit(text, durations, ARRAY_SIZE(durations), ret_ns);
}

static char *format_with_unit(
	uint64_t value, const struct unit *units, size_t count, char *text, size_t size)
{
	size_t best = 0;

	for (size_t i = 1; i < count && value > 0; i++)
		if (value % units[i].factor == 0)
			best = i;
	snprintf(text, size, "%" PRIu64 "%s", value / units[best].factor, units[best].suffix);
	return text;
}

char *num_format_size(uint64_t bytes, char *text, size_t size)
{
	return format_with_unit(bytes, sizes, ARRAY_SIZE(sizes), text, size);
}

char *num_format_duration(uint64_t ns, char *text, size_t size)
{
	return format_with_unit(ns, durations, ARRAY_SIZE(durations), text, size);
}
