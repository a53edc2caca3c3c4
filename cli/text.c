/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/text.h"
#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

static bool is_c1(const unsigned char *at)
{
	return at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f;
}

static void clean(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if (is_c1(at))
			at[0] = at[1] = '?';
		else if (*at < ' ' || *at == 0x7f)
			*at = '?';
	}
}

void text_add_clean(struct strbuf *buf, const char *text)
{
	size_t from = buf->length;

	strbuf_add(buf, text);
	if (!buf->failed)
		clean(buf->text + from);
}

json_t *text_json(const char *text)
{
	json_t *json = json_string(text);

	if (json)
		return json;
	char *copy AUTO_FREE = strdup(text);

	for (char *at = copy; at && *at; at++)
		*at = (unsigned char)*at < 0x80 ? *at : '?';
	return copy ? json_string(copy) : NULL;
}

static json_t *clean_string(const json_t *json)
{
	char *text AUTO_FREE = strdup(json_string_value(json));

	if (!text)
		return NULL;
	clean(text);
	return json_string_nocheck(text);
}

static json_t *clean_object(const json_t *json)
{
	json_t *copy = json_object();
	const char *key;
	json_t *value;

	/* jansson walks only over objects that it may also change. */
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		if (json_object_set_new_nocheck(copy, key, text_clean_json(value)) < 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

static json_t *clean_array(const json_t *json)
{
	json_t *copy = json_array();

	for (size_t i = 0; i < json_array_size(json); i++) {
		if (json_array_append_new(copy, text_clean_json(json_array_get(json, i))) < 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

json_t *text_clean_json(const json_t *json)
{
	if (json_is_string(json))
		return clean_string(json);
	if (json_is_object(json))
		return clean_object(json);
	if (json_is_array(json))
		return clean_array(json);
	return json ? json_deep_copy(json) : NULL;
}

static double clamp(double value, double least, double most)
{
	return value < least ? least : value > most ? most : value;
}

void text_add_duration(struct strbuf *buf, double seconds)
{
	unsigned long all = (unsigned long)clamp(seconds, 0, 1e12);
	unsigned long minutes = all / 60, hours = all / 3600, days = all / 86400;

	if (days > 0)
		strbuf_addf(buf, "%lu d %lu h", days, hours % 24);
	else if (hours > 0)
		strbuf_addf(buf, "%lu h %lu min", hours, minutes % 60);
	else if (minutes > 0)
		strbuf_addf(buf, "%lu min", minutes);
	else
		strbuf_addf(buf, "%lu s", all);
}

void text_add_wait(struct strbuf *buf, double seconds)
{
	double ms = clamp(seconds, 0, 1e9) * 1000;

	if (ms >= 10000)
		strbuf_addf(buf, "%.1f s", ms / 1000);
	else
		strbuf_addf(buf, "%.*f ms", ms > 0 && ms < 0.1 ? 2 : 1, ms);
}

void text_add_share(struct strbuf *buf, double share)
{
	strbuf_addf(buf, "%.2f %%", clamp(share, 0, 1e4) * 100);
}

void text_add_clock(struct strbuf *buf, double when, double now)
{
	time_t seconds = (time_t)clamp(when, 0, 253402300799.0);
	bool near = now - when < 12 * 3600.0 && when - now < 12 * 3600.0;
	char text[64];
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
		strftime(text, sizeof(text), near ? "%H:%M" : "%Y-%m-%d %H:%M", &tm) == 0)
		return;
	strbuf_add(buf, text);
}

void text_add_count(struct strbuf *buf, size_t count, const char *what)
{
	strbuf_addf(buf, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

void text_add_line(struct strbuf *buf, const char *label, const char *words)
{
	if (!words || !words[0])
		return;
	strbuf_addf(buf, "  %-9s  ", label);
	text_add_clean(buf, words);
	strbuf_add(buf, "\n");
}

void text_add_err(struct strbuf *buf, const char *head, const struct err *err, const char *more)
{
	text_add_clean(buf, head);
	strbuf_add(buf, ": ");
	text_add_clean(buf, err->text);
	strbuf_add(buf, "\n");
	text_add_line(buf, "QEMU said", err->said);
	text_add_line(buf, "why", err->why);
	text_add_line(buf, "fix", err->fix);
	text_add_line(buf, "more", more);
}

void text_take_json(struct strbuf *buf, json_t *json)
{
	char *dump AUTO_FREE = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	json_decref(json);
	if (dump)
		strbuf_addf(buf, "%s\n", dump);
	else
		buf->failed = true;
}
