/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *to_json(const config_setting_t *setting);

static json_t *object_of(const config_setting_t *group)
{
	json_t *object = json_object();
	int count = config_setting_length(group);

	for (unsigned i = 0; object && i < (unsigned)count; i++) {
		const config_setting_t *member = config_setting_get_elem(group, i);

		if (json_object_set_new(object, config_setting_name(member), to_json(member)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *array_of(const config_setting_t *list)
{
	json_t *array = json_array();
	int count = config_setting_length(list);

	for (unsigned i = 0; array && i < (unsigned)count; i++) {
		if (json_array_append_new(array, to_json(config_setting_get_elem(list, i))) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Depth and UTF-8 were looked at by the scanner: NULL means no memory (or an infinite number). */
static json_t *to_json(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return object_of(setting);
	case CONFIG_TYPE_LIST:
	case CONFIG_TYPE_ARRAY:
		return array_of(setting);
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return json_integer(config_setting_get_int64(setting));
	case CONFIG_TYPE_FLOAT:
		return json_real(config_setting_get_float(setting));
	case CONFIG_TYPE_BOOL:
		return json_boolean(config_setting_get_bool(setting));
	default:
		return json_string(setting_text(setting));
	}
}

static int check_needed(
	struct reader *reader, const struct group_rule *rule, const config_setting_t *group)
{
	for (size_t i = 0; rule->needs[i]; i++) {
		const char *name = rule->needs[i];
		const config_setting_t *member = config_setting_get_member(group, name);
		const char *text = member ? setting_text(member) : NULL;

		if (text && *text)
			continue;
		setting_fail(reader, member ? member : group,
			member ? "%s has to be a text" : "a block without %s", name);
		err_fix(reader->err, "add %s = \"...\"; to the block that begins on line %d", name,
			setting_line(group));
		return -EINVAL;
	}
	return 0;
}

static int add_group(
	struct reader *reader, const struct group_rule *rule, const config_setting_t *group)
{
	int r = check_needed(reader, rule, group);
	json_t *json = r == 0 ? object_of(group) : NULL;

	if (r < 0)
		return r;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text || spec_add_group(reader->spec, rule->list, text, setting_line(group)) < 0) {
		r = setting_fail(reader, group,
			"cannot be written as JSON: a number is infinite, or memory ran out");
		err_fix(reader->err, "write very large numbers as text");
	}
	free(text);
	return r;
}

static int fail_member(
	struct reader *reader, const struct key *key, const config_setting_t *setting, unsigned i)
{
	element_fail(reader, setting, i, "only blocks { } can stand in this list");
	err_fix(reader->err, "for example %s = %s;", key->name, key->example);
	return -EINVAL;
}

int read_groups(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	int count = config_setting_is_group(setting) ? 0 : config_setting_length(setting), r = 0;

	if (!setting_is_list(setting))
		return setting_fail_type(reader, key, setting, "a list of blocks ( { } )");
	for (unsigned i = 0; r == 0 && i < (unsigned)count; i++) {
		const config_setting_t *group = config_setting_get_elem(setting, i);

		r = config_setting_is_group(group) ? add_group(reader, key->detail, group)
						   : fail_member(reader, key, setting, i);
	}
	return r;
}
