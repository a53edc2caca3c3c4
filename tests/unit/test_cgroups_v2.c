/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real groups in a cgroup v2 with the cpuset controller. Where the machine has none,
 * tests/integration/v2/run boots a kernel that has. */
#include "tests/unit/real_cgroups.h"
#include "plan/place.h"

static const char *const slots[] = { "vm/vcpus", "vm/iothreads", "vm/emulator" };

static struct cpuset host;

static void shell(const char *below, const char *file, const char *text)
{
	write_raw(" cgroup2 ", "", below, file, text);
}

static enum action_result root_controllers(const char *value, struct err *err)
{
	struct action action = { .kind = ACTION_CG_SET, .file = "cgroup.subtree_control" };

	snprintf(action.value, sizeof(action.value), "%s", value);
	return cgroups_act(cgroups, &action, err);
}

static int setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	if (cgroups_mode(cgroups) != CG_MODE_V2)
		return 0;
	alarm(60);
	if (cgroups_effective_cpus(cgroups, "", &host) < 0 ||
		root_controllers("+cpuset", &err) > ACTION_ALREADY ||
		create("", &err) != ACTION_DONE) {
		print_error("%s; %s\n", err.text, err.why);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	enum action_result result;

	(void)state;
	if (cgroups_mode(cgroups) != CG_MODE_V2)
		return 0;
	child_end();
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		destroy(slots[i], NULL);
	destroy("vm", NULL);
	result = destroy("", NULL);
	alarm(0);
	return result == ACTION_DONE || result == ACTION_ALREADY ? 0 : -1;
}

static void need_v2(void)
{
	if (cgroups_mode(cgroups) == CG_MODE_V2)
		return;
	print_message("skipped: no cgroup v2 with cpuset here%s%s\n",
		cgroups_reason(cgroups)[0] ? ": " : "", cgroups_reason(cgroups));
	skip();
}

static void list(const struct cpuset *set, char *text)
{
	cpuset_format(set, text, CPUSET_TEXT);
}

static void assert_effective(const char *below, const struct cpuset *want_set)
{
	struct action at = about(ACTION_CG_SET, below);
	char seen[CPUSET_TEXT], wanted[CPUSET_TEXT];
	struct cpuset set;

	assert_int_equal(cgroups_effective_cpus(cgroups, at.group, &set), 0);
	list(&set, seen);
	list(want_set, wanted);
	assert_string_equal(seen, wanted);
}

static void assert_runs_on(pid_t tid, const struct cpuset *want_set)
{
	struct cpuset set = { 0 };

	assert_int_equal(sched_getaffinity(tid, sizeof(set), (cpu_set_t *)&set), 0);
	assert_true(cpuset_equal(&set, want_set));
}

/* Everything below `vm` as a VM has it; the order in which it is made is part of the test. */
static void make_vm(void)
{
	WANT(ACTION_DONE, set("", "cgroup.subtree_control", "+cpuset", ERR));
	WANT(ACTION_DONE, create("vm", ERR));
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		WANT(ACTION_DONE, create(slots[i], ERR));
}

static void test_structure(void **state)
{
	struct err err = { 0 };

	(void)state;
	need_v2();
	WANT(ACTION_DONE, create("vm", ERR));
	assert_file("vm", "cgroup.type", "domain");
	/* The ancestors' controllers are not switched on in passing. */
	assert_int_equal(create("vm/vcpus", &err), ACTION_REPLAN);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.why, "an ancestor's cgroup.subtree_control lacks +cpuset"));
	assert_file("", "cgroup.subtree_control", "");

	WANT(ACTION_DONE, set("", "cgroup.subtree_control", "+cpuset", ERR));
	WANT(ACTION_ALREADY, set("", "cgroup.subtree_control", "+cpuset", ERR));
	/* What an earlier attempt left half done is completed. */
	WANT(ACTION_DONE, create("vm/vcpus", ERR));
	WANT(ACTION_ALREADY, create("vm/vcpus", ERR));
	WANT(ACTION_DONE, create("vm/iothreads", ERR));
	WANT(ACTION_DONE, create("vm/emulator", ERR));
	assert_file("vm", "cgroup.type", "domain threaded");
	assert_file("vm", "cgroup.subtree_control", "cpuset");
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		assert_file(slots[i], "cgroup.type", "threaded");
}

/* A VM named "vcpus" does not get a threaded group for its own. */
static void test_vm_named_like_a_slot(void **state)
{
	(void)state;
	need_v2();
	WANT(ACTION_DONE, create("vcpus", ERR));
	assert_file("vcpus", "cgroup.type", "domain");
	WANT(ACTION_DONE, destroy("vcpus", ERR));
}

/* A VM's life: the process into vm, its threads one by one below, all read back, nothing left. */
static void test_life(void **state)
{
	int first = cpuset_next(&host, 0);
	struct cpuset one = cpuset_one(first), rest = cpuset_minus(&host, &one);
	char text[CPUSET_TEXT];
	AUTO_FREE pid_t *tids = NULL;
	struct action vcpus = about(ACTION_CG_SET, "vm/vcpus");
	size_t count;

	(void)state;
	need_v2();
	if (cpuset_empty(&rest))
		rest = host;
	make_vm();
	list(&one, text);
	WANT(ACTION_DONE, set("vm/vcpus", "cpuset.cpus", text, ERR));
	WANT(ACTION_ALREADY, set("vm/vcpus", "cpuset.cpus", text, ERR));
	assert_file("vm/vcpus", "cpuset.cpus", text);
	list(&rest, text);
	WANT(ACTION_DONE, set("vm/emulator", "cpuset.cpus", text, ERR));
	assert_effective("vm/vcpus", &one);
	assert_effective("vm/emulator", &rest);
	assert_effective("vm/iothreads", &host);

	child_start();
	WANT(ACTION_DONE, attach("vm", child.pid, ERR));
	WANT(ACTION_ALREADY, attach("vm", child.pid, ERR));
	for (int i = 0; i < TIDS; i++)
		assert_in(child.tids[i], "vm");
	for (int i = 0; i < TIDS; i++)
		WANT(ACTION_DONE, attach(i < 2 ? "vm/emulator" : "vm/vcpus", child.tids[i], ERR));
	for (int i = 0; i < TIDS; i++) {
		assert_in(child.tids[i], i < 2 ? "vm/emulator" : "vm/vcpus");
		assert_runs_on(child.tids[i], i < 2 ? &rest : &one);
	}
	assert_int_equal(cgroups_threads(cgroups, vcpus.group, &tids, &count), 0);
	assert_int_equal(count, 2);
	/* Back up to the domain goes a thread by itself. */
	WANT(ACTION_DONE, attach("vm", child.tids[3], ERR));
	assert_in(child.tids[3], "vm");
	assert_in(child.tids[2], "vm/vcpus");

	child_end();
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		WANT(ACTION_DONE, destroy(slots[i], ERR));
	WANT(ACTION_DONE, destroy("vm", ERR));
	WANT(ACTION_ALREADY, destroy("vm", ERR));
}

/* A group that was cut back gets all CPUs again, also while somebody is in it. */
static void test_cut_back_and_given_back(void **state)
{
	struct cpuset one = cpuset_one(cpuset_next(&host, 0));
	char text[CPUSET_TEXT];

	(void)state;
	need_v2();
	make_vm();
	child_start();
	WANT(ACTION_DONE, attach("vm", child.pid, ERR));
	list(&one, text);
	WANT(ACTION_DONE, set("vm", "cpuset.cpus", text, ERR));
	assert_effective("vm", &one);
	WANT(ACTION_DONE, set("vm", "cpuset.cpus", "", ERR));
	assert_effective("vm", &host);
}

/* As a forked QEMU comes: from outside right into its threaded group, or the other way round. */
static void test_straight_in(void **state)
{
	struct err err = { 0 };
	struct action out = { .kind = ACTION_CG_ATTACH };

	(void)state;
	need_v2();
	make_vm();
	child_start();
	assert_int_equal(attach("vm/emulator", child.tids[1], &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EOPNOTSUPP);
	assert_non_null(strstr(err.why, "only whole processes cross over"));
	WANT(ACTION_DONE, attach("vm/emulator", child.pid, ERR));
	for (int i = 0; i < TIDS; i++)
		assert_in(child.tids[i], "vm/emulator");
	WANT(ACTION_DONE, attach("vm/vcpus", child.tids[2], ERR));
	assert_in(child.tids[0], "vm/emulator");

	out.tid = child.pid;
	WANT(ACTION_DONE, cgroups_act(cgroups, &out, ERR));
	assert_int_equal(cgroups_prior(cgroups, &out), 0);
	assert_string_equal(out.prior, "");
}

static void test_attach_refusals(void **state)
{
	struct err err = { 0 };
	pid_t dead;

	(void)state;
	need_v2();
	make_vm();
	child_start();
	WANT(ACTION_DONE, attach("vm", child.pid, ERR));
	assert_int_equal(attach("gone", child.pid, &err), ACTION_REPLAN);
	assert_string_equal(err.why, "the group is gone");
	/* A group that passes controllers on, with processes below, holds none itself. */
	assert_int_equal(attach("", child.pid, &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EBUSY);
	assert_non_null(strstr(err.why, "so holds no processes"));

	dead = child.tids[1];
	child_end();
	assert_int_equal(attach("vm", dead, &err), ACTION_REPLAN);
	assert_int_equal(err.code, ESRCH);
}

static void test_outside_changes(void **state)
{
	int first = cpuset_next(&host, 0);
	char one[16], all[CPUSET_TEXT], tid[16];
	struct cpuset set_one = cpuset_one(first);

	(void)state;
	need_v2();
	make_vm();
	list(&host, all);
	snprintf(one, sizeof(one), "%d", first);
	WANT(ACTION_DONE, set("vm/vcpus", "cpuset.cpus", all, ERR));
	shell("vm/vcpus", "cpuset.cpus", one);
	assert_file("vm/vcpus", "cpuset.cpus", one);
	assert_effective("vm/vcpus", &set_one);
	WANT(ACTION_DONE, set("vm/vcpus", "cpuset.cpus", all, ERR));
	/* Somebody narrows a parent: what is written stays, what is effective does not. */
	shell("vm", "cpuset.cpus", one);
	assert_file("vm/vcpus", "cpuset.cpus", all);
	assert_effective("vm/vcpus", &set_one);
	WANT(ACTION_DONE, set("vm", "cpuset.cpus", "", ERR));
	assert_file("vm", "cpuset.cpus", "");
	assert_effective("vm/vcpus", &host);

	child_start();
	WANT(ACTION_DONE, attach("vm", child.pid, ERR));
	WANT(ACTION_DONE, attach("vm/vcpus", child.tids[2], ERR));
	snprintf(tid, sizeof(tid), "%d", (int)child.tids[2]);
	shell("vm/iothreads", "cgroup.threads", tid);
	assert_in(child.tids[2], "vm/iothreads");
	WANT(ACTION_DONE, attach("vm/vcpus", child.tids[2], ERR));
	assert_in(child.tids[2], "vm/vcpus");
}

static void test_leftovers(void **state)
{
	struct action vm = about(ACTION_CG_SET, "vm");
	struct err err = { 0 };
	char group[MODEL_PATH];
	pid_t pid = 0;

	(void)state;
	need_v2();
	make_vm();
	assert_int_equal(cgroups_busy(cgroups, vm.group, &pid), 0);
	child_start();
	WANT(ACTION_DONE, attach("vm", child.pid, ERR));
	WANT(ACTION_DONE, attach("vm/vcpus", child.tids[3], ERR));
	assert_int_equal(cgroups_busy(cgroups, vm.group, &pid), 1);
	assert_int_equal(pid, child.pid);

	assert_int_equal(destroy("vm", &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, ENOTEMPTY);
	assert_in(child.pid, "vm");

	/* A thread goes to vm; the process, which its parent may not hold, to the root. */
	WANT(ACTION_DONE, destroy("vm/vcpus", ERR));
	assert_in(child.tids[3], "vm");
	WANT(ACTION_DONE, destroy("vm/iothreads", ERR));
	WANT(ACTION_DONE, destroy("vm/emulator", ERR));
	WANT(ACTION_DONE, destroy("vm", ERR));
	assert_int_equal(kill(child.pid, 0), 0);
	assert_int_equal(cgroups_of_thread(cgroups, child.pid, group, sizeof(group)), 0);
	assert_true(strcmp(group, "") == 0 || strcmp(group, top) == 0);
	assert_int_equal(cgroups_busy(cgroups, vm.group, &pid), -ENOENT);
}

struct refusal {
	const char *group, *file, *value;
	enum action_result result;
	const char *words; /* a part of text or why */
};

static void test_set_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{ "vm/vcpus", "cpuset.cpus", "1023", ACTION_REPLAN,
			"does not exist or is offline" },
		{ "vm/vcpus", "cpuset.cpus", "2-1", ACTION_GIVE_UP, "not a list" },
		{ "vm/vcpus", "cpuset.cpus.partition", "isolated", ACTION_GIVE_UP, "invalid" },
		{ "vm/vcpus", "cpuset.cpus.partition", "nonsense", ACTION_GIVE_UP, "" },
		{ "vm", "cgroup.subtree_control", "+nonsense", ACTION_GIVE_UP,
			"refuses \"+nonsense\"" },
		{ "vm", "cgroup.subtree_control", "+memory", ACTION_REPLAN, "cgroup.controllers" },
		{ "", "cgroup.subtree_control", "-cpuset", ACTION_GIVE_UP, "still uses it" },
		{ "vm/vcpus", "cpuset.nothing", "1", ACTION_REPLAN, "no such file" },
		{ "gone", "cpuset.cpus", "0", ACTION_REPLAN, "the group is gone" },
		{ "vm/vcpus", "cgroup.threads", "1", ACTION_GIVE_UP, "not a setting" },
	};

	(void)state;
	need_v2();
	make_vm();
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *c = &refusals[i];
		struct err err = { 0 };
		enum action_result result = set(c->group, c->file, c->value, &err);

		if (result != c->result || !err.text[0] ||
			(!strstr(err.why, c->words) && !strstr(err.text, c->words)))
			fail_msg("%s=\"%s\": %s, \"%s\", \"%s\"", c->file, c->value,
				action_result_name(result), err.text, err.why);
	}
}

/* Below a group that passes on a controller which knows no threads there can be no threads. */
static void test_no_threads_beside_memory(void **state)
{
	struct err err = { 0 };

	(void)state;
	need_v2();
	if (root_controllers("+memory", &err) > ACTION_ALREADY) {
		print_message("skipped: no memory controller here: %s\n", err.text);
		skip();
	}
	WANT(ACTION_DONE, set("", "cgroup.subtree_control", "+cpuset +memory", ERR));
	WANT(ACTION_DONE, create("vm", ERR));
	WANT(ACTION_DONE, set("vm", "cgroup.subtree_control", "+memory", ERR));
	assert_int_equal(create("vm/vcpus", &err), ACTION_GIVE_UP);
	assert_int_equal(err.code, EOPNOTSUPP);
	assert_non_null(strstr(err.why, "knows no threads"));
}

static void test_controllers_given_back(void **state)
{
	struct action on = about(ACTION_CG_SET, "");
	struct action off;

	(void)state;
	need_v2();
	strcpy(on.file, "cgroup.subtree_control");
	strcpy(on.value, "+cpuset");
	assert_int_equal(cgroups_prior(cgroups, &on), 0);
	WANT(ACTION_DONE, cgroups_act(cgroups, &on, ERR));
	assert_true(action_inverse(&on, &off));
	WANT(ACTION_DONE, cgroups_act(cgroups, &off, ERR));
	assert_file("", "cgroup.subtree_control", "");
	WANT(ACTION_ALREADY, cgroups_act(cgroups, &off, ERR));
}

/* What plan/ asks for is what this room can do, and undo. */
static void test_planned_groups(void **state)
{
	struct place_plan plan = { .group = "vfiosup/v2test" };
	struct host_state machine = { .cg_mode = CG_MODE_V2 };
	struct actions actions = { 0 };
	char group[MODEL_PATH];
	struct cpuset cpus;

	(void)state;
	need_v2();
	machine.online = machine.allowed = host;
	plan.vcpus = cpuset_one(cpuset_next(&host, 0));
	plan.emulator = plan.iothreads = plan.housekeeping = host;
	assert_int_equal(place_prepare(&plan, &machine, &actions), 0);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < actions.count; i++) {
			struct err err = { 0 };
			enum action_result result = cgroups_act(cgroups, &actions.items[i], &err);

			if (result != ACTION_DONE && result != ACTION_ALREADY)
				fail_msg("action %zu: %s; %s", i, err.text, err.why);
		}
	place_slot_group(&plan, CG_MODE_V2, SLOT_VCPUS, group);
	assert_int_equal(cgroups_effective_cpus(cgroups, group, &cpus), 0);
	assert_true(cpuset_equal(&cpus, &plan.vcpus));
	actions_free(&actions);

	assert_int_equal(place_release(&plan, &machine, &actions), 0);
	for (size_t i = 0; i < actions.count; i++)
		WANT(ACTION_DONE, cgroups_act(cgroups, &actions.items[i], ERR));
	actions_free(&actions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_structure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vm_named_like_a_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_back_and_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_straight_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outside_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_threads_beside_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_controllers_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_planned_groups, setup, teardown),
	};

	return cmocka_run_group_tests_name("cgroups_v2", tests, group_setup, group_teardown);
}
