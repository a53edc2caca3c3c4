/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/reader.h"
#include "base/cleanup.h"
#include "config/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t add_path(const config_setting_t *setting, char *path)
{
	const char *name = config_setting_name(setting);
	const config_setting_t *parent = config_setting_parent(setting);
	size_t at = parent ? add_path(parent, path) : 0;

	if (!name || at + strlen(name) + 2 > SETTING_PATH)
		return at;
	return at + (size_t)snprintf(path + at, SETTING_PATH - at, "%s%s", at ? "." : "", name);
}

const char *setting_path(const config_setting_t *setting, char *path)
{
	path[0] = '\0';
	add_path(setting, path);
	return path;
}

int setting_line(const config_setting_t *setting)
{
	int line = (int)config_setting_source_line(setting);

	return line > 0 ? line : 1;
}

int reader_line(const struct reader *reader, const char *path)
{
	const config_setting_t *setting = reader->root;
	char name[SETTING_PATH];

	while (setting && *path) {
		size_t length = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		setting = config_setting_is_group(setting)
				  ? config_setting_get_member(setting, name)
				  : NULL;
		path += length + (path[length] == '.');
	}
	return setting ? setting_line(setting) : 0;
}

int setting_fail(struct reader *reader, const config_setting_t *setting, const char *format, ...)
{
	char path[SETTING_PATH];
	va_list args;

	va_start(args, format);
	conf_vfail(reader->text, reader->err, setting_line(setting), setting_path(setting, path),
		format, args);
	va_end(args);
	return -EINVAL;
}

int setting_fail_by(struct reader *reader, const config_setting_t *setting, const struct err *inner)
{
	setting_fail(reader, setting, "%s", inner->text);
	if (inner->why[0])
		err_why(reader->err, "%s", inner->why);
	if (inner->fix[0])
		err_fix(reader->err, "%s", inner->fix);
	return -EINVAL;
}

static void show_value(const config_setting_t *setting, char *shown, size_t size)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(shown, size, "the number %lld", config_setting_get_int64(setting));
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(shown, size, "the number %g", config_setting_get_float(setting));
		break;
	case CONFIG_TYPE_BOOL:
		snprintf(shown, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
		break;
	case CONFIG_TYPE_STRING:
		snprintf(shown, size, "text");
		break;
	case CONFIG_TYPE_GROUP:
		snprintf(shown, size, "a block { }");
		break;
	case CONFIG_TYPE_ARRAY:
		snprintf(shown, size, "an array [ ]");
		break;
	default:
		snprintf(shown, size, "a list ( )");
	}
}

int setting_fail_type(struct reader *reader, const struct key *key, const config_setting_t *setting,
	const char *needed)
{
	char shown[64];

	show_value(setting, shown, sizeof(shown));
	setting_fail(reader, setting, "needs %s, found %s", needed, shown);
	err_fix(reader->err, "for example %s = %s;", key->name, key->example);
	return -EINVAL;
}

const char *setting_text(const config_setting_t *setting)
{
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return NULL;
	const char *text = config_setting_get_string(setting);
	return text ? text : "";
}

const char *element_text(const config_setting_t *list, unsigned i)
{
	const config_setting_t *element = config_setting_get_elem(list, i);

	return element ? setting_text(element) : NULL;
}

int element_fail(
	struct reader *reader, const config_setting_t *list, unsigned i, const char *format, ...)
{
	const char *name = config_setting_name(list);
	int line = conf_line_of_element(reader->text->bytes, setting_line(list), name, (int)i);
	va_list args;

	va_start(args, format);
	conf_vfail(reader->text, reader->err, line, name, format, args);
	va_end(args);
	return -EINVAL;
}

bool setting_is_list(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting);
}

int reader_no_memory(struct reader *reader)
{
	return err_set(reader->err, ENOMEM, "%s: out of memory", reader->text->path);
}

static const struct key *find_key(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->keys[i].name, name) == 0)
			return &table->keys[i];
	return NULL;
}

/* The table that does know `name`, for a key that stands one level too high or too low. */
static const struct key_table *find_table(const char *name)
{
	if (find_key(&conf_file_keys, name))
		return &conf_file_keys;
	for (size_t i = 0; i < conf_file_keys.count; i++)
		if (conf_file_keys.keys[i].read == read_block &&
			find_key(conf_file_keys.keys[i].detail, name))
			return conf_file_keys.keys[i].detail;
	return NULL;
}

static void fix_unknown(struct reader *reader, const struct key_table *table, const char *name)
{
	const char *names[64];
	size_t count = 0;
	struct strbuf known AUTO_STRBUF = { 0 };

	for (; count < table->count && count < ARRAY_SIZE(names); count++) {
		names[count] = table->keys[count].name;
		strbuf_addf(&known, "%s%s", count ? ", " : "", names[count]);
	}
	const char *near = nearest_name(name, names, count);
	const struct key_table *other = find_table(name);
	if (other && other->name)
		err_fix(reader->err, "it belongs into %s = { %s = ...; };", other->name, name);
	else if (other && table->name)
		err_fix(reader->err, "it stands by itself, outside of %s", table->name);
	else if (other)
		err_fix(reader->err, "it belongs into the file of a VM, vms/NAME.conf");
	else if (near)
		err_fix(reader->err, "did you mean %s?", near);
	else
		err_fix(reader->err, "known here: %s", known.text ? known.text : "");
}

static int read_member(
	struct reader *reader, const struct key_table *table, config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	const struct key *key = find_key(table, name);

	if (!key) {
		setting_fail(reader, setting, "unknown key");
		fix_unknown(reader, table, name);
		return -EINVAL;
	}
	int r = key->read(reader, key, setting);
	if (r == 0 && reader->spec)
		reader->spec->said |= key->said;
	return r;
}

int read_table(struct reader *reader, const struct key_table *table, const config_setting_t *group)
{
	int count = config_setting_length(group), r = 0;

	for (int i = 0; i < count && r == 0; i++)
		r = read_member(reader, table, config_setting_get_elem(group, (unsigned)i));
	return r;
}

int read_block(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	if (!config_setting_is_group(setting))
		return setting_fail_type(reader, key, setting, "a block { }");
	return read_table(reader, key->detail, setting);
}
