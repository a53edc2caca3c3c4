/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_LIFE_H
#define PLAN_LIFE_H

#include "base/clock.h"
#include "model/spec.h"
#include "model/state.h"

#include <stdint.h>

/* What happens to a VM. */
enum life_event {
	LIFE_START,    /* an operator, `run`, or a restart whose delay is over */
	LIFE_FOUND,    /* a QEMU of ours that an earlier supervisor left running */
	LIFE_PREPARED, /* groups are there, files are checked: QEMU may be forked */
	LIFE_SPAWNED,  /* QEMU runs: pid known */
	LIFE_FAILURE,  /* something on the way to `running` failed */
	LIFE_PLACED,   /* every thread read back in its place, `cont` answered */
	LIFE_QMP_LOST, /* the connection ended and the process lives */
	LIFE_QMP_BACK, /* reconnected, verified */
	LIFE_HUNG,     /* the heartbeat's deadline passed */
	LIFE_ANSWERED, /* ... and here it is again */
	LIFE_PAUSE,    /* STOP: by an operator, an I/O error, a panic */
	LIFE_RESUME,
	LIFE_SUSPEND,
	LIFE_WAKE,
	LIFE_STOP,          /* an operator, SIGTERM, host shutdown, an on_* policy */
	LIFE_STOP_GIVEN_UP, /* `stop` without --force after `powerdown`: the guest is left alone */
	LIFE_EXITED,        /* the process is gone; what follows is life_after_exit's verdict: */
	LIFE_ENDED,
	LIFE_RETRY,
	LIFE_GAVE_UP,
	LIFE_EVENTS,
};

/* What to do at a transition; several at once. */
enum life_effect {
	LIFE_PREPARE = 1 << 0,    /* make groups, check files */
	LIFE_SPAWN = 1 << 1,      /* fork QEMU */
	LIFE_ADOPT = 1 << 2,      /* pidfd, QMP, query, place, verify, cont */
	LIFE_KILL = 1 << 3,       /* end a QEMU that never ran its guest */
	LIFE_BEGIN_STOP = 1 << 4, /* first rung of the ladder */
	LIFE_END_STOP = 1 << 5,   /* leave the ladder, the guest goes on */
	LIFE_RELEASE = 1 << 6,    /* give everything back */
	LIFE_DECIDE = 1 << 7,     /* life_after_exit */
	LIFE_RECONNECT = 1 << 8,
	LIFE_ALARM = 1 << 9,
	LIFE_CLEAR = 1 << 10, /* the alarm of the phase that ends here is over */
};

struct life_step {
	enum vm_phase next;
	unsigned effects;
	bool valid; /* false: the event means nothing in this phase, nothing happens */
};

/* The table: next[phase][event]. */
struct life_step life_next(enum vm_phase phase, enum life_event event);
const char *life_event_name(enum life_event event);

/* A QEMU process of this VM exists in this phase. */
bool life_has_process(enum vm_phase phase);

/* Restarts that were counted against the burst limit. Zero-initialise. */
struct life_memory {
	uint64_t starts_ns[64]; /* ring of the latest automatic restarts that count */
	unsigned next, count;
	uint64_t delay_ns; /* the one used last; 0: none yet */
};

enum life_verdict {
	LIFE_VERDICT_END,
	LIFE_VERDICT_RESTART_NOW,
	LIFE_VERDICT_RESTART_LATER,
	LIFE_VERDICT_GIVE_UP,
	LIFE_VERDICT_POWER_OFF_HOST,
};

struct life_exit {
	enum exit_reason reason;
	bool asked_stop;     /* an operator or a signal wanted the VM to end: always wins */
	bool started_before; /* this start was an automatic one */
	uint64_t ran_ns;     /* since `cont`; 0: the guest never ran */
	uint64_t now_ns;
};

/*
 * What follows when a VM has ended: the on_* policies, back-off and burst limit. Having run longer
 * than restart.interval resets the delay. A guest's reboot (on_reboot = restart) never counts. A
 * first start that fails is final; one that fails in a series of restarts is a crash.
 * RESTART_LATER sets *ret_delay_ns and is written into memory.
 */
enum life_verdict life_after_exit(const struct spec *spec, const struct life_exit *end,
	struct life_memory *memory, uint64_t *ret_delay_ns);

/* What QEMU's last words were, as far as they matter for the reason of its end. */
struct life_evidence {
	bool ran;        /* `cont` was answered: the guest has lived */
	bool asked_stop; /* an operator's stop or kill, a signal to the supervisor */
	enum exit_reason
		cause;  /* the supervisor ended it for hang, breach, drift, guest-panic; or NONE */
	bool blind;     /* there was no QMP to say why: a SHUTDOWN could not be seen */
	bool signalled; /* our own child, ended by SIGKILL, SIGSEGV, ...: no doubt a crash */
	bool shutdown_seen; /* a SHUTDOWN event came, with: */
	bool by_guest;      /* guest-shutdown, or a reason we do not know with guest = true */
	bool guest_reset, guest_panic, host_signal, host_other;
};

/* The exit status says nothing (facts.md): the reason comes from events and from who asked. */
enum exit_reason life_classify(const struct life_evidence *evidence);

#define STOP_WAKE_NS (5 * NS_PER_SEC)

/* The rungs of the stop ladder. */
enum stop_rung { STOP_NONE, STOP_POWERDOWN, STOP_QUIT, STOP_TERM, STOP_KILL };

struct stop_ladder {
	enum stop_rung rung;
	bool force;         /* go past STOP_POWERDOWN */
	bool host_shutdown; /* the host goes down: the guest has stop.host_shutdown for it */
	bool asleep; /* the guest, as the caller knows: it sees no button, and is woken first */
	unsigned presses; /* of the power button, so far */
	unsigned wakes;
	uint64_t rung_since_ns, next_press_ns;
	bool done; /* this rung's command was given (quit, TERM, KILL) */
};

enum stop_do {
	STOP_DO_NOTHING,
	STOP_DO_WAKE,
	STOP_DO_PRESS,
	STOP_DO_QUIT,
	STOP_DO_TERM,
	STOP_DO_KILL,
	STOP_DO_GIVE_UP,
};

void stop_begin(struct stop_ladder *ladder, bool force, enum stop_rung first, uint64_t now_ns);

/* A second SIGTERM, or --force on a stop that goes on: the next rung now. */
void stop_hurry(struct stop_ladder *ladder, uint64_t now_ns);

/* How long a ladder with force takes at most until its last rung, SIGKILL; 0: it is there. */
uint64_t stop_left_ns(const struct stop_ladder *ladder, const struct spec *spec, uint64_t now_ns);

/* What to do now, and when to look again. A guest that was woken has STOP_WAKE_NS to come to itself: a button
 * pressed before that is lost. Without `qmp` the button cannot be pressed, and is as soon as it is
 * back; `quit` is passed over. A guest is not cut short because a connection is. */
enum stop_do stop_next(struct stop_ladder *ladder, const struct spec *spec, bool qmp,
	uint64_t now_ns, uint64_t *ret_deadline_ns);

#endif
