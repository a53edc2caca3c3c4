/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_text.h"
#include "cli/text.h"

#include <ctype.h>
#include <string.h>

enum { QEMU_COLUMN = 56 };

void status_add_state(const json_t *vm, double now, struct strbuf *text)
{
	const char *state = field_text(vm, "state");
	bool halted = strcmp(state, "asleep") == 0 || strcmp(state, "paused") == 0;
	double since;

	for (const char *at = state[0] ? state : "state unknown"; *at; at++)
		strbuf_addf(text, "%c", toupper((unsigned char)*at));
	if (!status_runs(vm))
		return;
	/* Of one that does not run: for how long it has not. */
	if (field_number(vm, halted ? "state_since" : "since", &since) && since > 0) {
		strbuf_add(text, " ");
		text_add_duration(text, now - since);
	}
	size_t odd = status_odd_count(vm);
	if (odd > 0)
		strbuf_addf(text, ", %zu thing%s to look at", odd, odd == 1 ? "" : "s");
	else if (strcmp(state, "running") == 0)
		strbuf_add(text, ", healthy");
}

static void add_word(struct strbuf *text, const char *before, const char *word)
{
	if (word[0])
		strbuf_addf(text, "%s%s", text->length > 0 ? before : "", word);
}

void status_add_qemu(const json_t *vm, struct strbuf *text)
{
	struct strbuf words AUTO_STRBUF = { 0 };
	double pid;

	if (field_text(vm, "qemu")[0])
		strbuf_addf(&words, "QEMU %s", field_text(vm, "qemu"));
	add_word(&words, " ", field_text(vm, "accel"));
	if (field_number(vm, "pid", &pid) && pid > 0)
		strbuf_addf(&words, "%spid %.0f", words.length > 0 ? ", " : "", pid);
	add_word(&words, ", ", field_text(vm, "user"));
	strbuf_add(text, words.text ? words.text : "");
}

static void add_head(const json_t *vm, double now, struct strbuf *text)
{
	struct strbuf qemu AUTO_STRBUF = { 0 };
	const char *name = field_text(vm, "name");
	size_t from = text->length;

	strbuf_addf(text, "%s  ", name[0] ? name : "?");
	status_add_state(vm, now, text);
	status_add_qemu(vm, &qemu);
	size_t width = text->length - from;
	if (qemu.length > 0)
		strbuf_addf(text, "%*s%s", width + 2 < QEMU_COLUMN ? (int)(QEMU_COLUMN - width) : 2,
			"", qemu.text);
	strbuf_add(text, "\n");
}

static void add_stalls(const json_t *feels, double now, struct strbuf *text)
{
	double stalls, limit, last;

	if (!field_number(feels, "stalls", &stalls))
		return;
	strbuf_addf(text, "; %.0f stall%s", stalls, stalls == 1 ? "" : "s");
	if (field_number(feels, "stall_limit_seconds", &limit))
		strbuf_addf(text, " over %g ms", limit * 1000);
	if (field_number(feels, "last_stall", &last) && stalls > 0) {
		strbuf_add(text, " (last ");
		text_add_clock(text, last, now);
		strbuf_add(text, ")");
	}
}

static void add_feels(const json_t *vm, double now, struct strbuf *text)
{
	const json_t *feels = json_object_get(vm, "feels");
	double recent, ever;

	if (!status_runs(vm) || !field_number(feels, "worst_wait_10s_seconds", &recent) ||
		!field_number(feels, "worst_wait_seconds", &ever))
		return;
	strbuf_add(text, "feels    worst wait ");
	text_add_wait(text, recent);
	strbuf_add(text, " in 10 s, ");
	text_add_wait(text, ever);
	strbuf_add(text, " since start");
	add_stalls(feels, now, text);
	strbuf_add(text, "\n");
}

static void add_isolation(const json_t *vm, struct strbuf *text)
{
	const json_t *isolation = json_object_get(vm, "isolation");
	const char *cpus = field_text(isolation, "cpus"), *actual = field_text(isolation, "actual");
	const char *reason = field_text(isolation, "reason");
	const char *host = field_text(isolation, "housekeeping");
	bool off = !actual[0] || strcmp(actual, "off") == 0;

	if (!cpus[0])
		return;
	strbuf_addf(text, "cpus     %s %s this VM's%s", cpus, strpbrk(cpus, ",-") ? "are" : "is",
		off ? ", others run there too" : " alone");
	if (!off || reason[0])
		strbuf_addf(text, " (%s%s%s)", off ? "" : actual, !off && reason[0] ? "; " : "",
			reason);
	if (host[0])
		strbuf_addf(text, "; host keeps %s", host);
	strbuf_add(text, "\n");
}

static void add_labelled(const json_t *vm, const char *key, const char *label, struct strbuf *text)
{
	if (field_text(vm, key)[0])
		strbuf_addf(text, "%-8s %s\n", label, field_text(vm, key));
}

static void add_start(const json_t *vm, struct strbuf *text)
{
	static const char *const steps[][2] = {
		{ "greeting_seconds", "greeting" },
		{ "placed_seconds", "all placed" },
		{ "cont_seconds", "guest runs" },
	};
	const json_t *start = json_object_get(vm, "start");
	bool any = false;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		double seconds = field_number_or(start, steps[i][0], 0);

		if (seconds <= 0)
			continue;
		strbuf_addf(text, "%s%s after ", any ? ", " : "start    ", steps[i][1]);
		text_add_wait(text, seconds);
		any = true;
	}
	if (any)
		strbuf_add(text, "\n");
}

/* "guest-shutdown", and when: an object, or as it was meant first, a text. */
static void add_last_exit(const json_t *vm, double now, struct strbuf *text)
{
	const json_t *last = json_object_get(vm, "last_exit");
	double restarts = field_number_or(vm, "restarts", 0), at;
	const char *reason =
		json_is_string(last) ? json_string_value(last) : field_text(last, "reason");

	if (restarts <= 0 && !reason[0])
		return;
	strbuf_addf(text, "ended    %s", reason[0] ? reason : "?");
	if (field_number(last, "at", &at) && at > 0) {
		strbuf_add(text, " at ");
		text_add_clock(text, at, now);
	}
	if (restarts > 0)
		strbuf_addf(text, "; %.0f restart%s", restarts, restarts == 1 ? "" : "s");
	strbuf_add(text, "\n");
}

static void add_stop(const json_t *vm, double now, struct strbuf *text)
{
	const json_t *stop = json_object_get(vm, "stop");
	double presses = field_number_or(stop, "presses", 0), until;

	if (!field_text(stop, "rung")[0])
		return;
	strbuf_addf(text, "stop     %s", field_text(stop, "rung"));
	if (presses > 0)
		strbuf_addf(text, ", power button pressed %.0f time%s", presses,
			presses == 1 ? "" : "s");
	if (field_number(stop, "until", &until)) {
		bool force = json_is_true(json_object_get(stop, "force"));

		strbuf_add(text, force ? "; QEMU is told to quit at " : "; it is left alone at ");
		text_add_clock(text, until, now);
	}
	strbuf_add(text, "\n");
}

void status_vm_text(const json_t *vm, double now, struct strbuf *text)
{
	json_t *clean = text_clean_json(vm);

	if (!clean)
		text->failed = true;
	add_head(clean, now, text);
	add_feels(clean, now, text);
	add_stop(clean, now, text);
	status_add_threads(clean, text);
	add_isolation(clean, text);
	add_labelled(clean, "policy_reason", "policy", text);
	add_labelled(clean, "place_reason", "place", text);
	status_add_devices(clean, text);
	add_start(clean, text);
	add_last_exit(clean, now, text);
	status_add_odd(clean, now, text);
	json_decref(clean);
}
