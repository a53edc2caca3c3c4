/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_VM_H
#define SUPERVISOR_VM_H

#include "host/process.h"
#include "model/spec.h"
#include "plan/launch.h"
#include "plan/life.h"
#include "plan/place.h"
#include "plan/remedy.h"
#include "qmp/answers.h"
#include "qmp/qmp.h"
#include "supervisor/counters.h"
#include "supervisor/supervisor.h"

enum { WINDOW_SECONDS = 10, VM_ALARMS = 16 };

/* The last seconds of a thread's run-queue wait, one entry a slow tick. */
struct window {
	struct {
		uint64_t at_ns, wait_ns, worst_ns;
	} entries[WINDOW_SECONDS + 1];
	unsigned next, count;
};

/* What is kept of a thread besides its placement. */
struct tracked {
	pid_t tid;
	enum role role;
	int index;
	int slot;                   /* of the watch thread; -1: not a vCPU, or no place there */
	struct placement watched;   /* what that slot holds it to */
	uint64_t wait_ns, worst_ns; /* as last read; most in one slow tick. vCPUs: see counters */
	bool primed;                /* wait_ns was read before */
	uint64_t stalls;            /* as last read, of a vCPU */
	double fight_since[DRIFT_NICE + 1]; /* Unix seconds; 0: nobody fights */
	uint64_t repaired[DRIFT_NICE + 1];  /* by the watch thread, as last said */
	struct window window;
};

/* One kind of drift of one thing, with what was tried. Open while it is there. */
struct drift_record {
	enum drift_kind kind;
	enum role role;
	int index;
	pid_t tid;              /* only where role and index do not tell threads apart */
	char group[MODEL_PATH]; /* about a group */
	struct remedy remedy;
	bool open, seen;
	double since;
	char words[256], fix[256];
	uint64_t quiet_until_ns; /* said once a burst */
	unsigned unsaid;
};

/* A lasting state that somebody should know of. */
struct alarm {
	char kind[32]; /* "" : free */
	char what[160], reason[256], fix[160];
	double since;
};

/* Who wants to hear of what happens to the VM (a `stop` or `start` over the control socket). */
struct vm_watcher {
	struct list link; /* vm.watchers */
	/* `done`: the last call; `ok`: what was wanted has come about. */
	void (*tell)(struct vm_watcher *watcher, bool done, bool ok, const char *words);
};

struct vm {
	struct list link; /* supervisor.vms */
	struct supervisor *sup;
	struct spec spec;    /* as it runs, or as it would be started */
	struct spec pending; /* the file has changed since: for the next start. text NULL: none */

	/* Decided before each start. */
	bool as_unit; /* QEMU is a service of systemd's, or would be at the next start */
	struct place_plan plan;
	struct strlist argv;
	struct pci_functions pci; /* that it gets */
	struct user user;         /* of QEMU */
	bool kvm;
	bool autostarted; /* in this boot: never again by itself */
	bool checked;     /* all of this is fresh: the next start need not decide it again */

	enum vm_phase phase;
	uint64_t phase_ns;
	double phase_since; /* the same in Unix seconds */
	int dirfd, iofd;
	struct counters *counters;

	/* The process. */
	struct vm_launch *launch; /* ordered from systemd, and not there yet; or NULL */
	struct process_identity identity;
	int pidfd;  /* -1: none */
	bool child; /* ours to reap */
	double since;
	uint64_t spawned_ns, greeting_ns, placed_ns, cont_ns; /* of this start; 0: not yet */
	struct loop_source *pid_source, *timer_source, *qmp_source;

	struct qmp *qmp;
	char lost_words[160];         /* why it was lost */
	char version[32];             /* QEMU's, from the last greeting */
	enum qmp_run_state run_state; /* what QEMU said last */
	unsigned heard_lines;         /* of QEMU's that went into the log lately */
	struct qmp_thread *named;     /* by QMP: vCPUs, then iothreads */
	size_t named_vcpus, named_count;
	bool fresh;              /* started by us with -S: `cont` is still to come */
	bool maybe_fresh;        /* nobody knows whether it came */
	uint64_t wait_ns[ROLES]; /* of all threads that are no vCPUs, summed up by role */
	uint64_t qmp_events[QMP_EVENT_MEMORY_FAILURE + 1];

	struct vm_state wanted, seen;
	struct tracked *tracked;
	size_t tracked_count;
	struct drift_record *drifts;
	size_t drift_count;
	struct alarm alarms[VM_ALARMS];
	struct strlist done; /* host changes to give back, in order, each in its text form */
	unsigned changed, given_back;

	struct stop_ladder ladder;
	bool stop_asked;
	bool pressed;                 /* a stop was given up, but its button may still work */
	bool found_stop, found_force; /* what its last supervisor was about to do */
	enum exit_reason found_cause;
	bool found_start;       /* ... to start it (again), and there is no QEMU */
	bool foreign;           /* what runs under its name is not ours: nothing of it is touched */
	enum exit_reason cause; /* we end it for this */
	struct life_evidence evidence;
	struct life_memory memory;
	struct err failure; /* of the start that failed */
	enum exit_reason last_exit;
	double last_exit_at;
	unsigned restarts;
	bool power_off_host;

	/* Monotonic; CLOCK_NEVER: not set. */
	uint64_t slow_at, beat_at, restart_at, ladder_at, place_at, reconnect_at, panic_at, hang_at,
		lost_at;
	uint64_t place_until, connect_until;
	struct list watchers; /* vm_watcher.link */
};

/* vm.c. Takes the spec over, also on failure. */
/* vm_open: its directory and files; vm_get_ready: everything that is checked before, too. */
int vm_open(struct vm *vm, struct err *err);
int vm_get_ready(struct vm *vm, struct err *err);
void vm_close(struct vm *vm, bool remove);
int vm_new(struct supervisor *sup, struct spec *spec, struct vm **ret_vm, struct err *err);
void vm_free(struct vm *vm); /* only without a process, or to leave it running */
void vm_event(struct vm *vm, enum life_event event);
int vm_save(struct vm *vm); /* vm.json; what fails is an alarm, too */
void vm_tell(struct vm *vm, bool done, bool ok, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void vm_alarm(
	struct vm *vm, const char *kind, const char *what, const char *reason, const char *fix);
void vm_alarm_clear(struct vm *vm, const char *kind);
bool vm_has_alarm(struct vm *vm, const char *kind);
void vm_alarms_forget(struct vm *vm); /* what was odd about the QEMU before */
struct vm *vm_find(struct supervisor *sup, const char *name); /* NULL: there is none */
bool vm_lives(const struct vm *vm);                           /* it has a process */
bool vm_is_up(
	const struct vm *vm); /* it has, or will have one: it holds on to its CPUs and devices */

/* vm_timers.c */
extern const struct source_ops vm_timer_source;
void vm_no_timers(struct vm *vm);
uint64_t vm_about(
	uint64_t at_ns); /* what need not be exact falls together: one turn of the loop for many */
void vm_news(struct vm *vm, uint64_t now_ns); /* the watch thread says that something happened */

/* vm_check.c: everything that can be found out before the first change. 0 or -errno with words. */
int vm_check(struct vm *vm, struct err *err);
/* The part of it that holds for a QEMU that runs already. */
int vm_check_running(struct vm *vm, struct err *err);
int vm_check_group_free(struct vm *vm, struct err *err);

/* vm_others.c: the host as "auto" sees it, without what other VMs have; refusals that name both VMs; the PCI
 * functions that this VM gets. */
struct host_state vm_host_without_others(const struct vm *vm);
int vm_check_cpus_free(const struct vm *vm, struct err *err);
int vm_note_functions(struct vm *vm, const struct pci_functions *slots, size_t count);
int vm_check_functions_free(const struct vm *vm, struct err *err);

/* vm_prepare.c: groups and shield; and the way back. */
int vm_prepare(struct vm *vm, struct err *err);
/* As far as it does not stand; where it cannot be had the plan is made anew without it. */
void vm_put_up_shield(struct vm *vm);
void vm_release(struct vm *vm);

/* One change of the host, in the journal before it is made. */
int vm_note_done(struct vm *vm, const struct action *action);
enum action_result vm_change(struct vm *vm, struct action *action, struct err *err);

/* vm_spawn.c: forks QEMU into its group; it runs once vm.json is synced. */
int vm_spawn(struct vm *vm, struct err *err);
int vm_open_log(struct vm *vm); /* descriptor or -errno */
int vm_bind_monitor(
	struct vm *vm); /* QMP's socket, on which QEMU will listen: descriptor or -errno */
int vm_not_written(int r, struct err *err); /* the words of it; returns r */
/* Into the emulator's group and CPUs, where its threads are born. */
int vm_place_process(struct vm *vm, pid_t pid, struct err *err);
void vm_spawn_failed(struct vm *vm); /* vm.c: no process has come of it */

/* vm_unit.c: the same through systemd. The pid comes later, with LIFE_SPAWNED or vm_spawn_failed. */
int vm_spawn_unit(struct vm *vm, struct err *err);
bool vm_cancel_launch(struct vm *vm); /* true: it was on its way, and ends once it is there */
void vm_drop_launch(struct vm *vm);
/* Its unit's main process becomes identity and pidfd. 1; 0: there is none; -errno with words. */
int vm_find_unit(struct vm *vm, struct err *err);
/* identity and pidfd of a pid that somebody has just named; -ESRCH: gone meanwhile. */
int vm_hold_process(struct vm *vm, pid_t pid);
/* The groups below the unit's own, as far as they are missing, and the shield, which needs them. What cannot
 * be had is left out of the plan. Nothing to do for others. */
void vm_make_unit_groups(struct vm *vm);
void vm_watch_process(struct vm *vm);
void vm_drop_process(struct vm *vm);

/* vm_adopt.c: QMP, names of threads, placement, `cont`. */
void vm_adopt(struct vm *vm);
/* The monitor could not be reached (`r`): true if that only means that QEMU is not that far yet. */
bool vm_connect_again(struct vm *vm, int r, uint64_t now_ns);
void vm_try_place(struct vm *vm, uint64_t now_ns);
void vm_ask_threads(struct vm *vm);
/* A QEMU that an earlier supervisor left running. 1: it is ours now, LIFE_FOUND is next; 0: there is none;
 * -errno with words: there is, and it is left alone. */
int vm_find_running(struct vm *vm, struct err *err);
void vm_take_over(struct vm *vm);
void vm_start_again(struct vm *vm); /* found_start: what its last supervisor was about to do */

/* vm_qmp.c: the connection, events, the heartbeat. */
extern const struct qmp_handlers vm_qmp_handlers;
void vm_beat(struct vm *vm, uint64_t now_ns);
void vm_follow_run_state(struct vm *vm); /* running, asleep or paused, as QEMU said last */
bool vm_is_halted(const struct vm *vm);  /* by `stop`, an I/O error, ... */
void vm_reconnect(struct vm *vm, uint64_t now_ns);
void vm_qmp_lost(struct vm *vm); /* and the process is still there */

/* vm_stop.c: the ladder, and every other way to end. */
void vm_stop(struct vm *vm, bool force);
/* A stop with force, or a gentle one that goes on past its end from now: not a moment sooner. When the host
 * goes down the guest has its own, longer time. */
void vm_insist(struct vm *vm, bool host_shutdown);
void vm_kill(struct vm *vm);
void vm_hurry(struct vm *vm);
void vm_take_up_intent(struct vm *vm, bool stop, bool force, enum exit_reason cause);
void vm_end_for(struct vm *vm, enum exit_reason cause);
void vm_climb(struct vm *vm, uint64_t now_ns);

/* vm_end.c: the process is gone. */
void vm_exited(struct vm *vm);
void vm_decide(struct vm *vm);
bool vm_ended_well(const struct vm *vm); /* its last end: by the guest, or as somebody wished */

/* vm_log.c: QEMU's own words. */
void vm_last_words(struct vm *vm, char *words, size_t size);
/* What is new in qemu.log goes into the log, so many lines a turn, and the file is kept short. `ended`: there
 * will be no more turns. */
void vm_hear(struct vm *vm, bool ended);

/* observe.c: reads `seen` from the kernel. 0 or -errno (-ESRCH: no process). */
int vm_observe(struct vm *vm, struct err *err);

/* reconcile.c: one slow tick's work. Returns the number of drifts left that are worth another try soon. */
unsigned vm_reconcile(struct vm *vm, bool initial);
void vm_read_shield(struct vm *vm, struct cpuset *have); /* spec.shield.count entries */

/* drifts.c: what is known of each drift. */
struct drift_record *vm_drift_record(struct vm *vm, const struct drift *drift);
void vm_drift_said(struct vm *vm, struct drift_record *record, const char *what);
void vm_drifts_forget(struct vm *vm);
bool vm_drift_open(const struct vm *vm);

/* tracked.c: the watch thread's slots and the wait of all threads. */
void vm_track(struct vm *vm);
void vm_untrack(struct vm *vm);
void vm_sample(struct vm *vm, uint64_t now_ns);
void vm_report_repairs(struct vm *vm); /* the watch thread's, into the log */
struct tracked *vm_tracked(const struct vm *vm, pid_t tid);
void window_add(struct window *window, uint64_t at_ns, uint64_t wait_ns, uint64_t worst_ns);
double window_share(const struct window *window);   /* of time waited, 0..1 */
uint64_t window_worst(const struct window *window); /* ns */

#endif
