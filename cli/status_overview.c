/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_text.h"
#include "cli/text.h"

#include <string.h>

/* Held, or why not; a host without VFIO VMs has nothing to say. */
static void add_sleep(const json_t *host, struct strbuf *text)
{
	const json_t *sleep = json_object_get(host, "sleep");
	const char *inhibitor = field_text(sleep, "inhibitor");
	const char *reason = field_text(sleep, "reason");

	if (strcmp(inhibitor, "held") == 0)
		strbuf_add(text, "; it does not sleep meanwhile");
	else if (strcmp(inhibitor, "failed") == 0)
		strbuf_addf(text, "; its sleep cannot be blocked (logind: %s)",
			reason[0] ? reason : "?");
}

static void add_host(const json_t *host, struct strbuf *text)
{
	const char *cgroups = field_text(host, "cgroups"), *kernel = field_text(host, "kernel");
	const char *holder = field_text(host, "holder");

	if (!json_is_object(host))
		return;
	strbuf_add(text, "host: ");
	strbuf_addf(text, "cgroups %s, kernel %s", cgroups[0] ? cgroups : "?",
		kernel[0] ? kernel : "?");
	if (field_is_false(host, "owner"))
		strbuf_addf(text, "; host-wide settings are another supervisor's%s%s%s",
			holder[0] ? " (" : "", holder, holder[0] ? ")" : "");
	if (json_is_true(json_object_get(host, "rt_throttle_lifted")))
		strbuf_add(text, "; the real-time throttle is lifted");
	add_sleep(host, text);
	strbuf_add(text, "\n");
}

static void add_feels(const json_t *vm, struct strbuf *cell)
{
	double worst;

	if (!status_runs(vm) ||
		!field_number(json_object_get(vm, "feels"), "worst_wait_10s_seconds", &worst))
		return;
	strbuf_add(cell, "worst wait ");
	text_add_wait(cell, worst);
	strbuf_add(cell, " in 10 s");
}

static void add_vm(const json_t *vm, double now, struct text_table *table)
{
	struct strbuf cell = { 0 };
	const char *name = field_text(vm, "name");

	text_table_add(table, name[0] ? name : "?");
	status_add_state(vm, now, &cell);
	text_table_take(table, &cell);
	add_feels(vm, &cell);
	text_table_take(table, &cell);
	status_add_qemu(vm, &cell);
	text_table_take(table, &cell);
}

static void add_bad_files(const json_t *files, struct strbuf *text)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);

		strbuf_addf(text, "! %s is left out: %s\n", field_text(file, "vm"),
			field_text(file, "words"));
	}
}

void status_overview_text(const json_t *overview, double now, struct strbuf *text)
{
	json_t *clean = text_clean_json(overview);
	const json_t *vms = json_object_get(clean, "vms");
	struct text_table table = { .columns = 4 };

	if (!clean)
		text->failed = true;
	for (size_t i = 0; i < json_array_size(vms); i++)
		add_vm(json_array_get(vms, i), now, &table);
	text_table_write(&table, text);
	text_table_free(&table);
	add_bad_files(json_object_get(clean, "bad_files"), text);
	if (json_array_size(vms) == 0)
		strbuf_add(text, "No VM is here.\n");
	add_host(json_object_get(clean, "host"), text);
	strbuf_add(text, json_array_size(vms) > 0
				 ? "one in full: vfio-sup status NAME; all verbs: vfio-sup help\n"
				 : "start one: vfio-sup run FILE; all verbs: vfio-sup help\n");
	json_decref(clean);
}
