/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/remedy.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const uint64_t window_ns = 10 * NS_PER_SEC;
static const uint64_t backoff_min_ns = 100 * NS_PER_MS, backoff_max_ns = 10 * NS_PER_SEC;

enum remedy_step remedy_next(const struct remedy *remedy, enum spec_on_drift on_drift,
	unsigned restart_burst, uint64_t now_ns)
{
	unsigned burst = restart_burst ? restart_burst : 1;

	if (remedy->unfixable)
		return REMEDY_LEAVE;
	if (on_drift == ON_DRIFT_REPORT)
		return REMEDY_REPORT;
	if (on_drift == ON_DRIFT_RESTART && remedy->failures >= burst)
		return REMEDY_RESTART;
	return now_ns < remedy->until_ns ? REMEDY_WAIT : REMEDY_REPAIR;
}

static uint64_t grown(uint64_t backoff_ns)
{
	if (backoff_ns == 0)
		return backoff_min_ns;
	return backoff_ns >= backoff_max_ns / 2 ? backoff_max_ns : backoff_ns * 2;
}

/* Begins a new window where the old one is over. Each whole window without a repair halves the
 * back-off. */
static void roll_window(struct remedy *remedy, uint64_t now_ns)
{
	uint64_t passed = now_ns > remedy->window_start_ns
				  ? (now_ns - remedy->window_start_ns) / window_ns
				  : 0;

	if (passed == 0)
		return;
	uint64_t quiet = remedy->repairs > 0 ? passed - 1 : passed;
	remedy->backoff_ns = quiet < 64 ? remedy->backoff_ns >> quiet : 0;
	if (remedy->backoff_ns < backoff_min_ns)
		remedy->backoff_ns = 0;
	if (remedy->backoff_ns == 0)
		remedy->reason[0] = '\0';
	remedy->window_start_ns += passed * window_ns;
	remedy->repairs = 0;
}

static void repaired(struct remedy *remedy, uint64_t now_ns)
{
	remedy->failures = 0;
	remedy->repairs++;
	remedy->until_ns = 0;
	if (remedy->backoff_ns == 0 && remedy->repairs <= REMEDY_FREE_REPAIRS)
		return;
	remedy->backoff_ns = grown(remedy->backoff_ns);
	remedy->until_ns = now_ns + remedy->backoff_ns;
	snprintf(remedy->reason, sizeof(remedy->reason),
		"something keeps undoing it (%u repairs in this 10 s window): the next not before "
		"%llu ms",
		remedy->repairs, (unsigned long long)(remedy->backoff_ns / NS_PER_MS));
}

/* A repair that the world did not let happen: later, and later each time. */
static void failed(struct remedy *remedy, const char *words, uint64_t now_ns)
{
	uint64_t wait_ns = backoff_min_ns;

	for (unsigned i = 0; i < remedy->failures && wait_ns < backoff_max_ns; i++)
		wait_ns = grown(wait_ns);
	remedy->failures++;
	remedy->until_ns = now_ns + wait_ns;
	snprintf(remedy->reason, sizeof(remedy->reason), "failed %u times: %.200s",
		remedy->failures, words && words[0] ? words : "no reason given");
}

void remedy_result(
	struct remedy *remedy, enum action_result result, const char *words, uint64_t now_ns)
{
	if (remedy->window_start_ns == 0)
		remedy->window_start_ns = now_ns;
	roll_window(remedy, now_ns);
	switch (result) {
	case ACTION_DONE:
		repaired(remedy, now_ns);
		break;
	case ACTION_ALREADY:
		remedy->failures = 0;
		break;
	case ACTION_RETRY:
		failed(remedy, words, now_ns);
		break;
	case ACTION_REPLAN:
		/* A thread that is gone is no failure of ours, but not worth a try every tick. */
		remedy->until_ns = now_ns + backoff_min_ns;
		break;
	case ACTION_GIVE_UP:
		remedy->unfixable = true;
		snprintf(remedy->reason, sizeof(remedy->reason), "%.250s",
			words && words[0] ? words : "no reason given");
		break;
	}
}
