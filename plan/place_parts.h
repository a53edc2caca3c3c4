/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_PLACE_PARTS_H
#define PLAN_PLACE_PARTS_H

#include "plan/place.h"

/* The CPUs that the VM's groups can hold: all that are online, or only those that the supervisor may
 * use where it is itself confined (a container) and the vCPUs are within. */
struct cpuset place_reach(const struct host_state *host, const struct cpuset *vcpus);

/* Each vCPU that may ever exist has a CPU that nobody else of this VM uses. */
bool place_vcpus_alone(const struct place_plan *plan, const struct spec *spec);

/* Fill in shield, isolated and isolate_reason; policy, priority, nice, autogroup_nice and
 * policy_reason. The CPUs must be decided before. */
void place_isolation(
	const struct spec *spec, const struct host_state *host, struct place_plan *plan);
void place_policy(const struct spec *spec, const struct host_state *host, struct place_plan *plan);

#endif
