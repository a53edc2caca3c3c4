/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `plan` prints, as text and as JSON. */
#include "cli/plan_text.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char binary[] = "/usr/bin/qemu", user[] = "vfio-sup-qemu", file[] = "a.conf";

/* Two vCPUs of which one may be plugged in later and shares. */
static struct api_plan a_plan(void)
{
	struct api_plan plan = {
		.spec = { .name = "a",
			.file = file,
			.binary = binary,
			.user = user,
			.vcpus = 1,
			.maxcpus = 2,
			.memory = { .size = 64 << 20 } },
		.place = { .vcpu = { 3, -1 },
			.vcpu_count = 2,
			.policy = SCHED_CLASS_FIFO,
			.priority = 1,
			.shield = true,
			.group = "vfiosup/a",
			.policy_reason = "isolated",
			.place_reason = "few\x1b" },
		.cg_mode = CG_MODE_V1,
	};
	struct action action = {
		.kind = ACTION_CG_CREATE, .group = "vfiosup/a", .reason = "the VM's groups"
	};

	cpuset_parse("2-3", &plan.place.vcpus);
	cpuset_parse("0", &plan.place.iothreads);
	cpuset_parse("0-1", &plan.place.emulator);
	plan.place.housekeeping = plan.place.emulator;
	assert_int_equal(actions_add(&plan.prepare, &action), 0);
	strlist_add(&plan.argv, binary);
	strlist_add(&plan.argv, "-name");
	strlist_add(&plan.argv, "a b");
	strlist_add(&plan.cannot, "load the module\nvfio-pci");
	return plan;
}

static void free_plan(struct api_plan *plan)
{
	actions_free(&plan->prepare);
	strlist_free(&plan->argv);
	strlist_free(&plan->cannot);
}

static void test_text(void **state)
{
	struct api_plan plan = a_plan();
	struct strbuf text AUTO_STRBUF = { 0 };

	(void)state;
	plan_text(&plan, &text);
	assert_string_equal(text.text,
		"a  1 vCPU, 64M, tcg; /usr/bin/qemu as vfio-sup-qemu\n"
		"\nplacement\n"
		"  vcpu 0      CPU 3   fifo 1\n"
		"  vcpu 1      2-3     fifo 1   when it is plugged in\n"
		"  iothreads   CPU 0   other\n"
		"  emulator    0-1     other    QEMU's main loop, its workers, vhost, kvm-pit\n"
		"  host        0-1              what no vCPU has\n"
		"  policy     fifo: isolated\n"
		"  isolation  shield\n"
		"  place      few?\n"
		"  cgroups    v1: vfiosup/a\n"
		"\nbefore the start, in order\n"
		"  cg-create group=vfiosup/a # the VM's groups\n"
		"\nthen QEMU starts, its threads are placed and read back, and it goes on:\n"
		"  /usr/bin/qemu \\\n  -name 'a b'\n"
		"\nonce it has ended, in order: none\n"
		"\ncannot: load the module?vfio-pci\n");
	free_plan(&plan);
}

static void test_json(void **state)
{
	struct api_plan plan = a_plan();
	const char *actual, *cpus, *action, *name, *cannot;
	int shared;

	(void)state;
	strlist_add(&plan.argv, "not\xff utf-8");
	json_t *json = plan_json(&plan);
	assert_int_equal(
		json_unpack(json, "{s:{s:s}, s:{s:[{}, {s:s, s:b}]}, s:[s], s:[s], s:s}",
			"isolation", "actual", &actual, "placement", "vcpus", "cpus", &cpus,
			"shared", &shared, "actions", &action, "cannot", &cannot, "name", &name),
		0);
	assert_string_equal(actual, "shield");
	assert_string_equal(cpus, "2-3");
	assert_true(shared);
	assert_string_equal(action, "cg-create group=vfiosup/a # the VM's groups");
	assert_string_equal(cannot, "load the module\nvfio-pci");
	assert_string_equal(name, "a");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(json, "argv"), 3)), "not? utf-8");
	json_decref(json);
	free_plan(&plan);
}

static void test_words(void **state)
{
	struct api_plan plan = { .cg_mode = CG_MODE_NONE };
	struct strbuf text AUTO_STRBUF = { 0 };

	(void)state;
	assert_string_equal(plan_isolation(&plan), "off");
	assert_string_equal(plan_cgroups(&plan), "none");
	plan.place.isolated = true;
	assert_string_equal(plan_isolation(&plan), "boot");
	plan_text(&plan, &text);
	json_t *json = plan_json(&plan);
	assert_true(json_is_null(json_object_get(json, "user")));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
