/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "vcpu 0", "iothread 1", "emulator", "worker 4711". */
static void thread_words(const struct drift *drift, char *words, size_t size)
{
	const char *role = role_name(drift->role);

	if (drift->role == ROLE_MAIN)
		snprintf(words, size, "%s", role);
	else if (drift->index >= 0)
		snprintf(words, size, "%s %d", role, drift->index);
	else
		snprintf(words, size, "%s %d", role, (int)drift->tid);
}

static void policy_words(const struct placement *place, char *words, size_t size)
{
	const char *name = sched_class_name(place->policy);

	if (place->policy == SCHED_CLASS_FIFO || place->policy == SCHED_CLASS_RR)
		snprintf(words, size, "%s %d", name, place->priority);
	else
		snprintf(words, size, "%s", name);
}

static void cpus_words(const struct cpuset *cpus, char *words, size_t size)
{
	char text[CPUSET_TEXT];

	cpuset_format(cpus, text, sizeof(text));
	snprintf(words, size, "%.90s", text[0] ? text : "none");
}

static void words_of_thread(const struct drift *drift, char *words, size_t size)
{
	char who[48], seen[96], wanted[96];

	thread_words(drift, who, sizeof(who));
	switch (drift->kind) {
	case DRIFT_AFFINITY:
		cpus_words(&drift->seen.cpus, seen, sizeof(seen));
		cpus_words(&drift->wanted.cpus, wanted, sizeof(wanted));
		snprintf(words, size, "%s: affinity %s, wanted %s", who, seen, wanted);
		break;
	case DRIFT_POLICY:
		policy_words(&drift->seen, seen, sizeof(seen));
		policy_words(&drift->wanted, wanted, sizeof(wanted));
		snprintf(words, size, "%s: policy %s, wanted %s", who, seen, wanted);
		break;
	case DRIFT_NICE:
		snprintf(words, size, "%s: nice %d, wanted %d", who, drift->seen.nice,
			drift->wanted.nice);
		break;
	case DRIFT_CGROUP:
		snprintf(words, size, "%s: in group %.90s, wanted %s", who,
			drift->group[0] ? drift->group : "/", cg_slot_name(drift->wanted.slot));
		break;
	default:
		snprintf(words, size, "%s: new, not yet placed", who);
	}
}

void drift_words(const struct drift *drift, char *words, size_t size)
{
	char seen[96], wanted[96];

	cpus_words(&drift->seen.cpus, seen, sizeof(seen));
	cpus_words(&drift->wanted.cpus, wanted, sizeof(wanted));
	if (drift->kind == DRIFT_CPUSET)
		snprintf(words, size, "group %s: CPUs %s, wanted %s", drift->group, seen, wanted);
	else if (drift->kind == DRIFT_SHIELD)
		snprintf(words, size, "shield: group %s has CPUs %s again, wanted %s", drift->group,
			seen, wanted);
	else if (drift->kind == DRIFT_AUTOGROUP)
		snprintf(words, size, "autogroup: nice %d, wanted %d", drift->seen.nice,
			drift->wanted.nice);
	else
		words_of_thread(drift, words, size);
}

/* The actions of one drift; the first error stays. */
struct mend {
	const struct place_plan *plan;
	const struct host_state *host;
	const struct drift *drift;
	struct actions *actions;
	int r;
};

static void add(struct mend *mend, struct action *action)
{
	drift_words(mend->drift, action->reason, sizeof(action->reason));
	if (mend->r == 0)
		mend->r = actions_add(mend->actions, action);
}

static void add_affinity(struct mend *mend)
{
	struct action action = { .kind = ACTION_THREAD_AFFINITY, .tid = mend->drift->tid };

	/* The kernel's answer never has a CPU that is offline: read back as wanted. */
	action.place.cpus = cpuset_and(&mend->drift->wanted.cpus, &mend->host->online);
	if (!cpuset_empty(&action.place.cpus))
		add(mend, &action);
}

static void add_sched(struct mend *mend)
{
	const struct placement *wanted = &mend->drift->wanted;
	struct action action = { .kind = ACTION_THREAD_SCHED, .tid = mend->drift->tid };

	action.place.policy = wanted->policy;
	action.place.priority = wanted->priority;
	action.place.nice = mend->host->may_nice ? wanted->nice : mend->drift->seen.nice;
	add(mend, &action);
}

/* v2: threads enter the threaded groups only from within "vm". A process that was moved out of there
 * goes back as a whole first. */
static bool left_vm(const struct mend *mend, const char *was)
{
	char vm[MODEL_PATH];
	size_t n = strlen(place_vm_group(mend->plan, mend->host->cg_mode, vm));

	if (mend->host->cg_mode != CG_MODE_V2 || mend->drift->seen.slot != SLOT_OUTSIDE)
		return false;
	return strncmp(was, vm, n) != 0 || (was[n] && was[n] != '/');
}

static void add_attach(struct mend *mend)
{
	const struct drift *drift = mend->drift;
	struct action action = { .kind = ACTION_CG_ATTACH, .tid = drift->tid };
	const char *was = drift->group[0] == '/' ? drift->group + 1 : drift->group;

	if (!mend->plan->group[0])
		return;
	snprintf(action.prior, sizeof(action.prior), "%s", was);
	action.prior_known = true;
	if (left_vm(mend, was)) {
		place_vm_group(mend->plan, mend->host->cg_mode, action.group);
		add(mend, &action);
	}
	place_slot_group(mend->plan, mend->host->cg_mode, drift->wanted.slot, action.group);
	add(mend, &action);
}

static void add_cpuset(struct mend *mend)
{
	const struct drift *drift = mend->drift;
	struct action action = { .kind = ACTION_CG_CREATE };

	memcpy(action.group, drift->group, sizeof(action.group));
	if (drift->kind == DRIFT_CPUSET && cpuset_empty(&drift->seen.cpus))
		add(mend, &action);
	action.kind = ACTION_CG_SET;
	snprintf(action.file, sizeof(action.file), "cpuset.cpus");
	cpuset_format(&drift->wanted.cpus, action.value, sizeof(action.value));
	add(mend, &action);
}

static void add_autogroup(struct mend *mend)
{
	struct action action = { .kind = ACTION_AUTOGROUP, .tid = mend->drift->tid };

	action.place.nice = mend->drift->wanted.nice;
	add(mend, &action);
}

/* Entering a cpuset sets a thread's affinity to all of the group's CPUs. */
static void mend_cgroup(struct mend *mend)
{
	const struct drift *drift = mend->drift;

	if (drift->wanted.slot != SLOT_NONE && drift->wanted.slot != drift->seen.slot)
		add_attach(mend);
	add_affinity(mend);
}

int drift_action(const struct place_plan *plan, const struct host_state *host,
	const struct drift *drift, struct actions *ret_actions)
{
	struct mend mend = { plan, host, drift, ret_actions, 0 };

	switch (drift->kind) {
	case DRIFT_CPUSET:
	case DRIFT_SHIELD:
		add_cpuset(&mend);
		break;
	case DRIFT_CGROUP:
		mend_cgroup(&mend);
		break;
	case DRIFT_AFFINITY:
		add_affinity(&mend);
		break;
	case DRIFT_POLICY:
	case DRIFT_NICE:
		add_sched(&mend);
		break;
	case DRIFT_AUTOGROUP:
		add_autogroup(&mend);
		break;
	case DRIFT_THREAD:
		mend_cgroup(&mend);
		add_sched(&mend);
		break;
	case DRIFT_KINDS:
		break;
	}
	return mend.r;
}
