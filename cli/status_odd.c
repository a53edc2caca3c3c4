/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not as it should be, each with its cure; and devices, where the same is marked. */
#include "cli/status_text.h"
#include "cli/text.h"

#include <string.h>

static void add_cure(const char *fix, struct strbuf *text)
{
	if (fix[0])
		strbuf_addf(text, "           fix: %s\n", fix);
}

/* An object with kind, what, since, reason, fix; or only words. */
static void add_entry(const char *label, const json_t *entry, double now, struct strbuf *text)
{
	const char *what =
		json_is_string(entry) ? json_string_value(entry) : field_text(entry, "what");
	const char *kind = field_text(entry, "kind"), *reason = field_text(entry, "reason");
	double since;

	strbuf_addf(text, "%-8s ! %s", label, what[0] ? what : kind[0] ? kind : "?");
	if (reason[0])
		strbuf_addf(text, ": %s", reason);
	if (field_number(entry, "since", &since) && since > 0) {
		strbuf_add(text, " (for ");
		text_add_duration(text, now - since);
		strbuf_add(text, ")");
	}
	strbuf_add(text, "\n");
	add_cure(field_text(entry, "fix"), text);
}

static void add_entries(const char *label, const json_t *list, double now, struct strbuf *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		add_entry(i == 0 ? label : "", json_array_get(list, i), now, text);
}

/* "2 affinity, 1 policy" */
static void add_kinds(const json_t *drift, struct strbuf *text)
{
	json_t *kinds = json_object_get(drift, "repaired_by_kind");
	const char *kind, *before = ": ";
	json_t *count;

	json_object_foreach(kinds, kind, count)
	{
		if (!json_is_number(count))
			continue;
		strbuf_addf(text, "%s%.0f ", before, json_number_value(count));
		text_add_clean(text, kind);
		before = ", ";
	}
}

static void add_drift(const json_t *vm, double now, struct strbuf *text)
{
	const json_t *drift = json_object_get(vm, "drift");
	const json_t *open = json_object_get(drift, "open");
	const json_t *unfixable = json_object_get(drift, "unfixable");

	if (!json_is_object(drift))
		return;
	strbuf_addf(text, "repaired %.0f", field_number_or(drift, "repaired", 0));
	add_kinds(drift, text);
	if (json_array_size(open) + json_array_size(unfixable) == 0)
		strbuf_add(text, "        open: nothing");
	strbuf_add(text, "\n");
	add_entries("open", open, now, text);
	add_entries("lasting", unfixable, now, text);
}

void status_add_odd(const json_t *vm, double now, struct strbuf *text)
{
	const json_t *pending = json_object_get(vm, "pending");

	add_drift(vm, now, text);
	add_entries("alarms", json_object_get(vm, "alarms"), now, text);
	for (size_t i = 0; i < json_array_size(pending); i++) {
		const json_t *entry = json_array_get(pending, i);
		const char *words = json_is_string(entry) ? json_string_value(entry)
							  : field_text(entry, "what");

		strbuf_addf(text, "%-8s %s\n", i == 0 ? "pending" : "", words[0] ? words : "?");
	}
}

static void add_irqs(const json_t *irqs, const char *host, struct strbuf *text)
{
	for (size_t i = 0; host[0] && i < json_array_size(irqs); i++) {
		const json_t *irq = json_array_get(irqs, i);
		const char *state = field_text(irq, "state");
		bool odd = state[0] && strcmp(state, "ok") != 0;

		if (strstr(field_text(irq, "name"), host))
			strbuf_addf(text, "  irq %.0f on CPU %s%s%s",
				field_number_or(irq, "irq", -1), field_text(irq, "cpus_actual"),
				odd ? " ! " : "", odd ? state : "");
	}
}

void status_add_devices(const json_t *vm, struct strbuf *text)
{
	static const char *const keys[] = { "driver", "interrupts", "power" };
	const json_t *devices = json_object_get(vm, "devices");

	for (size_t i = 0; i < json_array_size(devices); i++) {
		const json_t *device = json_array_get(devices, i);
		const char *host = field_text(device, "host");

		strbuf_addf(text, "%-8s %s", i == 0 ? "devices" : "", host[0] ? host : "?");
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			if (field_text(device, keys[k])[0])
				strbuf_addf(text, "  %s", field_text(device, keys[k]));
		add_irqs(json_object_get(vm, "irqs"), host, text);
		strbuf_add(text, "\n");
	}
}
