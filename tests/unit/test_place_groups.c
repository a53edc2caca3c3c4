/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/place_fixture.h"

static void assert_actions(struct actions *actions, const char *const *lines)
{
	size_t i = 0;

	for (; lines[i]; i++) {
		struct strbuf text = { 0 };
		assert_true(i < actions->count);
		action_format(&actions->items[i], &text);
		char *reason = strstr(text.text, " # ");
		assert_non_null(reason);
		*reason = '\0';
		assert_string_equal(text.text, lines[i]);
		strbuf_free(&text);
	}
	assert_int_equal(actions->count, i);
	actions_free(actions);
}

static const char *const groups_v1[] = {
	"cg-create group=vfiosup",
	"cg-set group=vfiosup file=cpuset.cpus value=0-3",
	"cg-create group=vfiosup/media",
	"cg-set group=vfiosup/media file=cpuset.cpus value=0-3",
	"cg-create group=vfiosup/media/emulator",
	"cg-set group=vfiosup/media/emulator file=cpuset.cpus value=0",
	"cg-create group=vfiosup/media/iothreads",
	"cg-set group=vfiosup/media/iothreads file=cpuset.cpus value=0-1",
	"cg-create group=vfiosup/media/vcpus",
	"cg-set group=vfiosup/media/vcpus file=cpuset.cpus value=3",
	"cg-set group=vfiosup/media file=cpuset.cpus value=0-1,3",
	NULL,
};

static const char *const groups_v1_back[] = {
	"cg-remove group=vfiosup/media/vcpus",
	"cg-remove group=vfiosup/media/iothreads",
	"cg-remove group=vfiosup/media/emulator",
	"cg-remove group=vfiosup/media",
	"cg-remove group=vfiosup",
	NULL,
};

static const char *const groups_v2[] = {
	"cg-set group= file=cgroup.subtree_control value=+cpuset",
	"cg-create group=vfiosup",
	"cg-set group=vfiosup file=cpuset.cpus value=0-3",
	"cg-set group=vfiosup file=cgroup.subtree_control value=+cpuset",
	"cg-create group=vfiosup/media",
	"cg-set group=vfiosup/media file=cpuset.cpus value=0-1,3",
	"cg-set group=vfiosup/media file=cgroup.subtree_control value=+cpuset",
	"cg-create group=vfiosup/media/vm",
	"cg-set group=vfiosup/media/vm file=cpuset.cpus value=0-1,3",
	"cg-set group=vfiosup/media/vm file=cgroup.subtree_control value=+cpuset",
	"cg-create group=vfiosup/media/vm/emulator",
	"cg-set group=vfiosup/media/vm/emulator file=cpuset.cpus value=0",
	"cg-create group=vfiosup/media/vm/iothreads",
	"cg-set group=vfiosup/media/vm/iothreads file=cpuset.cpus value=0-1",
	"cg-create group=vfiosup/media/vm/vcpus",
	"cg-set group=vfiosup/media/vm/vcpus file=cpuset.cpus value=3",
	NULL,
};

static const char *const groups_v2_back[] = {
	"cg-remove group=vfiosup/media/vm/vcpus",
	"cg-remove group=vfiosup/media/vm/iothreads",
	"cg-remove group=vfiosup/media/vm/emulator",
	"cg-remove group=vfiosup/media/vm",
	"cg-remove group=vfiosup/media",
	"cg-remove group=vfiosup",
	NULL,
};

static void test_groups(void **state)
{
	(void)state;
	static const char *const none[] = { NULL };
	const struct wish wish = { LIST(3), .vcpus = 1, .emulator = "0", .iothread = "0-1" };
	struct host_state host = host_of(&wish);
	struct actions actions = { 0 };
	struct place_plan plan;

	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	host.cg_mode = CG_MODE_V1;
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_actions(&actions, groups_v1);
	assert_int_equal(place_release(&plan, &host, &actions), 0);
	assert_actions(&actions, groups_v1_back);
	host.cg_mode = CG_MODE_V2;
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_actions(&actions, groups_v2);
	assert_int_equal(place_release(&plan, &host, &actions), 0);
	assert_actions(&actions, groups_v2_back);
	host.cg_mode = CG_MODE_NONE;
	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_actions(&actions, none);
	assert_int_equal(place_release(&plan, &host, &actions), 0);
	assert_actions(&actions, none);
	struct vm_groups groups = place_groups(&plan);
	assert_true(cpuset_empty(&groups.vm) && cpuset_empty(&groups.vcpus));
}

#define UNIT "vfiosup.slice/vfiosup-media.service"

static const char *const unit_fresh[] = {
	"cg-create group=" UNIT "/vm",
	"cg-attach tid=4711 group=" UNIT "/vm",
	"cg-set group=" UNIT " file=cgroup.subtree_control value=+cpuset",
	"cg-set group=" UNIT "/vm file=cpuset.cpus value=0-1,3",
	"cg-set group=" UNIT "/vm file=cgroup.subtree_control value=+cpuset",
	"cg-create group=" UNIT "/vm/emulator",
	"cg-set group=" UNIT "/vm/emulator file=cpuset.cpus value=0",
	"cg-create group=" UNIT "/vm/iothreads",
	"cg-set group=" UNIT "/vm/iothreads file=cpuset.cpus value=0-1",
	"cg-create group=" UNIT "/vm/vcpus",
	"cg-set group=" UNIT "/vm/vcpus file=cpuset.cpus value=3",
	"cg-attach tid=4711 group=" UNIT "/vm/emulator",
	NULL,
};

/* On v2 the groups are below systemd's, and QEMU is there before them; a v1 cpuset is none of systemd's. */
static void test_unit_groups(void **state)
{
	(void)state;
	static const char *const none[] = { NULL };
	const struct wish wish = { LIST(3), .vcpus = 1, .emulator = "0", .iothread = "0-1" };
	struct host_state host = host_of(&wish);
	struct actions actions = { 0 };
	struct place_plan plan;

	host.units = true;
	host.cg_mode = CG_MODE_V2;
	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	assert_string_equal(plan.unit, "vfiosup-media.service");
	assert_string_equal(plan.group, UNIT);
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_int_equal(place_release(&plan, &host, &actions), 0);
	assert_actions(&actions, none);
	assert_int_equal(place_enter_unit(&plan, 4711, "/" UNIT, &actions), 0);
	assert_actions(&actions, unit_fresh);
	/* Found in its place: it is not moved a second time, nor are its vCPUs with it. */
	assert_int_equal(place_enter_unit(&plan, 4711, UNIT "/vm/emulator", &actions), 0);
	assert_int_equal(actions.count, ARRAY_SIZE(unit_fresh) - 1 - 2);
	actions_free(&actions);
	host.cg_mode = CG_MODE_V1;
	assert_int_equal(plan_on(&wish, &host, &plan, NULL), 0);
	assert_string_equal(plan.unit, "vfiosup-media.service");
	assert_int_equal(place_prepare(&plan, &host, &actions), 0);
	assert_actions(&actions, groups_v1);
	assert_int_equal(place_enter_unit(&plan, 4711, "", &actions), 0);
	assert_actions(&actions, none);
}

static const struct {
	enum cg_mode mode;
	const char *group;
	enum cg_slot slot;
} group_names_cases[] = {
	{ CG_MODE_V1, "vfiosup/media/vcpus", SLOT_VCPUS },
	{ CG_MODE_V1, "/vfiosup/media/vcpus", SLOT_VCPUS },
	{ CG_MODE_V1, "vfiosup/media/emulator", SLOT_EMULATOR },
	{ CG_MODE_V1, "vfiosup/media/iothreads", SLOT_IOTHREADS },
	{ CG_MODE_V1, "vfiosup/media/vm/vcpus", SLOT_OUTSIDE },
	{ CG_MODE_V1, "vfiosup/media", SLOT_OUTSIDE },
	{ CG_MODE_V1, "vfiosup/media2/vcpus", SLOT_OUTSIDE },
	{ CG_MODE_V1, "", SLOT_OUTSIDE },
	{ CG_MODE_V1, "/", SLOT_OUTSIDE },
	{ CG_MODE_V2, "vfiosup/media/vm/vcpus", SLOT_VCPUS },
	{ CG_MODE_V2, "/vfiosup/media/vm/emulator", SLOT_EMULATOR },
	{ CG_MODE_V2, "vfiosup/media/vcpus", SLOT_OUTSIDE },
	{ CG_MODE_V2, "vfiosup/media/vm", SLOT_OUTSIDE },
};

static void test_group_names(void **state)
{
	(void)state;
	struct place_plan plan = { .group = "vfiosup/media" }, none = { 0 };
	char text[MODEL_PATH];

	for (size_t i = 0; i < ARRAY_SIZE(group_names_cases); i++) {
		assert_int_equal(
			place_slot_of(&plan, group_names_cases[i].mode, group_names_cases[i].group),
			group_names_cases[i].slot);
		assert_int_equal(
			place_slot_of(&none, group_names_cases[i].mode, group_names_cases[i].group),
			SLOT_OUTSIDE);
	}
	assert_string_equal(place_slot_group(&plan, CG_MODE_V2, SLOT_NONE, text), "");
	assert_string_equal(place_slot_group(&plan, CG_MODE_V2, SLOT_OUTSIDE, text), "");
	assert_string_equal(place_slot_group(&none, CG_MODE_V2, SLOT_VCPUS, text), "");
	assert_string_equal(place_vm_group(&plan, CG_MODE_V1, text), "vfiosup/media");
	assert_string_equal(place_vm_group(&plan, CG_MODE_V2, text), "vfiosup/media/vm");
}

static const char *const shield_lines[] = {
	"cg-set group=jobs/a/b file=cpuset.cpus value=1",
	"cg-set group=system.slice file=cpuset.cpus value=0-1",
	"cg-set group=jobs file=cpuset.cpus value=0,5",
	NULL,
};

static void test_shield(void **state)
{
	(void)state;
	static const char *const none[] = { NULL };
	struct place_plan plan = { .vcpus = cpus("2-3"), .shield = true };
	struct cpuset have[] = { cpus("0-3"), cpus(""), cpus("0-1"), cpus("0,3,5"), cpus("1,2") };
	static const char *const groups[] = { "system.slice", "gone", "user.slice", "jobs",
		"jobs/a/b" };
	struct actions actions = { 0 };
	struct spec spec;
	struct err err;

	make_spec(&(struct wish){ .no_shield = true }, &spec);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		assert_int_equal(strlist_add(&spec.shield, groups[i]), 0);
	assert_int_equal(place_shield(&plan, &spec, have, &actions, &err), 0);
	assert_actions(&actions, shield_lines);
	have[1] = cpus("3");
	assert_int_equal(place_shield(&plan, &spec, have, &actions, &err), -EINVAL);
	assert_string_equal(
		err.text, "media.conf:11: shield: group gone has only CPU 3, all of them vCPUs'");
	actions_free(&actions);
	plan.shield = false;
	assert_int_equal(place_shield(&plan, &spec, have, &actions, &err), 0);
	assert_actions(&actions, none);
	spec_free(&spec);
}

static void test_shield_never_the_vms(void **state)
{
	(void)state;
	static const char *const groups[] = { "", "vfiosup", "vfiosup/media", "vfiosup.slice",
		UNIT };
	struct place_plan plan = { .vcpus = cpus("2-3"), .shield = true };
	struct cpuset have = cpus("0-3");

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct actions actions = { 0 };
		struct spec spec;
		make_spec(&(struct wish){ .no_shield = true }, &spec);
		assert_int_equal(strlist_add(&spec.shield, groups[i]), 0);
		assert_int_equal(place_shield(&plan, &spec, &have, &actions, NULL), -EINVAL);
		assert_int_equal(actions.count, 0);
		actions_free(&actions);
		spec_free(&spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_unit_groups),
		cmocka_unit_test(test_group_names),
		cmocka_unit_test(test_shield),
		cmocka_unit_test(test_shield_never_the_vms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
