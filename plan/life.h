/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_LIFE_H
#define PLAN_LIFE_H

#include "model/spec.h"
#include "model/state.h"

#include <stdint.h>

/* What happens to a VM. */
enum life_event {
	LIFE_START,    /* an operator, `run`, or a restart whose delay is over */
	LIFE_PREPARED, /* groups are there, QEMU may be forked */
	LIFE_SPAWNED,  /* QEMU runs: pid known */
	LIFE_FAILED,   /* something on the way to `running` failed */
	LIFE_PLACED,   /* every thread read back in its place, `cont` answered */
	LIFE_QMP_LOST,
	LIFE_QMP_BACK, /* reconnected, verified */
	LIFE_HUNG,     /* the heartbeat's deadline passed */
	LIFE_ANSWERED, /* ... and here it is again */
	LIFE_PAUSED,   /* STOP: by an operator, an I/O error, a panic */
	LIFE_RESUMED,
	LIFE_SUSPENDED,
	LIFE_WOKE,
	LIFE_STOP,          /* an operator, SIGTERM, host shutdown, an on_* policy */
	LIFE_STOP_GIVEN_UP, /* `stop` without --force after `powerdown`: the guest is left alone */
	LIFE_EXITED,        /* the process is gone and everything is collected */
	LIFE_EVENTS,
};

/* What to do at a transition; several at once. */
enum life_effect {
	LIFE_PREPARE = 1 << 0, /* make groups, check files */
	LIFE_SPAWN = 1 << 1,
	LIFE_ADOPT = 1 << 2,      /* pidfd, QMP, query, place, verify, cont */
	LIFE_KILL = 1 << 3,       /* end a QEMU that did not get as far as running its guest */
	LIFE_BEGIN_STOP = 1 << 4, /* first rung of the ladder */
	LIFE_END_STOP = 1 << 5,   /* leave the ladder, the guest goes on */
	LIFE_RELEASE = 1 << 6,    /* give everything back */
	LIFE_DECIDE = 1 << 7,     /* life_after_exit */
	LIFE_RECONNECT = 1 << 8,
	LIFE_ALARM = 1 << 9,
};

struct life_step {
	enum vm_phase next;
	unsigned effects;
	bool valid; /* false: the event means nothing in this phase, nothing happens */
};

/* The table: next[phase][event]. */
struct life_step life_next(enum vm_phase phase, enum life_event event);
const char *life_event_name(enum life_event event);

/* Restarts that were counted against the burst limit. */
struct life_memory {
	uint64_t starts_ns[32]; /* ring of the latest automatic restarts that count */
	unsigned count, next;
	uint64_t delay_ns; /* the one used last; 0: none yet */
};

enum life_verdict {
	LIFE_END,
	LIFE_RESTART_NOW,
	LIFE_RESTART_LATER,
	LIFE_GIVE_UP,
	LIFE_POWER_OFF_HOST
};

/*
 * What follows when a VM has ended for `reason`: the on_* policies, back-off and burst limit.
 * `asked_stop`: an operator wanted it to end, which always wins. `ran_ns`: how long it ran; longer
 * than restart.interval resets the delay. A guest's reboot (on_reboot = restart) never counts.
 * RESTART_LATER sets *ret_delay_ns. Writes the restart into memory.
 */
enum life_verdict life_after_exit(const struct spec *spec, enum exit_reason reason, bool asked_stop,
	uint64_t ran_ns, uint64_t now_ns, struct life_memory *memory, uint64_t *ret_delay_ns);

/* The rungs of the stop ladder. */
enum stop_rung { STOP_POWERDOWN, STOP_QUIT, STOP_TERM, STOP_KILL, STOP_DONE };

struct stop_ladder {
	enum stop_rung rung;
	bool force;       /* go past STOP_POWERDOWN */
	unsigned presses; /* of the power button, so far */
	uint64_t rung_since_ns, next_press_ns;
};

enum stop_do {
	STOP_DO_NOTHING,
	STOP_DO_PRESS,
	STOP_DO_QUIT,
	STOP_DO_TERM,
	STOP_DO_KILL,
	STOP_DO_GIVE_UP
};

void stop_begin(struct stop_ladder *ladder, bool force, enum stop_rung first, uint64_t now_ns);
/* A second SIGTERM, or --force on a stop that goes on: the next rung now. */
void stop_hurry(struct stop_ladder *ladder, uint64_t now_ns);
/* What to do now, and when to look again. `qmp`: can commands be sent? Without it the rungs that need
 * it are skipped under force. */
enum stop_do stop_next(struct stop_ladder *ladder, const struct spec *spec, bool qmp,
	uint64_t now_ns, uint64_t *ret_deadline_ns);

#endif
