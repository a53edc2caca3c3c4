/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "base/clock.h"
#include "host/child.h"
#include "host/host.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_answers(void **state)
{
	struct root root;

	(void)state;
	assert_int_equal(root_open(&root, "/"), 0);
	unsigned fds = count_open_fds();
	for (int i = 0; i < 3; i++) {
		struct err err = { 0 };
		uint64_t before = clock_now_ns();
		int r = host_kvm_works(&root, &err);

		assert_true(clock_now_ns() - before < 3 * NS_PER_SEC);
		assert_true(r <= 0);
		if (r < 0) {
			assert_int_equal(err.code, -r);
			assert_non_null(
				strstr(err.text, "KVM") ? err.text : strstr(err.text, "kvm"));
			assert_string_not_equal(err.why, "");
			if (i == 0)
				print_message("%s: %s\n", err.text, err.why);
		}
	}
	assert_int_equal(count_open_fds(), fds);
	no_child_is_left();
	root_close(&root);
}

#define CPUINFO(vendor, flags)                                                                     \
	"processor\t: 0\nvendor_id\t: " vendor "\nflags\t\t: fpu " flags " sse2\nbugs\t\t:\n"

static const struct missing_case {
	const char *cpuinfo, *module, *why, *fix;
} missing_cases[] = {
	{ CPUINFO("GenuineIntel", "vmx"), NULL, "kvm_intel is not loaded", "modprobe kvm_intel" },
	{ CPUINFO("GenuineIntel", "svm"), NULL, "no vmx flag", "VT-x" },
	{ CPUINFO("AuthenticAMD", "svm"), NULL, "kvm_amd is not loaded", "modprobe kvm_amd" },
	{ CPUINFO("AuthenticAMD", "svm_lock"), NULL, "no svm flag", "AMD-V" },
	{ CPUINFO("GenuineIntel", "vmx"), "sys/module/kvm_intel/refcnt", "device is missing",
		"container" },
	{ "", NULL, "flag", "accel" },
};

static void test_no_device(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(missing_cases) / sizeof(missing_cases[0]); i++) {
		const struct missing_case *c = &missing_cases[i];
		struct tree tree;
		struct err err = { 0 };

		tree_make(&tree);
		tree_write(&tree, "proc/cpuinfo", c->cpuinfo);
		if (c->module)
			tree_write(&tree, c->module, "0\n");
		assert_int_equal(host_kvm_works(&tree.root, &err), -ENOENT);
		assert_non_null(strstr(err.why, c->why));
		assert_non_null(strstr(err.fix, c->fix));
		tree_remove(&tree);
	}
	no_child_is_left();
}

static void test_no_kvm_device(void **state)
{
	struct tree tree;
	struct err err = { 0 };

	(void)state;
	tree_make(&tree);
	tree_write(&tree, "dev/kvm", "");
	assert_int_equal(host_kvm_works(&tree.root, &err), -ENOTTY);
	assert_non_null(strstr(err.text, "is no KVM device"));
	tree_remove(&tree);
	no_child_is_left();
}

static void answer(void *context, void *reply)
{
	*(int *)reply += *(int *)context;
}

static void hang(void *context, void *reply)
{
	(void)context, (void)reply;
	for (;;)
		pause();
}

static void crash(void *context, void *reply)
{
	(void)context, (void)reply;
	prctl(PR_SET_DUMPABLE, 0);
	kill(getpid(), SIGKILL);
}

static const struct child_case {
	void (*work)(void *context, void *reply);
	int result, reply;
} child_cases[] = {
	{ answer, 0, 42 },
	{ hang, -ETIMEDOUT, 40 },
	{ crash, -ECHILD, 40 },
};

static void test_child(void **state)
{
	unsigned fds = count_open_fds();

	(void)state;
	for (size_t i = 0; i < sizeof(child_cases) / sizeof(child_cases[0]); i++) {
		int context = 2, reply = 40;
		uint64_t before = clock_now_ns();
		int r = child_ask(
			child_cases[i].work, &context, &reply, sizeof(reply), 50 * NS_PER_MS);

		assert_int_equal(r, child_cases[i].result);
		assert_int_equal(reply, child_cases[i].reply);
		assert_true(clock_now_ns() - before < NS_PER_SEC);
		no_child_is_left();
	}
	assert_int_equal(count_open_fds(), fds);
}

/* A daemon that ignores SIGCHLD has no zombies to wait for: the answer counts all the same. */
static void test_child_with_ignored_sigchld(void **state)
{
	int context = 2, reply = 40;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(child_ask(answer, &context, &reply, sizeof(reply), NS_PER_SEC), 0);
	assert_int_equal(reply, 42);
	signal(SIGCHLD, SIG_DFL);
	no_child_is_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_no_kvm_device),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_child_with_ignored_sigchld),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
