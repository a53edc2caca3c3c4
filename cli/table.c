/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/text.h"

enum { GAP = 3 };

void text_table_add(struct text_table *table, const char *cell)
{
	if (strlist_add(&table->cells, cell) < 0)
		table->failed = true;
}

void text_table_take(struct text_table *table, struct strbuf *cell)
{
	if (strlist_take(&table->cells, strbuf_take(cell)) < 0)
		table->failed = true;
}

/* In characters: every byte of UTF-8 that does not go on with one begins one. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static size_t column_width(const struct text_table *table, size_t column)
{
	size_t widest = 0;

	for (size_t i = column; i < table->cells.count; i += table->columns) {
		size_t width = width_of(table->cells.items[i]);
		widest = width > widest ? width : widest;
	}
	return widest;
}

static void write_row(const struct text_table *table, size_t first, struct strbuf *buf)
{
	size_t owed = 0; /* blanks, which nobody needs at the end of a line */

	for (size_t i = 0; i < table->columns && first + i < table->cells.count; i++) {
		const char *cell = table->cells.items[first + i];
		size_t rest = column_width(table, i) - width_of(cell);
		bool right = table->right >> i & 1;

		if (cell[0])
			strbuf_addf(buf, "%*s%s", (int)(owed + (right ? rest : 0)), "", cell);
		owed = cell[0] ? (right ? 0 : rest) + GAP : owed + rest + GAP;
	}
	strbuf_add(buf, "\n");
}

void text_table_write(const struct text_table *table, struct strbuf *buf)
{
	for (size_t i = 0; i < table->cells.count; i += table->columns)
		write_row(table, i, buf);
	if (table->failed)
		buf->failed = true;
}

void text_table_free(struct text_table *table)
{
	strlist_free(&table->cells);
}
