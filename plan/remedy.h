/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_REMEDY_H
#define PLAN_REMEDY_H

#include "model/action.h"
#include "model/spec.h"
#include "plan/diff.h"

/*
 * The ladder with memory (design §4): repair at once; when the same kind keeps coming back, repair
 * with growing back-off; report; restart only if the config says so and after repair has failed
 * restart.burst times; what the kernel refuses for good is unfixable and never tried again until
 * the plan changes. One remedy for each (kind, thread role and index, or group).
 */
enum remedy_step {
	REMEDY_REPAIR,  /* do it now */
	REMEDY_WAIT,    /* in back-off: leave it until `until_ns` */
	REMEDY_REPORT,  /* on_drift = report: say it, leave it */
	REMEDY_RESTART, /* the VM */
	REMEDY_LEAVE,   /* unfixable, said already */
};

struct remedy {
	uint64_t window_start_ns; /* repairs are counted in windows of 10 s */
	unsigned repairs;         /* in this window */
	unsigned failures;        /* in a row */
	uint64_t until_ns;        /* back-off */
	uint64_t backoff_ns;
	bool unfixable;
	char reason[256]; /* why unfixable, or what fights */
};

/* Free repairs a window before back-off begins (100 ms, doubling to 10 s; halved again after a quiet
 * window). */
enum { REMEDY_FREE_REPAIRS = 20 };

enum remedy_step remedy_next(const struct remedy *remedy, enum spec_on_drift on_drift,
	unsigned restart_burst, uint64_t now_ns);

/*
 * What came of a repair. `words`: the error's with GIVE_UP and RETRY. A RETRY is a failure and backs off
 * like a fight; a REPLAN is none (the thread is gone) and only keeps off for 100 ms; ALREADY ends a
 * row of failures.
 */
void remedy_result(
	struct remedy *remedy, enum action_result result, const char *words, uint64_t now_ns);

#endif
