/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct strbuf *buf, size_t more)
{
	size_t size = buf->size ? buf->size : 128;

	if (buf->failed)
		return false;
	while (size - buf->length <= more)
		size *= 2;
	if (size == buf->size)
		return true;
	char *text = realloc(buf->text, size);
	if (!text) {
		buf->failed = true;
		return false;
	}
	buf->text = text;
	buf->size = size;
	return true;
}

void strbuf_add_bytes(struct strbuf *buf, const char *bytes, size_t count)
{
	if (!reserve(buf, count))
		return;
	if (count > 0)
		memcpy(buf->text + buf->length, bytes, count);
	buf->length += count;
	buf->text[buf->length] = '\0';
}

void strbuf_add(struct strbuf *buf, const char *text)
{
	strbuf_add_bytes(buf, text, strlen(text));
}

void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	if (n < 0)
		buf->failed = true;
	else if (reserve(buf, (size_t)n)) {
		vsnprintf(buf->text + buf->length, (size_t)n + 1, format, again);
		buf->length += (size_t)n;
	}
	va_end(again);
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	strbuf_vaddf(buf, format, args);
	va_end(args);
}

char *strbuf_take(struct strbuf *buf)
{
	strbuf_add(buf, "");
	char *text = buf->failed ? NULL : buf->text;

	if (!text)
		free(buf->text);
	*buf = (struct strbuf){ 0 };
	return text;
}

void strbuf_free(struct strbuf *buf)
{
	free(buf->text);
	*buf = (struct strbuf){ 0 };
}

int strlist_take(struct strlist *list, char *text)
{
	if (!text)
		return -ENOMEM;
	char **items = realloc(list->items, (list->count + 2) * sizeof(*items));

	if (!items) {
		free(text);
		return -ENOMEM;
	}
	list->items = items;
	items[list->count++] = text;
	items[list->count] = NULL;
	return 0;
}

int strlist_add(struct strlist *list, const char *text)
{
	return strlist_take(list, strdup(text));
}

void strlist_free(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strlist){ 0 };
}
