/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/diff.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *drift_kind_name(enum drift_kind kind)
{
	static const char *const names[DRIFT_KINDS] = {
		[DRIFT_AFFINITY] = "affinity",
		[DRIFT_POLICY] = "policy",
		[DRIFT_NICE] = "nice",
		[DRIFT_CGROUP] = "cgroup",
		[DRIFT_CPUSET] = "cpuset",
		[DRIFT_AUTOGROUP] = "autogroup",
		[DRIFT_SHIELD] = "shield",
		[DRIFT_THREAD] = "thread",
	};

	return names[kind];
}

void drifts_free(struct drifts *drifts)
{
	free(drifts->items);
	*drifts = (struct drifts){ 0 };
}

/* What one comparison works on, and what it finds. */
struct diff {
	const struct place_plan *plan;
	const struct host_state *host;
	const struct vm_state *wanted, *seen;
	struct drifts drifts;
	int r;
};

static void add(struct diff *diff, const struct drift *drift)
{
	struct drifts *drifts = &diff->drifts;

	if (diff->r < 0)
		return;
	struct drift *items = realloc(drifts->items, (drifts->count + 1) * sizeof(*items));
	if (!items) {
		diff->r = -ENOMEM;
		return;
	}
	drifts->items = items;
	items[drifts->count++] = *drift;
}

static bool same_cpus(
	const struct cpuset *wanted, const struct cpuset *seen, const struct cpuset *online)
{
	struct cpuset a = cpuset_and(wanted, online), b = cpuset_and(seen, online);

	/* Nothing of what is wanted is online: nobody can mend that. */
	return cpuset_empty(&a) || cpuset_equal(&a, &b);
}

static void diff_cpuset(struct diff *diff, const char *group, const struct cpuset *wanted,
	const struct cpuset *seen)
{
	struct drift drift = { .kind = DRIFT_CPUSET, .index = -1 };

	if (same_cpus(wanted, seen, &diff->host->online))
		return;
	drift.wanted.cpus = *wanted;
	drift.seen.cpus = *seen;
	snprintf(drift.group, sizeof(drift.group), "%s", group);
	add(diff, &drift);
}

static void diff_vm_group(struct diff *diff)
{
	char group[MODEL_PATH];

	place_vm_group(diff->plan, diff->host->cg_mode, group);
	diff_cpuset(diff, group, &diff->wanted->groups.vm, &diff->seen->groups.vm);
}

static void diff_slot_group(struct diff *diff, enum cg_slot slot, const struct cpuset *wanted,
	const struct cpuset *seen)
{
	char group[MODEL_PATH];

	place_slot_group(diff->plan, diff->host->cg_mode, slot, group);
	diff_cpuset(diff, group, wanted, seen);
}

/* On v1 a group's CPUs lie within its parent's at every moment: a parent that lacks some comes before
 * its children, one that has too many after them. */
static void diff_groups(struct diff *diff)
{
	const struct vm_groups *wanted = &diff->wanted->groups, *seen = &diff->seen->groups;
	bool parent_first = !cpuset_subset(&wanted->vm, &seen->vm);

	if (parent_first)
		diff_vm_group(diff);
	diff_slot_group(diff, SLOT_EMULATOR, &wanted->emulator, &seen->emulator);
	diff_slot_group(diff, SLOT_IOTHREADS, &wanted->iothreads, &seen->iothreads);
	diff_slot_group(diff, SLOT_VCPUS, &wanted->vcpus, &seen->vcpus);
	if (!parent_first)
		diff_vm_group(diff);
}

static struct drift about(
	enum drift_kind kind, const struct thread *thread, const struct placement *wanted)
{
	struct drift drift = { .kind = kind,
		.tid = thread->tid,
		.role = thread->role,
		.index = thread->index,
		.wanted = *wanted,
		.seen = thread->place };

	memcpy(drift.group, thread->cgroup, sizeof(drift.group));
	return drift;
}

static bool cgroup_drifted(const struct placement *wanted, const struct placement *seen)
{
	return wanted->slot != SLOT_NONE && wanted->slot != seen->slot;
}

static bool policy_drifted(const struct placement *wanted, const struct placement *seen)
{
	bool rt = wanted->policy == SCHED_CLASS_FIFO || wanted->policy == SCHED_CLASS_RR;

	return wanted->policy != seen->policy || (rt && wanted->priority != seen->priority);
}

/* Without the right to lower it, a nice value above the wanted one is the host's, not a drift. */
static bool nice_drifted(
	const struct placement *wanted, const struct placement *seen, const struct host_state *host)
{
	bool counts = wanted->policy == SCHED_CLASS_OTHER || wanted->policy == SCHED_CLASS_BATCH;

	if (!counts || wanted->policy != seen->policy || wanted->nice == seen->nice)
		return false;
	return host->may_nice || wanted->nice > seen->nice;
}

static bool drifted(const struct diff *diff, enum drift_kind kind, const struct placement *wanted,
	const struct placement *seen)
{
	switch (kind) {
	case DRIFT_CGROUP:
		return cgroup_drifted(wanted, seen);
	case DRIFT_AFFINITY:
		return !same_cpus(&wanted->cpus, &seen->cpus, &diff->host->online);
	case DRIFT_POLICY:
		return policy_drifted(wanted, seen);
	case DRIFT_NICE:
		return nice_drifted(wanted, seen, diff->host);
	default:
		return false;
	}
}

static void diff_threads(struct diff *diff, enum drift_kind kind)
{
	for (size_t i = 0; i < diff->seen->threads.count; i++) {
		const struct thread *seen = &diff->seen->threads.items[i];
		const struct thread *known = threads_find(&diff->wanted->threads, seen->tid);

		if (!known || !drifted(diff, kind, &known->place, &seen->place))
			continue;
		struct drift drift = about(kind, seen, &known->place);
		drift.role = known->role;
		drift.index = known->index;
		add(diff, &drift);
	}
}

static void diff_new_threads(struct diff *diff)
{
	for (size_t i = 0; i < diff->seen->threads.count; i++) {
		const struct thread *seen = &diff->seen->threads.items[i];
		struct placement wanted = place_thread(diff->plan, seen);

		if (threads_find(&diff->wanted->threads, seen->tid))
			continue;
		struct drift drift = about(DRIFT_THREAD, seen, &wanted);
		add(diff, &drift);
	}
}

static const struct thread *main_thread(const struct threads *threads)
{
	for (size_t i = 0; i < threads->count; i++)
		if (threads->items[i].role == ROLE_MAIN)
			return &threads->items[i];
	return NULL;
}

static void diff_autogroup(struct diff *diff)
{
	const struct thread *thread = main_thread(&diff->seen->threads);
	int wanted = diff->wanted->autogroup_nice, seen = diff->seen->autogroup_nice;

	if (!thread || wanted == AUTOGROUP_UNKNOWN || seen == AUTOGROUP_UNKNOWN || wanted == seen)
		return;
	struct drift drift = { .kind = DRIFT_AUTOGROUP,
		.tid = thread->tid,
		.role = ROLE_MAIN,
		.index = -1,
		.wanted.nice = wanted,
		.seen.nice = seen };
	add(diff, &drift);
}

int diff_vm(const struct place_plan *plan, const struct host_state *host,
	const struct vm_state *wanted, const struct vm_state *seen, struct drifts *ret_drifts)
{
	struct diff diff = { .plan = plan, .host = host, .wanted = wanted, .seen = seen };

	if (plan->group[0])
		diff_groups(&diff);
	diff_new_threads(&diff);
	diff_threads(&diff, DRIFT_CGROUP);
	diff_threads(&diff, DRIFT_AFFINITY);
	diff_threads(&diff, DRIFT_POLICY);
	diff_threads(&diff, DRIFT_NICE);
	diff_autogroup(&diff);
	if (diff.r < 0) {
		drifts_free(&diff.drifts);
		return diff.r;
	}
	*ret_drifts = diff.drifts;
	return 0;
}

int diff_shield(const struct place_plan *plan, const struct spec *spec, const struct cpuset *have,
	struct drifts *drifts)
{
	struct diff diff = { .plan = plan, .drifts = *drifts };

	for (size_t i = 0; plan->shield && i < spec->shield.count; i++) {
		struct drift drift = { .kind = DRIFT_SHIELD, .index = -1, .seen.cpus = have[i] };
		if (!cpuset_overlap(&have[i], &plan->vcpus))
			continue;
		drift.wanted.cpus = cpuset_minus(&have[i], &plan->vcpus);
		snprintf(drift.group, sizeof(drift.group), "%s", spec->shield.items[i]);
		add(&diff, &drift);
	}
	*drifts = diff.drifts;
	return diff.r;
}
