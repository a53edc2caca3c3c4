/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_ACTION_H
#define MODEL_ACTION_H

#include "base/err.h"
#include "base/strbuf.h"
#include "model/state.h"

/*
 * Everything that changes the host is one of these, and nothing but a function that takes one does
 * it. `plan` prints them, the log and the journal keep them, `restore` reads them back: all in the
 * one text form of action_format.
 */
enum action_kind {
	ACTION_CG_CREATE,       /* group */
	ACTION_CG_REMOVE,       /* group; its tasks, if any, go to the parent first */
	ACTION_CG_SET,          /* group, file, value, prior */
	ACTION_CG_ATTACH,       /* tid into group; prior: the group it was in */
	ACTION_THREAD_AFFINITY, /* tid, place.cpus */
	ACTION_THREAD_SCHED,    /* tid, place.policy, place.priority, place.nice */
	ACTION_AUTOGROUP,       /* tid = pid, place.nice */
	ACTION_SYSFS_WRITE,     /* file, a path below /proc/sys or /sys; value, prior */
	ACTION_START,           /* value: the command line */
	ACTION_QMP,             /* value: the command */
	ACTION_SIGNAL,          /* tid = pid, value: TERM or KILL */
	ACTION_KINDS,
};

struct action {
	enum action_kind kind;
	pid_t tid; /* also a pid; 0: not about a thread */
	struct placement place;
	char group[MODEL_PATH]; /* below the cpuset hierarchy's root, no leading slash */
	char file[64];          /* "cpuset.cpus"; SYSFS_WRITE: "proc/sys/kernel/…" */
	char value[1024];
	char prior[1024]; /* what was there before */
	bool prior_known; /* an empty prior means that nothing was there, not that nobody looked */
	char reason[256]; /* why, in words */
};

enum action_result {
	ACTION_DONE,
	ACTION_ALREADY, /* found in place */
	ACTION_RETRY,   /* transient: try again later */
	ACTION_REPLAN,  /* the world changed (thread or CPU gone): observe again */
	ACTION_GIVE_UP, /* lasting; err says why */
};

struct actions {
	struct action *items;
	size_t count;
};

/* Appends a copy; 0 or -ENOMEM. */
int actions_add(struct actions *actions, const struct action *action);
void actions_free(struct actions *actions);

/*
 * The one text form, a line without its newline: KIND key=value ... # reason. Blanks, quotes,
 * backslashes, '#', '%', control characters and all bytes beyond ASCII are written as %XX in values;
 * in the reason only control characters, those bytes, and a '%' that would read as such an escape.
 * action_parse reads it back (reason included) and refuses anything else with -EINVAL and words: an
 * unknown kind or key, a key twice, one missing that the kind needs, a group that leads out of the
 * hierarchy, a file elsewhere than it may be.
 */
void action_format(const struct action *action, struct strbuf *text);
int action_parse(const char *line, struct action *ret_action, struct err *err);

/*
 * What takes `action` back; false if nothing is to be taken back (signals, starts, threads) or nobody
 * knows what was there before. cgroup.subtree_control is taken back by "-controller", unless it was
 * on already.
 */
bool action_inverse(const struct action *action, struct action *ret_inverse);

const char *action_kind_name(enum action_kind kind); /* "cg-create", "thread-affinity" */
const char *action_result_name(enum action_result result);

#endif
