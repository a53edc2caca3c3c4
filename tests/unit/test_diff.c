/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/diff.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cpuset cpus(const char *text)
{
	struct cpuset set;

	assert_int_equal(cpuset_parse(text, &set), 0);
	return set;
}

/* One VM, all in its place: two vCPUs on 2 and 3, an iothread on 1, the emulator on 0-1. */
struct fixture {
	struct place_plan plan;
	struct host_state host;
	struct vm_state wanted, seen;
};

static void add_thread(struct fixture *fixture, pid_t tid, enum role role, int index)
{
	struct thread thread = { .tid = tid, .role = role, .index = index };

	thread.place = place_thread(&fixture->plan, &thread);
	assert_int_equal(threads_add(&fixture->wanted.threads, &thread), 0);
	snprintf(thread.cgroup, sizeof(thread.cgroup), "/vfiosup/media/%s",
		cg_slot_name(thread.place.slot));
	assert_int_equal(threads_add(&fixture->seen.threads, &thread), 0);
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){
		.plan = { .vcpu = { 2, 3 },
			.vcpu_count = 2,
			.vcpus = cpus("2-3"),
			.emulator = cpus("0-1"),
			.iothreads = cpus("1"),
			.policy = SCHED_CLASS_FIFO,
			.priority = 1,
			.autogroup_nice = AUTOGROUP_UNKNOWN,
			.group = "vfiosup/media" },
		.host = { .online = cpus("0-3"), .cg_mode = CG_MODE_V1, .may_nice = true },
		.wanted.autogroup_nice = AUTOGROUP_UNKNOWN,
		.seen.autogroup_nice = 0,
	};
	add_thread(&fixture, 100, ROLE_MAIN, -1);
	add_thread(&fixture, 101, ROLE_VCPU, 0);
	add_thread(&fixture, 102, ROLE_VCPU, 1);
	add_thread(&fixture, 103, ROLE_IOTHREAD, 0);
	add_thread(&fixture, 104, ROLE_WORKER, -1);
	fixture.wanted.groups = place_groups(&fixture.plan);
	fixture.seen.groups = fixture.wanted.groups;
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	vm_state_free(&fixture->wanted);
	vm_state_free(&fixture->seen);
	return 0;
}

static struct placement *seen_place(struct fixture *fixture, pid_t tid)
{
	struct thread *thread = threads_find(&fixture->seen.threads, tid);

	assert_non_null(thread);
	return &thread->place;
}

/* Expects exactly these drifts, in words and in order; a NULL ends them. */
static void assert_drifts(struct fixture *fixture, const char *const *words)
{
	struct drifts drifts = { 0 };
	size_t i = 0;

	assert_int_equal(
		diff_vm(&fixture->plan, &fixture->host, &fixture->wanted, &fixture->seen, &drifts),
		0);
	for (; i < drifts.count && words[i]; i++) {
		char text[256];
		drift_words(&drifts.items[i], text, sizeof(text));
		assert_string_equal(text, words[i]);
	}
	if (i < drifts.count || words[i])
		fail_msg("%zu drifts, not as expected after %zu", drifts.count, i);
	drifts_free(&drifts);
}

#define ASSERT_DRIFTS(fixture, ...)                                                                \
	assert_drifts(fixture, (const char *const[]){ __VA_ARGS__, NULL })

/* The actions for the first drift, each without its reason. */
static void assert_actions(struct fixture *fixture, const char *const *lines)
{
	struct drifts drifts = { 0 };
	struct actions actions = { 0 };
	size_t i = 0;

	assert_int_equal(
		diff_vm(&fixture->plan, &fixture->host, &fixture->wanted, &fixture->seen, &drifts),
		0);
	assert_true(drifts.count > 0);
	assert_int_equal(
		drift_action(&fixture->plan, &fixture->host, &drifts.items[0], &actions), 0);
	for (; i < actions.count && lines[i]; i++) {
		struct strbuf text = { 0 };
		assert_true(actions.items[i].reason[0]);
		actions.items[i].reason[0] = '\0';
		action_format(&actions.items[i], &text);
		assert_string_equal(text.text, lines[i]);
		strbuf_free(&text);
	}
	if (i < actions.count || lines[i])
		fail_msg("%zu actions, not as expected after %zu", actions.count, i);
	actions_free(&actions);
	drifts_free(&drifts);
}

#define ASSERT_ACTIONS(fixture, ...)                                                               \
	assert_actions(fixture, (const char *const[]){ __VA_ARGS__, NULL })

static void test_nothing(void **state)
{
	ASSERT_DRIFTS(*state, NULL);
}

static void test_affinity(void **state)
{
	struct fixture *fixture = *state;

	seen_place(fixture, 101)->cpus = cpus("0-1");
	ASSERT_DRIFTS(fixture, "vcpu 0: affinity 0-1, wanted 2");
	ASSERT_ACTIONS(fixture, "thread-affinity tid=101 cpus=2");
	seen_place(fixture, 100)->cpus = cpus("0");
	seen_place(fixture, 104)->cpus = cpus("");
	ASSERT_DRIFTS(fixture, "emulator: affinity 0, wanted 0-1", "vcpu 0: affinity 0-1, wanted 2",
		"worker 104: affinity none, wanted 0-1");
}

static void test_offline(void **state)
{
	struct fixture *fixture = *state;

	/* CPU 1 is offline: the masks read back without it. */
	fixture->host.online = cpus("0,2-3");
	seen_place(fixture, 100)->cpus = cpus("0");
	seen_place(fixture, 104)->cpus = cpus("0");
	fixture->seen.groups.emulator = cpus("0");
	/* The iothread's only CPU is gone: wherever the kernel put it, nobody can mend that. */
	seen_place(fixture, 103)->cpus = cpus("0,2-3");
	fixture->seen.groups.iothreads = cpus("0,2-3");
	ASSERT_DRIFTS(fixture, NULL);
	/* What can be had is still compared, and asked for without the offline CPU. */
	seen_place(fixture, 100)->cpus = cpus("2");
	ASSERT_DRIFTS(fixture, "emulator: affinity 2, wanted 0-1");
	ASSERT_ACTIONS(fixture, "thread-affinity tid=100 cpus=0");
	seen_place(fixture, 100)->cpus = cpus("0-1");
	ASSERT_DRIFTS(fixture, NULL);
}

static void test_policy(void **state)
{
	struct fixture *fixture = *state;
	struct placement *place = seen_place(fixture, 102);

	place->policy = SCHED_CLASS_OTHER;
	place->priority = 0;
	place->nice = 5;
	ASSERT_DRIFTS(fixture, "vcpu 1: policy other, wanted fifo 1");
	ASSERT_ACTIONS(fixture, "thread-sched tid=102 policy=fifo priority=1 nice=0");
	place->policy = SCHED_CLASS_FIFO;
	place->priority = 2;
	ASSERT_DRIFTS(fixture, "vcpu 1: policy fifo 2, wanted fifo 1");
	place->policy = SCHED_CLASS_RR;
	place->priority = 1;
	ASSERT_DRIFTS(fixture, "vcpu 1: policy rr 1, wanted fifo 1");
	place->policy = SCHED_CLASS_UNKNOWN;
	ASSERT_DRIFTS(fixture, "vcpu 1: policy unknown, wanted fifo 1");
	/* Nice means nothing to a real-time thread. */
	place->policy = SCHED_CLASS_FIFO;
	ASSERT_DRIFTS(fixture, NULL);
	seen_place(fixture, 104)->policy = SCHED_CLASS_FIFO;
	seen_place(fixture, 104)->priority = 1;
	ASSERT_DRIFTS(fixture, "worker 104: policy fifo 1, wanted other");
	ASSERT_ACTIONS(fixture, "thread-sched tid=104 policy=other priority=0 nice=0");
}

static void test_nice(void **state)
{
	struct fixture *fixture = *state;

	seen_place(fixture, 104)->nice = 5;
	ASSERT_DRIFTS(fixture, "worker 104: nice 5, wanted 0");
	ASSERT_ACTIONS(fixture, "thread-sched tid=104 policy=other priority=0 nice=0");
	/* Without the right to lower it there is nothing to mend. Raising it is always allowed. */
	fixture->host.may_nice = false;
	ASSERT_DRIFTS(fixture, NULL);
	seen_place(fixture, 104)->nice = -5;
	ASSERT_DRIFTS(fixture, "worker 104: nice -5, wanted 0");
}

static void test_cgroup(void **state)
{
	struct fixture *fixture = *state;
	struct thread *vcpu = threads_find(&fixture->seen.threads, 101);

	vcpu->place.slot = SLOT_OUTSIDE;
	strcpy(vcpu->cgroup, "/user.slice/x");
	ASSERT_DRIFTS(fixture, "vcpu 0: in group /user.slice/x, wanted vcpus");
	ASSERT_ACTIONS(fixture, "cg-attach tid=101 group=vfiosup/media/vcpus prior=user.slice/x",
		"thread-affinity tid=101 cpus=2");
	strcpy(vcpu->cgroup, "/");
	ASSERT_ACTIONS(fixture, "cg-attach tid=101 group=vfiosup/media/vcpus prior=",
		"thread-affinity tid=101 cpus=2");
	vcpu->place.slot = SLOT_EMULATOR;
	vcpu->place.cpus = cpus("0-1");
	strcpy(vcpu->cgroup, "/vfiosup/media/emulator");
	ASSERT_DRIFTS(fixture, "vcpu 0: in group /vfiosup/media/emulator, wanted vcpus",
		"vcpu 0: affinity 0-1, wanted 2");
	/* Without cgroups nobody asks where it is. */
	threads_find(&fixture->wanted.threads, 101)->place.slot = SLOT_NONE;
	ASSERT_DRIFTS(fixture, "vcpu 0: affinity 0-1, wanted 2");
}

static void test_cgroup_v2(void **state)
{
	struct fixture *fixture = *state;
	struct thread *vcpu = threads_find(&fixture->seen.threads, 101);
	static const struct {
		const char *cgroup;
		enum cg_slot slot;
		bool whole;
	} cases[] = {
		{ "/user.slice", SLOT_OUTSIDE, true },
		{ "", SLOT_OUTSIDE, true },
		{ "/vfiosup/media", SLOT_OUTSIDE, true },
		{ "/vfiosup/media/vmx", SLOT_OUTSIDE, true },
		{ "/vfiosup/media/vm", SLOT_OUTSIDE, false },
		{ "/vfiosup/media/vm/other", SLOT_OUTSIDE, false },
		{ "/vfiosup/media/vm/emulator", SLOT_EMULATOR, false },
	};

	fixture->host.cg_mode = CG_MODE_V2;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char whole[MODEL_PATH + 64], one[MODEL_PATH + 64];
		const char *was = cases[i].cgroup[0] ? cases[i].cgroup + 1 : "";
		vcpu->place.slot = cases[i].slot;
		strcpy(vcpu->cgroup, cases[i].cgroup);
		snprintf(whole, sizeof(whole), "cg-attach tid=101 group=%s prior=%s",
			"vfiosup/media/vm", was);
		snprintf(one, sizeof(one), "cg-attach tid=101 group=%s prior=%s",
			"vfiosup/media/vm/vcpus", was);
		if (cases[i].whole)
			ASSERT_ACTIONS(fixture, whole, one, "thread-affinity tid=101 cpus=2");
		else
			ASSERT_ACTIONS(fixture, one, "thread-affinity tid=101 cpus=2");
	}
}

static void test_cpuset(void **state)
{
	struct fixture *fixture = *state;
	struct vm_groups *seen = &fixture->seen.groups;

	/* Children narrowed below a narrowed parent: the parent first. */
	seen->vm = cpus("0");
	seen->vcpus = cpus("0");
	ASSERT_DRIFTS(fixture, "group vfiosup/media: CPUs 0, wanted 0-3",
		"group vfiosup/media/vcpus: CPUs 0, wanted 2-3");
	ASSERT_ACTIONS(fixture, "cg-set group=vfiosup/media file=cpuset.cpus value=0-3");
	/* A parent that has too many comes last. */
	fixture->host.online = cpus("0-7");
	seen->vm = cpus("0-7");
	seen->emulator = cpus("0-3");
	ASSERT_DRIFTS(fixture, "group vfiosup/media/emulator: CPUs 0-3, wanted 0-1",
		"group vfiosup/media/vcpus: CPUs 0, wanted 2-3",
		"group vfiosup/media: CPUs 0-7, wanted 0-3");
	/* A group that is not there is made first. */
	*seen = fixture->wanted.groups;
	seen->iothreads = cpus("");
	ASSERT_DRIFTS(fixture, "group vfiosup/media/iothreads: CPUs none, wanted 1");
	ASSERT_ACTIONS(fixture, "cg-create group=vfiosup/media/iothreads",
		"cg-set group=vfiosup/media/iothreads file=cpuset.cpus value=1");
	fixture->host.cg_mode = CG_MODE_V2;
	seen->vm = cpus("0");
	ASSERT_DRIFTS(fixture, "group vfiosup/media/vm: CPUs 0, wanted 0-3",
		"group vfiosup/media/vm/iothreads: CPUs none, wanted 1");
	fixture->plan.group[0] = '\0';
	ASSERT_DRIFTS(fixture, NULL);
}

static void test_new_and_gone(void **state)
{
	struct fixture *fixture = *state;
	struct thread late = { .tid = 105, .role = ROLE_WORKER, .index = -1 };

	late.place = (struct placement){
		.cpus = cpus("2"), .policy = SCHED_CLASS_FIFO, .priority = 1, .slot = SLOT_VCPUS
	};
	strcpy(late.cgroup, "/vfiosup/media/vcpus");
	assert_int_equal(threads_add(&fixture->seen.threads, &late), 0);
	ASSERT_DRIFTS(fixture, "worker 105: new, not yet placed");
	ASSERT_ACTIONS(fixture,
		"cg-attach tid=105 group=vfiosup/media/emulator prior=vfiosup/media/vcpus",
		"thread-affinity tid=105 cpus=0-1",
		"thread-sched tid=105 policy=other priority=0 nice=0");
	threads_find(&fixture->seen.threads, 105)->place.slot = SLOT_EMULATOR;
	ASSERT_ACTIONS(fixture, "thread-affinity tid=105 cpus=0-1",
		"thread-sched tid=105 policy=other priority=0 nice=0");
	/* Threads that end are no drift. */
	fixture->seen.threads.count = 3;
	ASSERT_DRIFTS(fixture, NULL);
	fixture->seen.threads.count = 0;
	ASSERT_DRIFTS(fixture, NULL);
}

static void test_autogroup(void **state)
{
	struct fixture *fixture = *state;

	fixture->wanted.autogroup_nice = -20;
	ASSERT_DRIFTS(fixture, "autogroup: nice 0, wanted -20");
	ASSERT_ACTIONS(fixture, "autogroup tid=100 nice=-20");
	fixture->seen.autogroup_nice = AUTOGROUP_UNKNOWN;
	ASSERT_DRIFTS(fixture, NULL);
	fixture->seen.autogroup_nice = -20;
	ASSERT_DRIFTS(fixture, NULL);
}

static void test_order(void **state)
{
	struct fixture *fixture = *state;
	struct thread late = { .tid = 200, .role = ROLE_UNKNOWN, .index = -1 };

	fixture->wanted.autogroup_nice = -20;
	seen_place(fixture, 104)->nice = 5;
	seen_place(fixture, 101)->policy = SCHED_CLASS_OTHER;
	seen_place(fixture, 102)->cpus = cpus("2");
	threads_find(&fixture->seen.threads, 103)->place.slot = SLOT_VCPUS;
	assert_int_equal(threads_add(&fixture->seen.threads, &late), 0);
	fixture->seen.groups.vcpus = cpus("2");
	ASSERT_DRIFTS(fixture, "group vfiosup/media/vcpus: CPUs 2, wanted 2-3",
		"unknown 200: new, not yet placed",
		"iothread 0: in group /vfiosup/media/iothreads, wanted iothreads",
		"vcpu 1: affinity 2, wanted 3", "vcpu 0: policy other, wanted fifo 1",
		"worker 104: nice 5, wanted 0", "autogroup: nice 0, wanted -20");
}

static void test_shield(void **state)
{
	struct fixture *fixture = *state;
	struct cpuset have[] = { cpus("0-1"), cpus("0-3"), cpus("") };
	struct drifts drifts = { 0 };
	struct actions actions = { 0 };
	struct strbuf text = { 0 };
	struct spec spec;
	char words[256];

	assert_int_equal(spec_init(&spec), 0);
	assert_int_equal(strlist_add(&spec.shield, "init.scope"), 0);
	assert_int_equal(strlist_add(&spec.shield, "system.slice"), 0);
	assert_int_equal(strlist_add(&spec.shield, "gone"), 0);
	assert_int_equal(diff_shield(&fixture->plan, &spec, have, &drifts), 0);
	assert_int_equal(drifts.count, 0);
	fixture->plan.shield = true;
	assert_int_equal(diff_shield(&fixture->plan, &spec, have, &drifts), 0);
	assert_int_equal(drifts.count, 1);
	assert_int_equal(drifts.items[0].kind, DRIFT_SHIELD);
	drift_words(&drifts.items[0], words, sizeof(words));
	assert_string_equal(words, "shield: group system.slice has CPUs 0-3 again, wanted 0-1");
	assert_int_equal(
		drift_action(&fixture->plan, &fixture->host, &drifts.items[0], &actions), 0);
	assert_int_equal(actions.count, 1);
	actions.items[0].reason[0] = '\0';
	action_format(&actions.items[0], &text);
	assert_string_equal(text.text, "cg-set group=system.slice file=cpuset.cpus value=0-1");
	strbuf_free(&text);
	actions_free(&actions);
	drifts_free(&drifts);
	spec_free(&spec);
}

static void test_names(void **state)
{
	(void)state;
	for (enum drift_kind kind = 0; kind < DRIFT_KINDS; kind++)
		assert_true(drift_kind_name(kind)[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_affinity),
		TEST(test_offline),
		TEST(test_policy),
		TEST(test_nice),
		TEST(test_cgroup),
		TEST(test_cgroup_v2),
		TEST(test_cpuset),
		TEST(test_new_and_gone),
		TEST(test_autogroup),
		TEST(test_order),
		TEST(test_shield),
		TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
