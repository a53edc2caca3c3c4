/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/action.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct cpuset cpus(const char *text)
{
	struct cpuset set;

	assert_int_equal(cpuset_parse(text, &set), 0);
	return set;
}

static char *format(const struct action *action)
{
	struct strbuf text = { 0 };

	action_format(action, &text);
	char *line = strbuf_take(&text);
	assert_non_null(line);
	return line;
}

static void assert_same(const struct action *a, const struct action *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->tid, b->tid);
	assert_true(cpuset_equal(&a->place.cpus, &b->place.cpus));
	assert_int_equal(a->place.policy, b->place.policy);
	assert_int_equal(a->place.priority, b->place.priority);
	assert_int_equal(a->place.nice, b->place.nice);
	assert_int_equal(a->place.slot, b->place.slot);
	assert_string_equal(a->group, b->group);
	assert_string_equal(a->file, b->file);
	assert_string_equal(a->value, b->value);
	assert_string_equal(a->prior, b->prior);
	assert_int_equal(a->prior_known, b->prior_known);
	assert_string_equal(a->reason, b->reason);
}

static void assert_round_trip(const struct action *action)
{
	AUTO_FREE char *line = format(action);
	struct action back;
	struct err err;

	for (const char *c = line; *c; c++)
		assert_true(*c >= ' ' && *c < 0x7f);
	if (action_parse(line, &back, &err) < 0)
		fail_msg("%s: %s", line, err.text);
	assert_same(action, &back);
}

static const struct {
	struct action action;
	const char *line;
} text_cases[] = {
	{ { .kind = ACTION_CG_CREATE, .group = "vfiosup/a" }, "cg-create group=vfiosup/a" },
	{ { .kind = ACTION_CG_REMOVE, .group = "vfiosup/a b", .reason = "it is empty" },
		"cg-remove group=vfiosup/a%20b # it is empty" },
	{ { .kind = ACTION_CG_SET,
		  .group = "",
		  .file = "cgroup.subtree_control",
		  .value = "+cpuset",
		  .prior = "cpu memory",
		  .prior_known = true },
		"cg-set group= file=cgroup.subtree_control value=+cpuset "
		"prior=cpu%20memory" },
	{ { .kind = ACTION_CG_SET, .group = "a", .file = "cpuset.cpus" },
		"cg-set group=a file=cpuset.cpus value=" },
	{ { .kind = ACTION_CG_SET, .group = "a", .file = "f", .prior_known = true },
		"cg-set group=a file=f value= prior=" },
	{ { .kind = ACTION_CG_ATTACH, .tid = 7, .group = "" }, "cg-attach tid=7 group=" },
	{ { .kind = ACTION_THREAD_AFFINITY, .tid = 12, .place.cpus.bits = { 0x23 } },
		"thread-affinity tid=12 cpus=0-1,5" },
	{ { .kind = ACTION_THREAD_SCHED,
		  .tid = 12,
		  .place = { .policy = SCHED_CLASS_FIFO, .priority = 3 } },
		"thread-sched tid=12 policy=fifo priority=3 nice=0" },
	{ { .kind = ACTION_THREAD_SCHED, .tid = 12, .place.nice = -20 },
		"thread-sched tid=12 policy=other priority=0 nice=-20" },
	{ { .kind = ACTION_AUTOGROUP, .tid = 9, .place.nice = -20 }, "autogroup tid=9 nice=-20" },
	{ { .kind = ACTION_SYSFS_WRITE,
		  .file = "proc/sys/kernel/sched_rt_runtime_us",
		  .value = "-1",
		  .prior = "950000",
		  .prior_known = true },
		"sysfs-write file=proc/sys/kernel/sched_rt_runtime_us value=-1 prior=950000" },
	{ { .kind = ACTION_START, .value = "qemu '-name' x" },
		"start value=qemu%20%27-name%27%20x" },
	{ { .kind = ACTION_QMP, .value = "{\"execute\":\"cont\"}" },
		"qmp value={%22execute%22:%22cont%22}" },
	{ { .kind = ACTION_SIGNAL, .tid = 4711, .value = "TERM", .reason = "5 %, 5%a" },
		"signal tid=4711 value=TERM # 5 %, 5%a" },
	{ { .kind = ACTION_SIGNAL, .tid = 1, .value = "#\t\n%\\", .reason = "%ab\n\x80" },
		"signal tid=1 value=%23%09%0A%25%5C # %25ab%0A%80" },
};

static void test_text(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(text_cases); i++) {
		AUTO_FREE char *line = format(&text_cases[i].action);
		assert_string_equal(line, text_cases[i].line);
		struct action want = text_cases[i].action;
		want.prior_known |= want.prior[0] != '\0';
		assert_round_trip(&want);
	}
}

static void fill(char *field, size_t size, unsigned seed)
{
	for (size_t i = 0; i + 1 < size; i++)
		field[i] = (char)((i * 7 + seed) % 255 + 1);
	field[size - 1] = '\0';
}

/* Every kind with every field set, each byte value in the free texts, at full length. */
static void test_round_trip_of_every_kind(void **state)
{
	(void)state;
	for (enum action_kind kind = 0; kind < ACTION_KINDS; kind++) {
		struct action action = {
			.kind = kind,
			.tid = 4242,
			.place = { cpus("0,3-7,1023"), SCHED_CLASS_RR, 99, -7, SLOT_VCPUS },
			.group = "vfiosup/some vm/v#c%pus\"",
			.file = "cpuset.cpus",
			.prior_known = true,
		};
		if (kind == ACTION_SYSFS_WRITE)
			strcpy(action.file, "proc/sys/kernel/sched_rt_runtime_us");
		for (unsigned seed = 0; seed < 5; seed++) {
			fill(action.value, sizeof(action.value), seed);
			fill(action.prior, sizeof(action.prior), seed + 3);
			fill(action.reason, sizeof(action.reason), seed + 9);
			assert_round_trip(&action);
		}
	}
}

static void test_percent_in_reason(void **state)
{
	(void)state;
	static const char *const reasons[] = { "%", "%%", "%4", "%41", "%%41", "%4%41", "%\n",
		"%4\n", "100 % # of it", " leading", "trailing ", "%25", "#" };

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		struct action action = { .kind = ACTION_CG_CREATE, .group = "a" };
		strcpy(action.reason, reasons[i]);
		assert_round_trip(&action);
	}
}

static const char *const malformed_lines[] = {
	"",
	" ",
	"nonsense",
	"cg-create",
	"cg-create group=",
	"cg-create  group=a",
	" cg-create group=a",
	"cg-create group=a ",
	"cg-create group=a group=a",
	"cg-create group=a colour=red",
	"cg-create group=a novalue",
	"cg-create group=/a",
	"cg-create group=a/../../b",
	"cg-create group=..",
	"cg-create group=a/./b",
	"cg-create group=a//b",
	"cg-create group=a/",
	"cg-create group=%2e%2E/x",
	"sysfs-write file=etc/passwd value=x",
	"sysfs-write file=proc/sys/../../etc/passwd value=x",
	"sysfs-write file=/sys/x value=x",
	"sysfs-write file=sys/x",
	"cg-set group=a file=b/c value=x",
	"cg-create group=a%",
	"cg-create group=a%4",
	"cg-create group=a%zz",
	"cg-create group=a%00b",
	"cg-create group=a # ",
	"cg-create group=a #",
	"cg-create group=a # x%00y",
	"cg-create group=a\tb",
	"cg-create group=a # x\ny",
	"cg-remove group=",
	"cg-set group=a file= value=1",
	"cg-set group=a file=../x value=1",
	"cg-set group=a value=1",
	"cg-set file=a value=1",
	"cg-set group=a file=b",
	"cg-attach tid=1",
	"cg-attach tid=0 group=a",
	"cg-attach tid=-5 group=a",
	"cg-attach tid=99999999999 group=a",
	"cg-attach tid= group=a",
	"thread-affinity tid=1",
	"thread-affinity tid=1 cpus=",
	"thread-affinity tid=1 cpus=3-1",
	"thread-affinity tid=1 cpus=5000",
	"thread-sched tid=1 policy=fifo priority=1",
	"thread-sched tid=1 policy=best priority=1 nice=0",
	"thread-sched tid=1 policy=fifo priority=100 nice=0",
	"thread-sched tid=1 policy=fifo priority=1 nice=20",
	"thread-sched tid=1 policy=fifo priority=1 nice=0 slot=attic",
	"signal tid=1",
	"signal value=TERM",
};

static void test_malformed(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(malformed_lines); i++) {
		struct action action = { .tid = 77 };
		struct err err = { 0 };
		if (action_parse(malformed_lines[i], &action, &err) != -EINVAL)
			fail_msg("accepted: %s", malformed_lines[i]);
		assert_true(err.text[0]);
		assert_int_equal(action.tid, 77);
	}
}

static void test_too_long(void **state)
{
	(void)state;
	char line[2048] = "cg-create group=";
	struct action action;
	struct err err;

	memset(line + strlen(line), 'a', MODEL_PATH - 1);
	assert_int_equal(action_parse(line, &action, &err), 0);
	strcat(line, "a");
	assert_int_equal(action_parse(line, &action, &err), -EINVAL);
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

/* Whatever damage a line took: it is refused, or it means what its own text form says. */
static const char *const damaged_lines_lines[] = {
	"cg-set group=a/b file=cpuset.cpus value=0-3,7 prior=%200 # why %41 not",
	"thread-sched tid=12 policy=fifo priority=3 nice=-20 slot=vcpus",
	"thread-affinity tid=12 cpus=0-1,5",
	"cg-attach tid=7 group=x%2Fy prior=",
};

static void test_damaged_lines(void **state)
{
	(void)state;
	static const char alphabet[] = " =%#/-.0123456789abcdefABCDEFgtr\x01\x7f\xff";
	unsigned seed = 1, accepted = 0;

	for (int i = 0; i < 200000; i++) {
		char line[256];
		struct action action;
		strcpy(line, damaged_lines_lines[i % (int)ARRAY_SIZE(damaged_lines_lines)]);
		for (unsigned n = next_random(&seed) % 3; n-- > 0;)
			line[next_random(&seed) % strlen(line)] =
				alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
		if (action_parse(line, &action, NULL) < 0)
			continue;
		accepted++;
		assert_round_trip(&action);
	}
	assert_true(accepted > 1000);
}

static const struct {
	const char *line, *inverse;
} inverse_cases[] = {
	{ "cg-create group=a", "cg-remove group=a # given back" },
	{ "cg-remove group=a", "cg-create group=a # given back" },
	{ "cg-set group=a file=cpuset.cpus value=0 prior=0-3",
		"cg-set group=a file=cpuset.cpus value=0-3 prior=0 # given back" },
	{ "cg-set group=a file=cpuset.cpus value=0 prior=",
		"cg-set group=a file=cpuset.cpus value= prior=0 # given back" },
	{ "cg-set group=a file=cpuset.cpus value=0", NULL },
	{ "cg-set group= file=cgroup.subtree_control value=+cpuset prior=cpu%20memory",
		"cg-set group= file=cgroup.subtree_control value=-cpuset # given back" },
	{ "cg-set group= file=cgroup.subtree_control value=+cpuset prior=cpu%20cpuset", NULL },
	{ "cg-set group= file=cgroup.subtree_control value=-cpuset prior=cpuset", NULL },
	{ "cg-attach tid=3 group=a prior=b", NULL },
	{ "thread-affinity tid=3 cpus=1", NULL },
	{ "thread-sched tid=3 policy=other priority=0 nice=0", NULL },
	{ "autogroup tid=3 nice=0", NULL },
	{ "start value=x", NULL },
	{ "qmp value=x", NULL },
	{ "signal tid=3 value=TERM", NULL },
};

static void test_inverse(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(inverse_cases); i++) {
		struct action action, inverse;
		assert_int_equal(action_parse(inverse_cases[i].line, &action, NULL), 0);
		bool has = action_inverse(&action, &inverse);
		if (has != (inverse_cases[i].inverse != NULL))
			fail_msg("%s", inverse_cases[i].line);
		if (!has)
			continue;
		AUTO_FREE char *line = format(&inverse);
		assert_string_equal(line, inverse_cases[i].inverse);
	}
}

static void test_list(void **state)
{
	(void)state;
	struct actions actions = { 0 };

	for (int i = 0; i < 100; i++) {
		struct action action = { .kind = ACTION_SIGNAL, .tid = i };
		assert_int_equal(actions_add(&actions, &action), 0);
	}
	assert_int_equal(actions.count, 100);
	assert_int_equal(actions.items[99].tid, 99);
	actions_free(&actions);
	assert_null(actions.items);
	for (enum action_result result = ACTION_DONE; result <= ACTION_GIVE_UP; result++)
		assert_non_null(action_result_name(result));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_round_trip_of_every_kind),
		cmocka_unit_test(test_percent_in_reason),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_damaged_lines),
		cmocka_unit_test(test_inverse),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
