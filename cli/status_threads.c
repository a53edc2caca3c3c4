/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of status: a row for each vCPU and iothread, one for all others that are alike. */
#include "cli/status_text.h"
#include "cli/text.h"
#include "base/cleanup.h"

#include <string.h>

struct row {
	bool single; /* a vCPU or an iothread */
	bool odd;
	char *wanted, *actual;
	double share, worst; /* the worst of its threads; below 0: not known */
	struct strlist names;
};

struct rows {
	struct row *items;
	size_t count;
	bool failed;
};

static bool is_nice_policy(const char *policy)
{
	return strcmp(policy, "other") == 0 || strcmp(policy, "batch") == 0;
}

/* "CPU 2 fifo 1", "0-1", "2-3 nice -20": `which` is wanted or actual. That a policy is other goes
 * without saying where nothing is odd. */
static void add_place(const json_t *thread, const char *which, bool odd, struct strbuf *text)
{
	char key[32];
	double number = 0;

	snprintf(key, sizeof(key), "cpus_%s", which);
	const char *cpus = field_text(thread, key);
	strbuf_addf(
		text, "%s%s", cpus[0] && !strpbrk(cpus, ",-") ? "CPU " : "", cpus[0] ? cpus : "?");
	snprintf(key, sizeof(key), "policy_%s", which);
	const char *policy = field_text(thread, key);
	if (policy[0] && (odd || strcmp(policy, "other") != 0))
		strbuf_addf(text, " %s", policy);
	if (is_nice_policy(policy)) {
		snprintf(key, sizeof(key), "nice_%s", which);
		if (field_number(thread, key, &number) && number != 0)
			strbuf_addf(text, " nice %.0f", number);
		return;
	}
	snprintf(key, sizeof(key), "priority_%s", which);
	if (field_number(thread, key, &number) && number > 0)
		strbuf_addf(text, " %.0f", number);
}

static const char *without_slash(const char *path)
{
	return path + (path[0] == '/');
}

/* Where it is in another group than it should be, that is what is odd. */
static void add_group(const json_t *thread, struct strbuf *text)
{
	const char *wanted = without_slash(field_text(thread, "cgroup_wanted"));
	const char *actual = field_text(thread, "cgroup");

	if (wanted[0] && actual[0] && strcmp(wanted, without_slash(actual)) != 0)
		strbuf_addf(text, " in %s", actual);
}

static struct row *find_row(struct rows *rows, const struct row *like)
{
	for (size_t i = 0; i < rows->count && !like->single; i++) {
		struct row *row = &rows->items[i];

		if (!row->single && row->odd == like->odd &&
			strcmp(row->wanted, like->wanted) == 0 &&
			strcmp(row->actual, like->actual) == 0)
			return row;
	}
	return NULL;
}

static void free_row(struct row *row)
{
	free(row->wanted);
	free(row->actual);
	strlist_free(&row->names);
}

/* Takes the row over: into one that is alike, or at the end. */
static void add_row(struct rows *rows, struct row *row)
{
	struct row *same = row->wanted && row->actual ? find_row(rows, row) : NULL;

	if (same) {
		same->share = row->share > same->share ? row->share : same->share;
		same->worst = row->worst > same->worst ? row->worst : same->worst;
		if (strlist_add(&same->names, row->names.items[0]) < 0)
			rows->failed = true;
		free_row(row);
		return;
	}
	struct row *items = realloc(rows->items, (rows->count + 1) * sizeof(*items));
	if (!items || !row->wanted || !row->actual) {
		rows->items = items ? items : rows->items;
		rows->failed = true;
		free_row(row);
		return;
	}
	rows->items = items;
	items[rows->count++] = *row;
}

static const char *name_of(const json_t *thread, const char *otherwise)
{
	const char *name = field_text(thread, "name"), *role = field_text(thread, "role");

	return name[0] ? name : role[0] ? role : otherwise;
}

static bool is_single(const json_t *thread, bool vcpu)
{
	return vcpu || strcmp(field_text(thread, "role"), "iothread") == 0;
}

static void add_thread(struct rows *rows, const json_t *thread, bool vcpu)
{
	struct strbuf wanted = { 0 }, actual = { 0 };
	struct row row = {
		.single = is_single(thread, vcpu),
		.odd = field_is_false(thread, "placed"),
		.share = field_number_or(thread, "wait_share_10s", -1),
		.worst = field_number_or(thread, "worst_wait_seconds", -1),
	};

	if (!json_is_object(thread))
		return;
	add_place(thread, "wanted", row.odd, &wanted);
	add_place(thread, "actual", row.odd, &actual);
	if (row.odd)
		add_group(thread, &actual);
	row.wanted = strbuf_take(&wanted);
	row.actual = strbuf_take(&actual);
	if (strlist_add(&row.names, name_of(thread, vcpu ? "vcpu" : "thread")) < 0) {
		rows->failed = true;
		free_row(&row);
		return;
	}
	add_row(rows, &row);
}

static size_t count_name(const struct strlist *names, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < names->count; i++)
		count += strcmp(names->items[i], name) == 0;
	return count;
}

static bool seen_before(const struct strlist *names, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(names->items[i], names->items[at]) == 0)
			return true;
	return false;
}

/* "main, 3 workers, kvm-pit" */
static void add_names(const struct strlist *names, struct strbuf *text)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];
		size_t count = count_name(names, name);

		if (seen_before(names, i))
			continue;
		strbuf_add(text, i > 0 ? ", " : "");
		if (count > 1)
			text_add_count(text, count, name);
		else
			strbuf_add(text, strcmp(name, "emulator") == 0 ? "main" : name);
	}
}

static void write_row(const struct row *row, struct text_table *table)
{
	bool emulator = !row->single && count_name(&row->names, "emulator") > 0;
	struct strbuf cell = { 0 };

	strbuf_addf(
		&cell, "%s%s", row->odd ? "! " : "", emulator ? "emulator" : row->names.items[0]);
	if (row->names.count > 1)
		strbuf_addf(&cell, " %zu", row->names.count);
	text_table_take(table, &cell);
	text_table_add(table, row->wanted);
	text_table_add(table, row->actual);
	if (row->share >= 0)
		text_add_share(&cell, row->share);
	text_table_take(table, &cell);
	if (row->worst >= 0)
		text_add_wait(&cell, row->worst);
	text_table_take(table, &cell);
	if (row->names.count > 1)
		add_names(&row->names, &cell);
	text_table_take(table, &cell);
}

static void write_rows(const struct rows *rows, struct strbuf *text)
{
	static const char *const heads[] = { "THREAD", "WANTED", "ACTUAL", "WAITED 10 s", "WORST",
		"" };
	struct text_table table = {
		.columns = ARRAY_SIZE(heads),
		.right = 1 << 3 | 1 << 4,
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		text_table_add(&table, heads[i]);
	for (size_t i = 0; i < rows->count; i++)
		write_row(&rows->items[i], &table);
	text_table_write(&table, text);
	text_table_free(&table);
}

/* Those with a row of their own first. */
static void add_threads(struct rows *rows, const json_t *threads, bool single)
{
	for (size_t i = 0; i < json_array_size(threads); i++)
		if (is_single(json_array_get(threads, i), false) == single)
			add_thread(rows, json_array_get(threads, i), false);
}

void status_add_threads(const json_t *vm, struct strbuf *text)
{
	const json_t *vcpus = json_object_get(vm, "vcpus");
	const json_t *threads = json_object_get(vm, "threads");
	struct rows rows = { 0 };

	for (size_t i = 0; i < json_array_size(vcpus); i++)
		add_thread(&rows, json_array_get(vcpus, i), true);
	add_threads(&rows, threads, true);
	add_threads(&rows, threads, false);
	if (rows.count > 0)
		write_rows(&rows, text);
	if (rows.failed)
		text->failed = true;
	for (size_t i = 0; i < rows.count; i++)
		free_row(&rows.items[i]);
	free(rows.items);
}
