/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/place_parts.h"
#include "base/cleanup.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NICE_BEST = -20, RT_PERIOD_US = 1000000 };

/* "" where the shield can be had, else what stands against it. */
static void shield_obstacle(const struct spec *spec, const struct host_state *host,
	const struct place_plan *plan, char *words, size_t size)
{
	words[0] = '\0';
	if (spec->cpus.isolate == ISOLATE_OFF)
		snprintf(words, size, "isolate = \"off\"");
	else if (spec->shield.count == 0)
		snprintf(words, size, "the file names no groups in shield");
	else if (host->cg_mode == CG_MODE_NONE)
		snprintf(words, size, "no cgroups: %s", host->cg_reason);
	else if (!host->root_user)
		snprintf(words, size, "not run as root");
	else if (!host->host_owner)
		snprintf(words, size, "host-wide settings are in the hands of %s",
			host->host_holder[0] ? host->host_holder : "another supervisor");
	else if (cpuset_empty(&plan->housekeeping))
		snprintf(words, size, "no CPU would be left for the host");
}

void place_isolation(
	const struct spec *spec, const struct host_state *host, struct place_plan *plan)
{
	char words[MODEL_PATH + 64];
	bool boot = cpuset_subset(&plan->vcpus, &host->isolated);

	shield_obstacle(spec, host, plan, words, sizeof(words));
	plan->shield = words[0] == '\0';
	plan->isolated = plan->shield || boot;
	if (boot || plan->shield)
		return;
	snprintf(plan->isolate_reason, sizeof(plan->isolate_reason), "%.*s",
		(int)sizeof(plan->isolate_reason) - 1, words);
}

/* Does real-time throttling take CPU time away from a lone real-time thread on an isolated CPU?
 * Measured: before 6.12, and with RT_GROUP_SCHED on newer kernels, whether anybody waits or not. */
static bool throttle_bites(const struct host_state *host)
{
	bool regardless = host->rt_group_sched || host->kernel_major < 6 ||
			  (host->kernel_major == 6 && host->kernel_minor < 12);

	return host->rt_runtime_us != -1 && regardless;
}

/* On isolated CPUs, with one left to the host, it protects nobody. */
static bool may_lift(const struct host_state *host, const struct place_plan *plan)
{
	return host->may_lift_rt && plan->isolated && !cpuset_empty(&plan->housekeeping);
}

static bool has_fair_server(const struct host_state *host)
{
	return host->kernel_major > 6 || (host->kernel_major == 6 && host->kernel_minor >= 12);
}

static void throttle_words(const struct host_state *host, char *words, size_t size)
{
	char value[32] = "unreadable";
	long lost_ms = 50;

	if (host->rt_runtime_us != LONG_MIN) {
		snprintf(value, sizeof(value), "%ld", host->rt_runtime_us);
		lost_ms = (RT_PERIOD_US - host->rt_runtime_us) / 1000;
	}
	snprintf(words, size,
		"up to %ld ms a second: kernel %d.%d%s throttles real-time tasks "
		"(sched_rt_runtime_us=%s)",
		lost_ms > 0 ? lost_ms : 0, host->kernel_major, host->kernel_minor,
		host->rt_group_sched ? " with RT_GROUP_SCHED" : "", value);
}

/* "" where real time can be had at all, else what stands against it. */
static void rt_obstacle(const struct spec *spec, const struct host_state *host,
	const struct place_plan *plan, char *words, size_t size)
{
	words[0] = '\0';
	if (!host->may_rt)
		snprintf(words, size, "needs CAP_SYS_NICE or RLIMIT_RTPRIO");
	else if (host->rt_group_sched && host->rt_group_runtime_us == 0)
		snprintf(words, size,
			"is refused in cpu group /%.80s: its cpu.rt_runtime_us is 0 and the kernel "
			"has RT_GROUP_SCHED",
			host->rt_group[0] == '/' ? host->rt_group + 1 : host->rt_group);
	else if (host->rt_runtime_us == 0)
		snprintf(words, size, "gets no time at all: sched_rt_runtime_us=0");
	else if (!place_vcpus_alone(plan, spec))
		snprintf(words, size, "would starve what shares a CPU with a vCPU");
}

/* "" where real time costs nothing, else what it costs. */
static void rt_price(
	const struct host_state *host, const struct place_plan *plan, char *words, size_t size)
{
	char throttle[160];

	words[0] = '\0';
	if (throttle_bites(host) && !may_lift(host, plan)) {
		throttle_words(host, throttle, sizeof(throttle));
		snprintf(words, size, "would lose %s", throttle);
	} else if (!plan->isolated && has_fair_server(host)) {
		snprintf(words, size,
			"would lose up to 50 ms a second whenever an ordinary task waits on a "
			"vCPU's CPU (kernel %d.%d), and these are not isolated",
			host->kernel_major, host->kernel_minor);
	} else if (!plan->isolated) {
		snprintf(words, size,
			"would starve every ordinary task on the vCPUs' CPUs, which are not "
			"isolated");
	} else if (cpuset_empty(&plan->housekeeping)) {
		snprintf(words, size, "would leave no CPU to the host");
	}
}

static void say(struct place_plan *plan, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct place_plan *plan, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(plan->policy_reason, sizeof(plan->policy_reason), format, args);
	va_end(args);
}

static void take_rt(const struct spec *spec, const struct host_state *host, enum sched_class policy,
	struct place_plan *plan)
{
	plan->lift_throttle = throttle_bites(host) && may_lift(host, plan);
	plan->policy = policy;
	plan->priority = spec->cpus.priority;
	plan->nice = 0;
	plan->autogroup_nice = AUTOGROUP_UNKNOWN;
}

static void take_other(const struct host_state *host, struct place_plan *plan)
{
	plan->lift_throttle = false;
	plan->policy = SCHED_CLASS_OTHER;
	plan->priority = 0;
	plan->nice = host->may_nice ? NICE_BEST : 0;
	plan->autogroup_nice = host->may_nice && host->autogroup ? NICE_BEST : AUTOGROUP_UNKNOWN;
}

void place_policy(const struct spec *spec, const struct host_state *host, struct place_plan *plan)
{
	enum spec_policy wanted = spec->cpus.policy;
	bool rr = wanted == SPEC_POLICY_RR;
	const char *name = rr ? "SCHED_RR" : "SCHED_FIFO";
	const char *instead = host->may_nice ? "nice -20 instead"
					     : "nice 0 instead, as nice -20 needs CAP_SYS_NICE";
	char obstacle[200], price[200];

	rt_obstacle(spec, host, plan, obstacle, sizeof(obstacle));
	rt_price(host, plan, price, sizeof(price));
	if (wanted == SPEC_POLICY_OTHER) {
		take_other(host, plan);
		say(plan, "policy = \"other\"%s",
			host->may_nice ? "" : ", nice 0 as nice -20 needs CAP_SYS_NICE");
	} else if (obstacle[0]) {
		take_other(host, plan);
		say(plan, "%s %s; %s", name, obstacle, instead);
	} else if (wanted == SPEC_POLICY_AUTO && price[0]) {
		take_other(host, plan);
		say(plan, "%s %s; %s", name, price, instead);
	} else {
		take_rt(spec, host, rr ? SCHED_CLASS_RR : SCHED_CLASS_FIFO, plan);
		if (price[0])
			say(plan, "%s as asked, but it %s", name, price);
		else if (plan->lift_throttle)
			say(plan,
				"%s: the vCPUs' CPUs are isolated, and the kernel's real-time "
				"throttle is lifted while the VM runs",
				name);
		else
			say(plan, "%s: the vCPUs' CPUs are isolated and nothing throttles them",
				name);
	}
}

void place_without_shield(const struct spec *spec, const struct host_state *host, const char *why,
	struct place_plan *plan)
{
	bool boot = cpuset_subset(&plan->vcpus, &host->isolated);

	plan->shield = false;
	plan->isolated = boot;
	snprintf(plan->isolate_reason, sizeof(plan->isolate_reason),
		"the shield could not be put up: %.200s", why);
	place_policy(spec, host, plan);
}

void place_without_rt(const struct host_state *host, const char *why, struct place_plan *plan)
{
	take_other(host, plan);
	say(plan, "real time was refused: %.140s; %s", why,
		host->may_nice ? "nice -20 instead" : "nice 0 instead");
}
