/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_PLACE_H
#define PLAN_PLACE_H

#include "base/err.h"
#include "model/action.h"
#include "model/spec.h"
#include "model/state.h"

/* Where everything of one VM belongs, decided once from the spec and the host (design §7). */
struct place_plan {
	int vcpu[SPEC_VCPUS_MAX]; /* host CPU of each vCPU up to maxcpus; -1: shares `vcpus` */
	size_t vcpu_count;
	struct cpuset vcpus; /* all of them */
	struct cpuset emulator, iothreads;
	struct cpuset housekeeping; /* online CPUs that no vCPU has and that take part in load
				       balancing; of those that we may use, where we are confined */
	bool shield;                /* the groups listed in spec->shield are cut back */
	bool isolated;              /* by the shield or by isolcpus: others are kept away */
	bool lift_throttle;         /* real time is worth it only without the kernel's throttle */
	enum sched_class policy;    /* of the vCPU threads */
	int priority, nice;         /* of the vCPU threads */
	int autogroup_nice;         /* AUTOGROUP_UNKNOWN: leave it */
	char policy_reason[256];    /* why this policy: always said */
	char isolate_reason[256];   /* why not the strongest isolation; empty if it is */
	char place_reason
		[256]; /* "auto" gave fewer CPUs than vCPUs, no cgroups ...; may be empty */
	char unit[64]; /* "vfiosup-NAME.service", whose main process QEMU is; or empty */
	char group[MODEL_PATH]; /* "vfiosup/NAME"; on v2 that of the unit, if it is one,
				   "vfiosup.slice/vfiosup-NAME.service"; empty without cgroups */
};

/*
 * Refuses (-EINVAL, -ERANGE with file:line and the fix): a CPU that does not exist or is offline, the
 * same CPU for two vCPUs, fewer CPUs than vCPUs, emulator or iothreads on a vCPU's CPU with FIFO or
 * RR, no CPU left for the emulator. Listed CPUs are never substituted. `auto` takes the highest
 * allowed CPUs (those of isolcpus= before the others, none that emulator or iothread name) and leaves
 * the first to the host; with too few, the vCPUs share what there is.
 *
 * Policy auto: FIFO only where the vCPU's CPU is isolated, it is alone on it, a housekeeping CPU is
 * left and the throttle cannot bite (facts.md: it bites before 6.12 and with RT_GROUP_SCHED, unless
 * sched_rt_runtime_us is -1; from 6.12 isolation suffices) or may be lifted, else OTHER at nice -20 with autogroup
 * -20. FIFO asked for is given wherever it can be, and policy_reason names the price. It cannot be
 * without the right to it, in a cpu group without real-time budget, and where a vCPU shares its CPU:
 * then it is OTHER, with the reason.
 */
int place_plan(const struct spec *spec, const struct host_state *host, struct place_plan *ret_plan,
	struct err *err);

/*
 * The shield could not be put up after all (`why`: the groups are not there, the kernel refused): the
 * plan is made anew without it, isolation and policy with their reasons. The CPUs stay.
 */
void place_without_shield(const struct spec *spec, const struct host_state *host, const char *why,
	struct place_plan *plan);

/* The same where the VM's groups could not be made: affinities only. */
void place_without_groups(const struct spec *spec, const struct host_state *host, const char *why,
	struct place_plan *plan);

/* The kernel refused real time to a vCPU thread (`why`): ordinary policy, best nice value, and the
 * reason is kept. */
void place_without_rt(const struct host_state *host, const char *why, struct place_plan *plan);

/* The placement wanted for one thread. */
struct placement place_thread(const struct place_plan *plan, const struct thread *thread);

/* The cpuset files wanted for the VM's groups (empty sets without cgroups). */
struct vm_groups place_groups(const struct place_plan *plan);

/*
 * What makes the VM's groups, before QEMU starts: CG_CREATE and CG_SET, parents first, the
 * threaded children on v2 below "vm". Groups left by an older plan may be there already. And the way
 * back, in reverse; its last action removes "vfiosup" itself, which other VMs may still use: whoever
 * carries it out moves no task out of that one and takes ENOTEMPTY and EBUSY for ALREADY. Both are empty
 * where the groups are the unit's: systemd makes them and takes them away.
 */
int place_prepare(
	const struct place_plan *plan, const struct host_state *host, struct actions *ret_actions);

/*
 * The groups below a unit on v2, once QEMU is its main process `pid` and still in `group`, the unit's own:
 * the process goes to "vm" (a group with controllers for those below it may hold none itself), the
 * threaded groups are made, and its first thread goes to "emulator", where those that it makes are born; the
 * others are placed one by one as in any QEMU. `group` elsewhere: the process is
 * moved no more.
 */
int place_enter_unit(
	const struct place_plan *plan, pid_t pid, const char *group, struct actions *ret_actions);

/* Is this group one of a VM's, or the parent of them all? Also of a VM that runs as a unit. */
bool place_is_ours(const char *group);

/* The groups that the VM of this name would have as a unit and without: MODEL_PATH bytes each. */
char *place_unit_group(const char *name, char *text);
char *place_own_group(const char *name, char *text);
int place_release(
	const struct place_plan *plan, const struct host_state *host, struct actions *ret_actions);

/* The group that vm_groups.vm speaks of: "vfiosup/NAME" on v1, "vfiosup/NAME/vm" on v2, where QEMU's
 * process is moved before its threads are. "" without cgroups. `text` has MODEL_PATH bytes. */
char *place_vm_group(const struct place_plan *plan, enum cg_mode mode, char *text);

/* Full path of a slot's group: "vfiosup/NAME/vcpus" on v1, "vfiosup/NAME/vm/vcpus" on v2. "" without
 * cgroups. `text` has MODEL_PATH bytes. */
char *place_slot_group(
	const struct place_plan *plan, enum cg_mode mode, enum cg_slot slot, char *text);

/* The slot that a cgroup path (as cgroups_of_thread gives it) is, SLOT_OUTSIDE if none of ours. */
enum cg_slot place_slot_of(const struct place_plan *plan, enum cg_mode mode, const char *group);

/*
 * The shield: CG_SET cpuset.cpus of each group of spec->shield to what it has (`have`, in the order
 * of spec->shield; empty: group not there, left out) without the vCPUs' CPUs. A group that has
 * none of them is left out, so an intact shield has no actions; the deepest come first. A group that
 * would be left without a CPU, or that holds the VMs, is -EINVAL in words.
 */
int place_shield(const struct place_plan *plan, const struct spec *spec, const struct cpuset *have,
	struct actions *ret_actions, struct err *err);

#endif
