/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/place.h"
#include "plan/place_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_note(struct place_plan *plan, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_note(struct place_plan *plan, const char *format, ...)
{
	size_t at = strlen(plan->place_reason), size = sizeof(plan->place_reason);
	va_list args;

	if (at > 0)
		at += (size_t)snprintf(plan->place_reason + at, size - at, "; ");
	if (at >= size)
		return;
	va_start(args, format);
	vsnprintf(plan->place_reason + at, size - at, format, args);
	va_end(args);
}

static struct cpuset first_of(const struct cpuset *set)
{
	return cpuset_one(cpuset_next(set, 0));
}

static struct cpuset unless_empty(const struct cpuset *set, const struct cpuset *otherwise)
{
	return cpuset_empty(set) ? *otherwise : *set;
}

static struct cpuset usable(const struct host_state *host)
{
	/* isolcpus= takes its CPUs out of everybody's default mask, but they can be asked for. */
	struct cpuset may = cpuset_or(&host->allowed, &host->isolated);
	struct cpuset set = cpuset_and(&may, &host->online);

	return unless_empty(&set, &host->online);
}

struct cpuset place_reach(const struct host_state *host, const struct cpuset *vcpus)
{
	struct cpuset set = usable(host);
	struct cpuset rest = cpuset_minus(&set, vcpus);

	if (cpuset_subset(vcpus, &set) && !cpuset_empty(&rest))
		return set;
	return host->online;
}

static int check_online(const struct spec *spec, int line, const char *key,
	const struct cpuset *cpus, const struct host_state *host, struct err *err)
{
	struct cpuset missing = cpuset_minus(cpus, &host->online);
	char bad[CPUSET_TEXT], online[CPUSET_TEXT];

	if (cpuset_empty(&missing))
		return 0;
	cpuset_format(&missing, bad, sizeof(bad));
	cpuset_format(&host->online, online, sizeof(online));
	err_set(err, ERANGE, "%s:%d: %s: CPU %.100s does not exist here or is offline", spec->file,
		line, key, bad);
	err_fix(err, "choose from the CPUs that are online: %.200s", online);
	return -ERANGE;
}

static int check_enough(const struct spec *spec, struct err *err)
{
	if (spec->cpus.vcpu_count >= spec->vcpus)
		return 0;
	err_set(err, EINVAL, "%s:%d: cpus.vcpu names %zu host CPUs, but smp makes %u vCPUs",
		spec->file, spec->cpus.line_vcpu, spec->cpus.vcpu_count, spec->vcpus);
	err_fix(err, "name one CPU for each vCPU, or smp = \"%zu\"", spec->cpus.vcpu_count);
	return -EINVAL;
}

/* The CPUs that the file lists for the vCPUs. */
static int take_listed(const struct spec *spec, const struct host_state *host,
	struct place_plan *plan, struct err *err)
{
	size_t listed = spec->cpus.vcpu_count;
	struct cpuset seen = { 0 };

	for (size_t i = 0; i < listed; i++) {
		int cpu = spec->cpus.vcpu[i];
		struct cpuset one = cpuset_one(cpu);
		int r = check_online(spec, spec->cpus.line_vcpu, "cpus.vcpu", &one, host, err);
		if (r < 0)
			return r;
		if (cpuset_has(&seen, cpu)) {
			err_set(err, EINVAL, "%s:%d: cpus.vcpu gives CPU %d to two vCPUs",
				spec->file, spec->cpus.line_vcpu, cpu);
			err_fix(err, "give each vCPU a CPU of its own");
			return -EINVAL;
		}
		cpuset_add(&seen, cpu);
		if (i >= plan->vcpu_count)
			continue;
		plan->vcpu[i] = cpu;
		cpuset_add(&plan->vcpus, cpu);
	}
	if (listed > plan->vcpu_count)
		add_note(plan, "cpus.vcpu names %zu CPUs for %zu vCPUs, the last are not used",
			listed, plan->vcpu_count);
	else if (listed < plan->vcpu_count)
		add_note(plan, "vCPUs %zu and up, if they are ever plugged in, share these CPUs",
			listed);
	return check_enough(spec, err);
}

/* The highest member, -1 if there is none. */
static int highest(const struct cpuset *set)
{
	int found = -1;

	cpuset_for_each (cpu, set)
		found = cpu;
	return found;
}

/* Boot-time isolated CPUs were set aside for this: they come first. */
static int choose(const struct cpuset *left, const struct cpuset *isolated)
{
	struct cpuset best = cpuset_and(left, isolated);

	return highest(cpuset_empty(&best) ? left : &best);
}

static struct cpuset auto_candidates(const struct spec *spec, const struct host_state *host)
{
	struct cpuset all = usable(host);
	struct cpuset shared = cpuset_minus(&all, &host->isolated);
	struct cpuset first = first_of(cpuset_empty(&shared) ? &all : &shared);
	struct cpuset set = cpuset_minus(&all, &first);
	struct cpuset others = cpuset_or(&spec->cpus.emulator, &spec->cpus.iothread);
	struct cpuset better = cpuset_minus(&set, &others);

	set = unless_empty(&better, &set);
	return unless_empty(&set, &all);
}

static void take_auto(
	const struct spec *spec, const struct host_state *host, struct place_plan *plan)
{
	struct cpuset left = auto_candidates(spec, host);
	size_t there = (size_t)cpuset_count(&left);

	if (there < spec->vcpus) {
		plan->vcpus = left;
		add_note(plan, "%u vCPUs share %zu CPU%s: there are no more for them", spec->vcpus,
			there, there == 1 ? "" : "s");
		return;
	}
	for (size_t i = 0; i < plan->vcpu_count && !cpuset_empty(&left); i++) {
		int cpu = choose(&left, &host->isolated);
		plan->vcpu[i] = cpu;
		cpuset_add(&plan->vcpus, cpu);
		cpuset_remove(&left, cpu);
	}
	if (there < plan->vcpu_count)
		add_note(plan, "vCPUs %zu and up, if they are ever plugged in, share these CPUs",
			there);
}

static int check_apart(const struct spec *spec, const struct place_plan *plan, int line,
	const char *key, const struct cpuset *cpus, struct err *err)
{
	enum spec_policy policy = spec->cpus.policy;
	struct cpuset both = cpuset_and(cpus, &plan->vcpus);
	char text[CPUSET_TEXT];

	if (cpuset_empty(&both) || (policy != SPEC_POLICY_FIFO && policy != SPEC_POLICY_RR))
		return 0;
	cpuset_format(&both, text, sizeof(text));
	err_set(err, EINVAL, "%s:%d: %s: CPU %.100s is a vCPU's, and policy is \"%s\"", spec->file,
		line, key, text, policy == SPEC_POLICY_FIFO ? "fifo" : "rr");
	err_why(err,
		"a busy real-time vCPU would never let QEMU's own threads run there: the VM hangs");
	err_fix(err, "take it out of %s, or policy = \"auto\"", key);
	return -EINVAL;
}

/* What one of the two other kinds of threads gets: what was said, or the rest. */
static int take_others(const struct spec *spec, const struct host_state *host,
	const struct place_plan *plan, bool emulator, struct cpuset *ret, struct err *err)
{
	const struct cpuset *wanted = emulator ? &spec->cpus.emulator : &spec->cpus.iothread;
	int line = emulator ? spec->cpus.line_emulator : spec->cpus.line_iothread;
	const char *key = emulator ? "cpus.emulator" : "cpus.iothread";

	if (cpuset_empty(wanted)) {
		*ret = plan->housekeeping;
		return 0;
	}
	*ret = *wanted;
	int r = check_online(spec, line, key, wanted, host, err);
	return r < 0 ? r : check_apart(spec, plan, line, key, wanted, err);
}

static struct cpuset housekeeping_of(const struct host_state *host, const struct cpuset *vcpus)
{
	struct cpuset reach = place_reach(host, vcpus);
	struct cpuset rest = cpuset_minus(&reach, vcpus);
	/* No load balancing there: QEMU's many threads would sit on one CPU. */
	struct cpuset balanced = cpuset_minus(&rest, &host->isolated);

	return unless_empty(&balanced, &rest);
}

/* Listed CPUs took everything: nothing is substituted. "auto" took the only CPU: all share it. */
static int without_emulator(const struct spec *spec, struct place_plan *plan, struct err *err)
{
	enum spec_policy policy = spec->cpus.policy;
	bool listed = spec->cpus.vcpu != NULL;

	if (!listed && policy != SPEC_POLICY_FIFO && policy != SPEC_POLICY_RR) {
		plan->emulator = plan->vcpus;
		add_note(plan, "QEMU's other threads share these CPUs: there are no more");
		return 0;
	}
	err_set(err, EINVAL,
		"%s:%d: %s all CPUs that are online, none is left for QEMU's own threads",
		spec->file, listed ? spec->cpus.line_vcpu : spec->cpus.line_policy,
		listed ? "cpus.vcpu takes" : "a real-time policy would take");
	err_fix(err, listed ? "leave one CPU out of cpus.vcpu, or say cpus.emulator"
			    : "policy = \"auto\"");
	return -EINVAL;
}

static int take_rest(const struct spec *spec, const struct host_state *host,
	struct place_plan *plan, struct err *err)
{
	plan->housekeeping = housekeeping_of(host, &plan->vcpus);
	int r = take_others(spec, host, plan, true, &plan->emulator, err);
	if (r == 0)
		r = take_others(spec, host, plan, false, &plan->iothreads, err);
	if (r == 0 && cpuset_empty(&plan->emulator))
		r = without_emulator(spec, plan, err);
	if (r == 0 && cpuset_empty(&plan->iothreads))
		plan->iothreads = plan->emulator;
	return r;
}

bool place_vcpus_alone(const struct place_plan *plan, const struct spec *spec)
{
	struct cpuset others = cpuset_or(&plan->emulator, &plan->iothreads);
	size_t most = spec->maxcpus > spec->vcpus ? spec->maxcpus : spec->vcpus;

	return (size_t)cpuset_count(&plan->vcpus) >= most && !cpuset_overlap(&plan->vcpus, &others);
}

static void choose_group(
	const struct spec *spec, const struct host_state *host, struct place_plan *plan)
{
	if (host->units)
		snprintf(plan->unit, sizeof(plan->unit), "vfiosup-%s.service", spec->name);
	if (host->cg_mode == CG_MODE_NONE)
		add_note(plan, "no cgroups, affinities only: %s", host->cg_reason);
	else if (!host->root_user)
		add_note(plan, "no cgroups, affinities only: not run as root");
	else if (host->units && host->cg_mode == CG_MODE_V2)
		place_unit_group(spec->name, plan->group);
	else
		place_own_group(spec->name, plan->group);
}

int place_plan(const struct spec *spec, const struct host_state *host, struct place_plan *ret_plan,
	struct err *err)
{
	unsigned most = spec->maxcpus > spec->vcpus ? spec->maxcpus : spec->vcpus;
	struct place_plan plan = { .vcpu_count = most };
	int r = 0;

	if (most > SPEC_VCPUS_MAX)
		return err_set(err, ERANGE, "%s: %u vCPUs, at most %d can be placed", spec->file,
			most, SPEC_VCPUS_MAX);
	for (size_t i = 0; i < SPEC_VCPUS_MAX; i++)
		plan.vcpu[i] = -1;
	if (spec->cpus.vcpu)
		r = take_listed(spec, host, &plan, err);
	else
		take_auto(spec, host, &plan);
	if (r == 0)
		r = take_rest(spec, host, &plan, err);
	if (r < 0)
		return r;
	choose_group(spec, host, &plan);
	place_isolation(spec, host, &plan);
	place_policy(spec, host, &plan);
	*ret_plan = plan;
	return 0;
}

void place_without_groups(const struct spec *spec, const struct host_state *host, const char *why,
	struct place_plan *plan)
{
	plan->group[0] = '\0';
	add_note(plan, "no cgroups, affinities only: %.150s", why);
	place_policy(spec, host, plan);
}

static struct placement place_vcpu(const struct place_plan *plan, int index)
{
	bool own = index >= 0 && (size_t)index < plan->vcpu_count && plan->vcpu[index] >= 0;

	return (struct placement){
		.cpus = own ? cpuset_one(plan->vcpu[index]) : plan->vcpus,
		.policy = plan->policy,
		.priority = plan->priority,
		.nice = plan->nice,
		.slot = SLOT_VCPUS,
	};
}

struct placement place_thread(const struct place_plan *plan, const struct thread *thread)
{
	struct placement place = { .cpus = plan->emulator, .slot = SLOT_EMULATOR };

	if (thread->role == ROLE_VCPU)
		place = place_vcpu(plan, thread->index);
	else if (thread->role == ROLE_IOTHREAD)
		place = (struct placement){ .cpus = plan->iothreads, .slot = SLOT_IOTHREADS };
	/* kvm-pit belongs to kthreadd, whose threads no v2 threaded group takes in. */
	if (!plan->group[0] || thread->role == ROLE_KVM_PIT)
		place.slot = SLOT_NONE;
	return place;
}
