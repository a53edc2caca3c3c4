/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/nearest.h"
#include "config/reader.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int store_text(struct reader *reader, const struct key *key, const char *text)
{
	char *copy = strdup(text);
	char **field = key_field(reader, key);

	if (!copy)
		return reader_no_memory(reader);
	free(*field);
	*field = copy;
	return 0;
}

/* A number where a text is needed: the same in quotes, if that works. */
static int fail_text_type(
	struct reader *reader, const struct key *key, const config_setting_t *setting)
{
	int type = config_setting_type(setting);

	setting_fail_type(reader, key, setting, "text in double quotes");
	if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64)
		err_fix(reader->err, "%s = \"%lld\";", key->name,
			config_setting_get_int64(setting));
	return -EINVAL;
}

static const char *needed_text(
	struct reader *reader, const struct key *key, const config_setting_t *setting)
{
	const char *text = setting_text(setting);

	if (!text) {
		fail_text_type(reader, key, setting);
	} else if (!*text) {
		setting_fail(reader, setting, "an empty text");
		err_fix(reader->err, "leave the key out for its default, or for example %s = %s;",
			key->name, key->example);
	}
	return text && *text ? text : NULL;
}

int read_text(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const char *text = needed_text(reader, key, setting);

	return text ? store_text(reader, key, text) : -EINVAL;
}

int read_path(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const char *text = needed_text(reader, key, setting);

	if (!text)
		return -EINVAL;
	if (text[0] != '/') {
		setting_fail(reader, setting, "\"%s\" is not an absolute path", text);
		err_fix(reader->err, "begin it with /, for example %s = %s;", key->name,
			key->example);
		return -EINVAL;
	}
	return store_text(reader, key, text);
}

int read_user(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const char *text = needed_text(reader, key, setting);

	if (!text)
		return -EINVAL;
	if (text[0] == '-' || strpbrk(text, " \t\r\n\f:/,\"'")) {
		setting_fail(reader, setting, "\"%s\" cannot be a user's name", text);
		err_fix(reader->err, "for example %s = %s;", key->name, key->example);
		return -EINVAL;
	}
	return store_text(reader, key, text);
}

int read_bool(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	bool *field = key_field(reader, key);

	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return setting_fail_type(reader, key, setting, "true or false");
	*field = config_setting_get_bool(setting);
	return 0;
}

int read_choice(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const char *const *names = key->detail;
	const char *text = setting_text(setting);
	struct strbuf known AUTO_STRBUF = { 0 };
	unsigned choice = 0;

	if (!text)
		return setting_fail_type(reader, key, setting, "text in double quotes");
	for (; names[choice]; choice++) {
		if (strcmp(text, names[choice]) == 0) {
			memcpy(key_field(reader, key), &choice, sizeof(choice));
			return 0;
		}
		strbuf_addf(&known, "%s%s", choice ? ", " : "", names[choice]);
	}
	const char *near = nearest_name(text, names, choice);
	setting_fail(
		reader, setting, "\"%s\" is not one of %s", text, known.text ? known.text : "");
	err_fix(reader->err, "%s%s = \"%s\";", near ? "" : "for example ", key->name,
		near ? near : names[0]);
	return -EINVAL;
}

int read_count(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const struct bounds *bounds = key->detail;
	int type = config_setting_type(setting);

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return setting_fail_type(reader, key, setting, "a number");
	long long value = config_setting_get_int64(setting);
	if (value < 0 || (uint64_t)value < bounds->min || (uint64_t)value > bounds->max) {
		setting_fail(reader, setting, "%lld is not within %" PRIu64 " to %" PRIu64, value,
			bounds->min, bounds->max);
		err_fix(reader->err, "for example %s = %s;", key->name, key->example);
		return -EINVAL;
	}
	unsigned count = (unsigned)value;
	memcpy(key_field(reader, key), &count, sizeof(count));
	return 0;
}

/* The text of a setting that is a number with its unit. */
static const char *text_with_unit(struct reader *reader, const struct key *key,
	const config_setting_t *setting, const char *what, const char *units)
{
	const char *text = setting_text(setting);
	int type = config_setting_type(setting);

	if (!text) {
		setting_fail_type(reader, key, setting, what);
		if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64)
			err_fix(reader->err, "say the unit, one of %s, for example %s = %s;", units,
				key->name, key->example);
		return NULL;
	}
	if (*text && strspn(text, "0123456789") == strlen(text) && strcmp(text, "0") != 0) {
		setting_fail(reader, setting, "\"%s\" has no unit", text);
		err_fix(reader->err, "say the unit, one of %s, for example %s = %s;", units,
			key->name, key->example);
		return NULL;
	}
	return text;
}

static const char duration_units[] = "ns, us, ms, s, min, h", size_units[] = "K, M, G, T";

static int fail_number(struct reader *reader, const struct key *key,
	const config_setting_t *setting, const char *what, const char *units)
{
	setting_fail(reader, setting, "\"%s\" is not a %s", setting_text(setting), what);
	err_fix(reader->err, "digits and one of %s, without a blank, for example %s = %s;", units,
		key->name, key->example);
	return -EINVAL;
}

int read_duration(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const struct bounds *bounds = key->detail;
	const char *text = text_with_unit(
		reader, key, setting, "a duration with its unit as text", duration_units);
	char least[32], most[32];
	uint64_t ns;

	if (!text)
		return -EINVAL;
	int r = num_parse_duration(text, &ns);
	if (r == -EINVAL)
		return fail_number(reader, key, setting, "duration", duration_units);
	if (r < 0 || ns < bounds->min || ns > bounds->max) {
		setting_fail(reader, setting, "\"%s\" is not within %s to %s", text,
			num_format_duration(bounds->min, least, sizeof(least)),
			num_format_duration(bounds->max, most, sizeof(most)));
		err_fix(reader->err, "for example %s = %s;", key->name, key->example);
		return -EINVAL;
	}
	memcpy(key_field(reader, key), &ns, sizeof(ns));
	return 0;
}

int read_size(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const struct bounds *bounds = key->detail;
	const char *text =
		text_with_unit(reader, key, setting, "a size with its unit as text", size_units);
	char least[32], most[32];
	uint64_t bytes;

	if (!text)
		return -EINVAL;
	int r = num_parse_size(text, &bytes);
	if (r == -EINVAL)
		return fail_number(reader, key, setting, "size", size_units);
	if (r < 0 || bytes < bounds->min || bytes > bounds->max || bytes % bounds->min != 0) {
		setting_fail(reader, setting, "\"%s\" is not a multiple of %s up to %s", text,
			num_format_size(bounds->min, least, sizeof(least)),
			num_format_size(bounds->max, most, sizeof(most)));
		err_fix(reader->err, "for example %s = %s;", key->name, key->example);
		return -EINVAL;
	}
	memcpy(key_field(reader, key), &bytes, sizeof(bytes));
	return 0;
}
