/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/action.h"
#include "base/cleanup.h"
#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum key {
	KEY_TID,
	KEY_CPUS,
	KEY_POLICY,
	KEY_PRIORITY,
	KEY_NICE,
	KEY_SLOT,
	KEY_GROUP,
	KEY_FILE,
	KEY_VALUE,
	KEY_PRIOR,
	KEYS,
};

#define BIT(key) (1u << (key))

static const char *const key_names[KEYS] = {
	[KEY_TID] = "tid",
	[KEY_CPUS] = "cpus",
	[KEY_POLICY] = "policy",
	[KEY_PRIORITY] = "priority",
	[KEY_NICE] = "nice",
	[KEY_SLOT] = "slot",
	[KEY_GROUP] = "group",
	[KEY_FILE] = "file",
	[KEY_VALUE] = "value",
	[KEY_PRIOR] = "prior",
};

/* Without these an action of the kind means nothing. */
static const unsigned needed[ACTION_KINDS] = {
	[ACTION_CG_CREATE] = BIT(KEY_GROUP),
	[ACTION_CG_REMOVE] = BIT(KEY_GROUP),
	[ACTION_CG_SET] = BIT(KEY_GROUP) | BIT(KEY_FILE) | BIT(KEY_VALUE),
	[ACTION_CG_ATTACH] = BIT(KEY_TID) | BIT(KEY_GROUP),
	[ACTION_THREAD_AFFINITY] = BIT(KEY_TID) | BIT(KEY_CPUS),
	[ACTION_THREAD_SCHED] = BIT(KEY_TID) | BIT(KEY_POLICY) | BIT(KEY_PRIORITY) | BIT(KEY_NICE),
	[ACTION_AUTOGROUP] = BIT(KEY_TID) | BIT(KEY_NICE),
	[ACTION_SYSFS_WRITE] = BIT(KEY_FILE) | BIT(KEY_VALUE),
	[ACTION_START] = BIT(KEY_VALUE),
	[ACTION_QMP] = BIT(KEY_VALUE),
	[ACTION_SIGNAL] = BIT(KEY_TID) | BIT(KEY_VALUE),
};

static void add_escaped(struct strbuf *text, const char *value)
{
	for (const char *c = value; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		if (byte <= ' ' || byte >= 0x7f || strchr("\"'\\#%", byte))
			strbuf_addf(text, "%%%02X", byte);
		else
			strbuf_add_bytes(text, c, 1);
	}
}

static bool is_escape(const char *text)
{
	return text[0] == '%' && isxdigit((unsigned char)text[1]) &&
	       isxdigit((unsigned char)text[2]);
}

static void add_reason(struct strbuf *text, const char *reason)
{
	for (const char *c = reason; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		if (byte < ' ' || byte >= 0x7f || is_escape(c))
			strbuf_addf(text, "%%%02X", byte);
		else
			strbuf_add_bytes(text, c, 1);
	}
}

/* The keys whose fields say something. */
static unsigned said(const struct action *action)
{
	const struct placement *place = &action->place;
	unsigned keys = 0;

	keys |= action->tid ? BIT(KEY_TID) : 0;
	keys |= cpuset_empty(&place->cpus) ? 0 : BIT(KEY_CPUS);
	keys |= place->policy ? BIT(KEY_POLICY) : 0;
	keys |= place->priority ? BIT(KEY_PRIORITY) : 0;
	keys |= place->nice ? BIT(KEY_NICE) : 0;
	keys |= place->slot ? BIT(KEY_SLOT) : 0;
	keys |= action->group[0] ? BIT(KEY_GROUP) : 0;
	keys |= action->file[0] ? BIT(KEY_FILE) : 0;
	keys |= action->value[0] ? BIT(KEY_VALUE) : 0;
	keys |= action->prior[0] || action->prior_known ? BIT(KEY_PRIOR) : 0;
	return keys;
}

static void add_value(const struct action *action, enum key key, struct strbuf *text)
{
	const struct placement *place = &action->place;
	char cpus[CPUSET_TEXT];

	switch (key) {
	case KEY_TID:
		strbuf_addf(text, "%d", (int)action->tid);
		break;
	case KEY_CPUS:
		strbuf_add(text, cpuset_format(&place->cpus, cpus, sizeof(cpus)));
		break;
	case KEY_POLICY:
		strbuf_add(text, sched_class_name(place->policy));
		break;
	case KEY_PRIORITY:
		strbuf_addf(text, "%d", place->priority);
		break;
	case KEY_NICE:
		strbuf_addf(text, "%d", place->nice);
		break;
	case KEY_SLOT:
		strbuf_add(text, cg_slot_name(place->slot));
		break;
	case KEY_GROUP:
		add_escaped(text, action->group);
		break;
	case KEY_FILE:
		add_escaped(text, action->file);
		break;
	case KEY_VALUE:
		add_escaped(text, action->value);
		break;
	case KEY_PRIOR:
		add_escaped(text, action->prior);
		break;
	case KEYS:
		break;
	}
}

void action_format(const struct action *action, struct strbuf *text)
{
	unsigned keys = said(action) | needed[action->kind];

	strbuf_add(text, action_kind_name(action->kind));
	for (enum key key = 0; key < KEYS; key++) {
		if (!(keys & BIT(key)))
			continue;
		strbuf_addf(text, " %s=", key_names[key]);
		add_value(action, key, text);
	}
	if (action->reason[0]) {
		strbuf_add(text, " # ");
		add_reason(text, action->reason);
	}
}

static char from_hex(const char *digits)
{
	char pair[3] = { digits[0], digits[1], '\0' };

	return (char)strtoul(pair, NULL, 16);
}

/* Decodes `length` bytes. `strict`: a '%' must begin an escape. -EINVAL, or -E2BIG. */
static int unescape(const char *from, size_t length, bool strict, char *to, size_t size)
{
	const char *end = from + length;
	size_t n = 0;

	while (from < end) {
		bool escaped = end - from >= 3 && is_escape(from);
		char byte = escaped ? from_hex(from + 1) : *from;

		if (byte == '\0' || (strict && *from == '%' && !escaped))
			return -EINVAL;
		if (n + 1 >= size)
			return -E2BIG;
		to[n++] = byte;
		from += escaped ? 3 : 1;
	}
	to[n] = '\0';
	return 0;
}

static int parse_number(const char *text, long min, long max, int *ret)
{
	long value = 0;
	int r = num_parse_long(text, min, max, &value);

	if (r == 0)
		*ret = (int)value;
	return r;
}

static int parse_policy(const char *text, enum sched_class *ret)
{
	for (enum sched_class policy = 0; policy <= SCHED_CLASS_UNKNOWN; policy++) {
		if (strcmp(text, sched_class_name(policy)) != 0)
			continue;
		*ret = policy;
		return 0;
	}
	return -EINVAL;
}

static int parse_slot(const char *text, enum cg_slot *ret)
{
	for (enum cg_slot slot = SLOT_EMULATOR; slot <= SLOT_OUTSIDE; slot++) {
		if (strcmp(text, cg_slot_name(slot)) != 0)
			continue;
		*ret = slot;
		return 0;
	}
	return -EINVAL;
}

static int parse_value(struct action *action, enum key key, const char *value)
{
	struct placement *place = &action->place;
	size_t length = strlen(value);

	switch (key) {
	case KEY_TID:
		return parse_number(value, 1, INT_MAX, &action->tid);
	case KEY_CPUS:
		return cpuset_parse(value, &place->cpus);
	case KEY_POLICY:
		return parse_policy(value, &place->policy);
	case KEY_PRIORITY:
		return parse_number(value, 0, 99, &place->priority);
	case KEY_NICE:
		return parse_number(value, -20, 19, &place->nice);
	case KEY_SLOT:
		return parse_slot(value, &place->slot);
	case KEY_GROUP:
		return unescape(value, length, true, action->group, sizeof(action->group));
	case KEY_FILE:
		return unescape(value, length, true, action->file, sizeof(action->file));
	case KEY_VALUE:
		return unescape(value, length, true, action->value, sizeof(action->value));
	case KEY_PRIOR:
		action->prior_known = true;
		return unescape(value, length, true, action->prior, sizeof(action->prior));
	case KEYS:
		break;
	}
	return -EINVAL;
}

/* One "key=value"; *seen collects the keys. */
static int parse_word(const char *word, struct action *action, unsigned *seen, struct err *err)
{
	size_t length = strcspn(word, "=");

	for (enum key key = 0; key < KEYS; key++) {
		if (strlen(key_names[key]) != length || word[length] != '=' ||
			strncmp(word, key_names[key], length) != 0)
			continue;
		if (*seen & BIT(key))
			return err_set(err, EINVAL, "%s is said twice", key_names[key]);
		*seen |= BIT(key);
		if (parse_value(action, key, word + length + 1) < 0)
			return err_set(err, EINVAL, "%s has an impossible value: %.64s",
				key_names[key], word + length + 1);
		return 0;
	}
	return err_set(err, EINVAL, "\"%.64s\" is no field of an action", word);
}

static int parse_kind(const char *word, enum action_kind *ret_kind, struct err *err)
{
	for (enum action_kind kind = 0; kind < ACTION_KINDS; kind++) {
		if (strcmp(word, action_kind_name(kind)) != 0)
			continue;
		*ret_kind = kind;
		return 0;
	}
	return err_set(err, EINVAL, "\"%.64s\" is no kind of action", word);
}

/* A group's name must not lead out of the hierarchy, wherever the line came from. */
static bool group_sound(const char *group)
{
	if (group[0] == '/')
		return false;
	while (*group) {
		size_t n = strcspn(group, "/");
		if (n == 0 || (n == 1 && group[0] == '.') || (n == 2 && !strncmp(group, "..", 2)))
			return false;
		group += n;
		if (*group == '/' && *++group == '\0')
			return false;
	}
	return true;
}

/* A file of a group has no directory; one of the host's lies where settings are. */
static bool file_sound(const struct action *action)
{
	const char *file = action->file;

	if (action->kind != ACTION_SYSFS_WRITE)
		return !strchr(file, '/') && (action->kind != ACTION_CG_SET || file[0]);
	return (strncmp(file, "proc/sys/", 9) == 0 || strncmp(file, "sys/", 4) == 0) &&
	       group_sound(file);
}

static int check(const struct action *action, unsigned seen, struct err *err)
{
	bool whole_group = action->kind == ACTION_CG_CREATE || action->kind == ACTION_CG_REMOVE;
	const char *kind = action_kind_name(action->kind);

	for (enum key key = 0; key < KEYS; key++)
		if (needed[action->kind] & ~seen & BIT(key))
			return err_set(err, EINVAL, "%s without %s", kind, key_names[key]);
	if (!group_sound(action->group))
		return err_set(
			err, EINVAL, "%s: \"%.64s\" is no name of a group", kind, action->group);
	if (whole_group && !action->group[0])
		return err_set(err, EINVAL, "%s of the root group", kind);
	if (!file_sound(action))
		return err_set(err, EINVAL, "%s: \"%s\" is no file of a group", kind, action->file);
	if (action->kind == ACTION_THREAD_AFFINITY && cpuset_empty(&action->place.cpus))
		return err_set(err, EINVAL, "%s to no CPU", kind);
	return 0;
}

static int parse_words(char *words, struct action *action, struct err *err)
{
	unsigned seen = 0;
	char *word = strsep(&words, " ");
	int r = parse_kind(word, &action->kind, err);

	while (r == 0 && (word = strsep(&words, " ")))
		r = parse_word(word, action, &seen, err);
	return r < 0 ? r : check(action, seen, err);
}

int action_parse(const char *line, struct action *ret_action, struct err *err)
{
	const char *reason = strstr(line, " # ");
	size_t length = reason ? (size_t)(reason - line) : strlen(line);
	AUTO_FREE char *words = strndup(line, length);
	struct action action = { 0 };

	if (!words)
		return err_set(err, ENOMEM, "out of memory");
	for (const char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			return err_set(err, EINVAL, "a control character in an action");
	int r = parse_words(words, &action, err);
	if (r < 0)
		return r;
	if (reason && (!reason[3] || unescape(reason + 3, strlen(reason + 3), false, action.reason,
					     sizeof(action.reason)) < 0))
		return err_set(err, EINVAL, "the reason is empty or too long");
	*ret_action = action;
	return 0;
}
