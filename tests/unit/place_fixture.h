/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_PLACE_FIXTURE_H
#define TESTS_UNIT_PLACE_FIXTURE_H

#include "plan/place.h"
#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline struct cpuset cpus(const char *text)
{
	struct cpuset set;

	assert_int_equal(cpuset_parse(text, &set), 0);
	return set;
}

static inline void assert_cpus(const struct cpuset *set, const char *want)
{
	char text[CPUSET_TEXT];

	assert_string_equal(cpuset_format(set, text, sizeof(text)), want);
}

/* A media host with everything in its favour; the cases take things away. */
static inline struct host_state good_host(const char *online)
{
	return (struct host_state){
		.online = cpus(online),
		.allowed = cpus(online),
		.cg_mode = CG_MODE_V2,
		.kernel_major = 6,
		.kernel_minor = 12,
		.rt_runtime_us = 950000,
		.rt_group_runtime_us = LONG_MIN,
		.autogroup = true,
		.may_rt = true,
		.may_nice = true,
		.root_user = true,
		.host_owner = true,
	};
}

struct wish {
	const char *online; /* NULL: 0-3 */
	int vcpus, maxcpus; /* 0: 2, and as vcpus */
	int listed[4];
	int listed_count; /* 0: auto */
	const char *emulator, *iothread, *allowed, *isolcpus;
	enum spec_policy policy;
	enum spec_isolate isolate;
	bool no_shield;
};

static inline void make_spec(const struct wish *wish, struct spec *spec)
{
	assert_int_equal(spec_init(spec), 0);
	strcpy(spec->name, "media");
	spec->file = strdup("media.conf");
	spec->vcpus = (unsigned)(wish->vcpus ? wish->vcpus : 2);
	spec->maxcpus = (unsigned)(wish->maxcpus ? wish->maxcpus : (int)spec->vcpus);
	spec->cpus.line_vcpu = 7;
	spec->cpus.line_emulator = 8;
	spec->cpus.line_iothread = 9;
	spec->cpus.line_policy = 10;
	spec->line_shield = 11;
	spec->cpus.policy = wish->policy;
	spec->cpus.isolate = wish->isolate;
	if (wish->listed_count) {
		size_t size = (size_t)wish->listed_count * sizeof(int);
		spec->cpus.vcpu = malloc(size);
		memcpy(spec->cpus.vcpu, wish->listed, size);
		spec->cpus.vcpu_count = (size_t)wish->listed_count;
	}
	if (wish->emulator)
		spec->cpus.emulator = cpus(wish->emulator);
	if (wish->iothread)
		spec->cpus.iothread = cpus(wish->iothread);
	if (!wish->no_shield)
		assert_int_equal(strlist_add(&spec->shield, "system.slice"), 0);
}

static inline struct host_state host_of(const struct wish *wish)
{
	struct host_state host = good_host(wish->online ? wish->online : "0-3");

	if (wish->allowed)
		host.allowed = cpus(wish->allowed);
	if (wish->isolcpus)
		host.isolated = cpus(wish->isolcpus);
	return host;
}

static inline int plan_on(const struct wish *wish, const struct host_state *host,
	struct place_plan *plan, struct err *err)
{
	struct spec spec;

	make_spec(wish, &spec);
	int r = place_plan(&spec, host, plan, err);
	spec_free(&spec);
	return r;
}

#define LIST(...)                                                                                  \
	.listed = { __VA_ARGS__ },                                                                 \
	.listed_count = (int)(sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

/* What a case changes in the good host. */
struct lack {
	bool v1, no_cgroups, not_owner, not_root, no_rt, no_nice, no_autogroup, rt_group_sched,
		lift;
	int minor, major;
	long runtime_us, group_runtime_us; /* 0: as it is; 1 stands for 0 */
};

static inline void take_away(const struct lack *lack, struct host_state *host)
{
	host->cg_mode = lack->no_cgroups ? CG_MODE_NONE : lack->v1 ? CG_MODE_V1 : CG_MODE_V2;
	strcpy(host->cg_reason, lack->no_cgroups ? "cpuset is not mounted" : "");
	host->host_owner = !lack->not_owner;
	strcpy(host->host_holder, lack->not_owner ? "vfio-sup daemon, pid 99" : "");
	host->root_user = !lack->not_root;
	host->may_rt = !lack->no_rt;
	host->may_nice = !lack->no_nice;
	host->autogroup = !lack->no_autogroup;
	host->rt_group_sched = lack->rt_group_sched;
	host->may_lift_rt = lack->lift;
	strcpy(host->rt_group, "/jobs");
	if (lack->minor)
		host->kernel_minor = lack->minor;
	if (lack->major)
		host->kernel_major = lack->major;
	if (lack->runtime_us)
		host->rt_runtime_us = lack->runtime_us == 1 ? 0 : lack->runtime_us;
	if (lack->group_runtime_us)
		host->rt_group_runtime_us =
			lack->group_runtime_us == 1 ? 0 : lack->group_runtime_us;
}

#endif
