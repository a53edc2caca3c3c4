/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_DIFF_H
#define PLAN_DIFF_H

#include "model/action.h"
#include "model/state.h"
#include "plan/place.h"

enum drift_kind {
	DRIFT_AFFINITY,
	DRIFT_POLICY, /* policy or priority */
	DRIFT_NICE,
	DRIFT_CGROUP,
	DRIFT_CPUSET, /* a file of one of our groups */
	DRIFT_AUTOGROUP,
	DRIFT_SHIELD, /* a shielded group has vCPUs' CPUs again */
	DRIFT_THREAD, /* a new thread, not yet placed: not a fault, not counted as drift */
	DRIFT_KINDS,
};

struct drift {
	enum drift_kind kind;
	pid_t tid; /* 0: about a group */
	enum role role;
	int index;
	struct placement wanted, seen; /* DRIFT_CPUSET, DRIFT_SHIELD: only cpus */
	char group[MODEL_PATH]; /* DRIFT_CPUSET, DRIFT_SHIELD, and where a CGROUP drift went */
};

struct drifts {
	struct drift *items;
	size_t count;
};

const char *drift_kind_name(enum drift_kind kind); /* "affinity", "policy", ... */

/*
 * What differs between wanted and seen, in the order in which it must be mended: cpuset files, new
 * threads, cgroups, affinities, policies, nice, autogroup. Threads of `seen` that `wanted` does not know
 * are DRIFT_THREAD (wanted from the plan by role); threads that are gone are no drift. CPUs that are offline do not count: both
 * sides are compared within `online`, and what is wanted only on offline CPUs is no drift. A nice value
 * is compared only for OTHER and BATCH, and only where we may change it. 0 or -ENOMEM.
 */
int diff_vm(const struct place_plan *plan, const struct host_state *host,
	const struct vm_state *wanted, const struct vm_state *seen, struct drifts *ret_drifts);

/* Appends a DRIFT_SHIELD for each group of spec->shield that has a vCPU's CPU; `have` as for
 * place_shield. 0 or -ENOMEM. */
int diff_shield(const struct place_plan *plan, const struct spec *spec, const struct cpuset *have,
	struct drifts *drifts);

void drifts_free(struct drifts *drifts);

/* "vcpu 0: affinity 0-1, wanted 1" */
void drift_words(const struct drift *drift, char *words, size_t size);

/*
 * What mends one drift, mostly one action, to be carried out in order: after a CG_ATTACH comes the
 * affinity, which the kernel resets then; a v2 process that was moved out of "vm" goes back there
 * before its thread (CG_ATTACH to the vm group: the whole process); a DRIFT_THREAD gets all that it
 * lacks; a group that is not there is made. 0 or -ENOMEM.
 */
int drift_action(const struct place_plan *plan, const struct host_state *host,
	const struct drift *drift, struct actions *ret_actions);

#endif
