/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/listen.h"
#include "config/reader.h"
#include "config/words.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Adds every text of a list; `valid` says what is wrong with one (NULL: nothing). */
static int read_texts(struct reader *reader, const struct key *key, const config_setting_t *setting,
	struct strlist *list, const char *(*wrong)(const char *text, const struct strlist *before))
{
	int count = config_setting_length(setting);

	for (unsigned i = 0; i < (unsigned)count; i++) {
		const char *text = element_text(setting, i);
		const char *words = text ? wrong(text, list) : "only texts can stand in this list";

		if (words) {
			element_fail(reader, setting, i, "%s%s%s%s", text ? "\"" : "",
				text ? text : "", text ? "\" " : "", words);
			err_fix(reader->err, "for example %s = %s;", key->name, key->example);
			return -EINVAL;
		}
		if (strlist_add(list, text) < 0)
			return reader_no_memory(reader);
	}
	return 0;
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return isdigit((unsigned char)text[0]) ? 0 : n;
}

static const char *wrong_env(const char *text, const struct strlist *before)
{
	size_t length = name_length(text);

	if (length == 0 || text[length] != '=')
		return "is not NAME=value";
	for (size_t i = 0; i < before->count; i++)
		if (strncmp(before->items[i], text, length + 1) == 0)
			return "sets a name that an earlier one sets";
	return NULL;
}

int read_env(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	if (!setting_is_list(setting))
		return setting_fail_type(reader, key, setting, "a list of texts");
	return read_texts(reader, key, setting, &reader->spec->env, wrong_env);
}

static const char *wrong_group(const char *text, const struct strlist *before)
{
	for (size_t i = 0; i < before->count; i++)
		if (strcmp(before->items[i], text) == 0)
			return "is listed twice";
	if (!*text || text[0] == '/')
		return "must name a cgroup below the root, without a / in front";
	for (const char *part = text;; part++) {
		size_t length = strcspn(part, "/");

		if (length == 0 || (length == 1 && part[0] == '.') ||
			(length == 2 && part[0] == '.' && part[1] == '.'))
			return "is not the path of a cgroup";
		part += length;
		if (!*part)
			return NULL;
	}
}

int read_shield(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	if (!setting_is_list(setting))
		return setting_fail_type(reader, key, setting, "a list of cgroups");
	reader->spec->line_shield = setting_line(setting);
	return read_texts(reader, key, setting, &reader->spec->shield, wrong_group);
}

static const char *wrong_arg(const char *text, const struct strlist *before)
{
	(void)text;
	(void)before;
	return NULL;
}

int read_args(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	const char *text = setting_text(setting);
	struct err inner = { 0 };

	reader->spec->line_args = setting_line(setting);
	if (setting_is_list(setting))
		return read_texts(reader, key, setting, &reader->spec->args, wrong_arg);
	if (!text)
		return setting_fail_type(reader, key, setting, "text or a list of texts");
	int r = words_split(text, &reader->spec->args, &inner);
	if (r == -ENOMEM)
		return reader_no_memory(reader);
	return r < 0 ? setting_fail_by(reader, setting, &inner) : 0;
}

int read_listen(struct reader *reader, const struct key *key, config_setting_t *setting)
{
	struct err inner = { 0 };
	int r = read_text(reader, key, setting);

	if (r == 0 && listen_check(*(char **)key_field(reader, key), &inner) < 0)
		r = setting_fail_by(reader, setting, &inner);
	return r;
}
