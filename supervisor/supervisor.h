/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "base/list.h"
#include "base/root.h"
#include "base/strbuf.h"
#include "cgroups/cgroups.h"
#include "metrics/http.h"
#include "metrics/latency.h"
#include "model/action.h"
#include "model/spec.h"
#include "supervisor/history.h"
#include "supervisor/loop.h"
#include "supervisor/watch.h"

/* One supervisor process: what all its VMs share. */
struct supervisor {
	struct root root;
	struct cgroups *cgroups;
	struct host_state host;
	char boot_id[40];
	struct cpuset allowed; /* the CPUs this process could use before it moved off the vCPUs' */

	const char *run_dir;
	bool run_dir_made;  /* by us: it goes with us */
	bool run_lock_lost; /* somebody else has it by now: said once */
	bool run_dir_lost;  /* wiped away, and cannot be made anew: said once */
	struct history history;
	int run_fd, run_lock_fd;
	int lock_dir_fd, host_lock_fd; /* -1: somebody else's */

	struct loop *loop;
	struct watch *watch;
	int wake_fd; /* the watch thread has news */
	uint64_t
		leased_ns; /* since when somebody is to watch over it (lease.c); 0: nothing to watch */
	bool lifted;       /* the real-time throttle, by `lift` (throttle.c) */
	struct action lift;
	uint64_t look_at; /* keeper.c */
	struct loop_source *keeper_source;
	struct loop_source *wake_source, *signal_source, *http_source, *control_source;
	int signal_fd;
	struct control *control;
	struct http *http;
	struct inhibit *inhibit; /* NULL: the host may sleep whenever it likes */

	struct list vms; /* vm.link */
	struct strlist
		bad_vms; /* files that no VM could be made of: names, and in the same order */
	struct strlist bad_words; /* what is wrong with them */
	struct histogram qmp_seconds;
	uint64_t qmp_commands, qmp_failures; /* of connections that are gone */
	double scrape_seconds;               /* the last scrape took */
	uint64_t online_read_at; /* when its CPUs are looked at again, once for all VMs' ticks */
	uint64_t host_read_at;   /* all of it */
	bool host_down;          /* it shuts down: nothing is started any more */
};

/* Everything up to the first change of the host: directories, locks, host facts. On failure nothing is
 * left. -EWOULDBLOCK: another supervisor holds the run directory, and err names it. */
int supervisor_open(struct supervisor *sup, const char *run_dir, const char *root, struct err *err);

/* The loop, the watch thread, the control socket; `metrics` NULL: no HTTP. */
int supervisor_start(
	struct supervisor *sup, const char *metrics, enum spec_host_sleep sleep, struct err *err);
void supervisor_close(struct supervisor *sup);

/* Blocks these signals and opens signal_fd for them: before the watch thread is made, which inherits the
 * mask. SIGPIPE is ignored. */
int supervisor_open_signals(
	struct supervisor *sup, const int *signals, size_t count, struct err *err);

#define RUN_LOCK "lock" /* in the run directory */

/* Two supervisors in one run directory would take each other's VMs for their own. -EWOULDBLOCK: there is
 * another one, named in err. */
int supervisor_lock_run_dir(struct supervisor *sup, struct err *err);

/* Reads the host again; what only we know stays. */
int supervisor_read_host(struct supervisor *sup, struct err *err);

/* Carries an action out, whichever room it belongs to. */
enum action_result supervisor_act(
	struct supervisor *sup, const struct action *action, struct err *err);

/* Inhibits the host's sleep for the VMs that live now, or no longer. */
void supervisor_guard_sleep(struct supervisor *sup);

/* This process's own threads keep off the CPUs of all vCPUs, as far as others are left. */
void supervisor_keep_off(struct supervisor *sup);

/* The text that Prometheus scrapes: an http_page_fn, `arg` is the supervisor. */
void page_write(void *arg, struct strbuf *text);

#endif
