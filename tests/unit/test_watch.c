/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "base/clock.h"
#include "host/threads.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static struct root root;

static int open_root(void **state)
{
	(void)state;
	return root_open(&root, "/");
}

static int close_root(void **state)
{
	(void)state;
	root_close(&root);
	return 0;
}

/* A thread that spins, until it is told to stop or its time is up. */
struct spinner {
	pthread_t thread;
	int cpu, priority; /* 0: an ordinary thread */
	uint64_t for_ns;
	atomic_int tid;
	atomic_bool stop;
};

static void pin(int cpu)
{
	struct cpuset one = cpuset_one(cpu);

	assert_int_equal(host_fix_affinity(gettid(), &one), 0);
}

static void *spin(void *argument)
{
	struct spinner *s = argument;
	struct sched_param param = { .sched_priority = s->priority };
	uint64_t end = clock_now_ns() + s->for_ns;

	pin(s->cpu);
	if (s->priority > 0)
		assert_int_equal(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	atomic_store(&s->tid, gettid());
	while (!atomic_load(&s->stop) && clock_now_ns() < end)
		;
	return NULL;
}

static void spinner_start(struct spinner *s)
{
	assert_int_equal(pthread_create(&s->thread, NULL, spin, s), 0);
	for (int i = 0; i < 2000 && !atomic_load(&s->tid); i++)
		poll(NULL, 0, 1);
	assert_int_not_equal(atomic_load(&s->tid), 0);
}

static void spinner_end(struct spinner *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
}

static void test_schedstat_grows(void **state)
{
	struct spinner s = { .for_ns = 500 * NS_PER_MS };
	struct schedstat before, after;

	(void)state;
	spinner_start(&s);
	int fd = host_open_schedstat(&root, getpid(), atomic_load(&s.tid));
	assert_true(fd >= 0);
	assert_int_equal(host_read_schedstat(fd, &before), 0);
	poll(NULL, 0, 100);
	assert_int_equal(host_read_schedstat(fd, &after), 0);
	assert_true(after.run_ns > before.run_ns);
	assert_true(after.wait_ns >= before.wait_ns);
	assert_true(after.count >= before.count);
	spinner_end(&s);
	close(fd);
}

static int last_allowed_cpu(const struct cpuset *allowed)
{
	int last = -1;

	cpuset_for_each (cpu, allowed)
		last = cpu;
	return last;
}

/* Behind a real-time thread an ordinary one is runnable, yet none of its numbers moves: its state is
 * what tells. This thread stays on another CPU. */
static void test_starving(void **state)
{
	struct cpuset allowed;
	struct schedstat before, after;
	char run_state = 0;

	(void)state;
	assert_int_equal(host_watch_affinity(0, &allowed), 0);
	if (cpuset_count(&allowed) < 2)
		skip();
	int cpu = last_allowed_cpu(&allowed);
	struct spinner victim = { .cpu = cpu, .for_ns = 3 * NS_PER_SEC };
	struct spinner intruder = { .cpu = cpu, .priority = 1, .for_ns = 400 * NS_PER_MS };
	pin(cpuset_next(&allowed, 0));
	spinner_start(&victim);
	int stat = host_open_stat(&root, getpid(), atomic_load(&victim.tid));
	int schedstat = host_open_schedstat(&root, getpid(), atomic_load(&victim.tid));
	spinner_start(&intruder);
	poll(NULL, 0, 20);
	int r = host_read_schedstat(schedstat, &before);
	poll(NULL, 0, 100);
	int s = host_read_schedstat(schedstat, &after);
	int t = host_read_run_state(stat, &run_state);
	spinner_end(&intruder);
	spinner_end(&victim);
	close(stat);
	close(schedstat);
	assert_int_equal(host_fix_affinity(gettid(), &allowed), 0);
	assert_int_equal(r, 0);
	assert_int_equal(s, 0);
	assert_int_equal(t, 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(run_state, 'R');
}

static void *wait_for_stop(void *argument)
{
	struct spinner *s = argument;

	pthread_setname_np(pthread_self(), "x) R (");
	atomic_store(&s->tid, gettid());
	while (!atomic_load(&s->stop))
		poll(NULL, 0, 2);
	return NULL;
}

static void test_states_and_the_end(void **state)
{
	struct spinner s = { 0 };
	struct schedstat schedstat;
	struct placement place;
	struct cpuset cpus;
	char run_state = '?';

	(void)state;
	assert_int_equal(pthread_create(&s.thread, NULL, wait_for_stop, &s), 0);
	while (!atomic_load(&s.tid))
		poll(NULL, 0, 1);
	pid_t tid = atomic_load(&s.tid);
	int stat = host_open_stat(&root, getpid(), tid);
	int sched = host_open_schedstat(&root, getpid(), tid);
	for (int i = 0; i < 500 && run_state != 'S'; i++)
		assert_int_equal(host_read_run_state(stat, &run_state), 0);
	assert_int_equal(run_state, 'S');
	spinner_end(&s);
	/* pthread_join returns a moment before the kernel has let go of the thread. */
	for (int i = 0; i < 500 && host_read_schedstat(sched, &schedstat) == 0; i++)
		poll(NULL, 0, 1);
	assert_int_equal(host_read_schedstat(sched, &schedstat), -ESRCH);
	assert_int_equal(host_read_run_state(stat, &run_state), -ESRCH);
	assert_int_equal(host_watch_affinity(tid, &cpus), -ESRCH);
	assert_int_equal(host_watch_policy(tid, &place), -ESRCH);
	assert_int_equal(host_open_stat(&root, getpid(), tid), -ESRCH);
	assert_int_equal(host_open_schedstat(&root, getpid(), tid), -ESRCH);
	close(stat);
	close(sched);
}

static const struct text_case {
	const char *text;
	int result;
	struct schedstat stat;
} text_cases[] = {
	{ "1 2 3\n", 0, { 1, 2, 3 } },
	{ "18446744073709551615 0 7", 0, { UINT64_MAX, 0, 7 } },
	{ "18446744073709551616 0 7\n", -EINVAL, { 0 } },
	{ "1 2\n", -EINVAL, { 0 } },
	{ "1 2 \n", -EINVAL, { 0 } },
	{ "1 2 3 4\n", -EINVAL, { 0 } },
	{ "-1 2 3\n", -EINVAL, { 0 } },
	{ "1  2 3\n", -EINVAL, { 0 } },
	{ "\n", -EINVAL, { 0 } },
	{ "", -ESRCH, { 0 } },
};

static void test_schedstat_text(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		struct schedstat stat = { 0 };

		tree_write(&tree, "proc/5/task/6/schedstat", text_cases[i].text);
		int fd = host_open_schedstat(&tree.root, 5, 6);
		assert_true(fd >= 0);
		assert_int_equal(host_read_schedstat(fd, &stat), text_cases[i].result);
		assert_memory_equal(&stat, &text_cases[i].stat, sizeof(stat));
		close(fd);
	}
	assert_int_equal(host_open_stat(&tree.root, 5, 6), -ENOENT); /* a kernel without it */
	assert_int_equal(host_open_stat(&tree.root, 5, 7), -ESRCH);
	tree_remove(&tree);
}

static const struct state_case {
	const char *text;
	int result;
	char state;
} state_cases[] = {
	{ "6 (x) R 1 2", 0, 'R' },
	{ "6 (x) S (y) D 1 2", 0, 'D' },
	{ "6 (x", -EINVAL, '?' },
	{ "6 (x)", -EINVAL, '?' },
	{ "6 (x) ", -EINVAL, '?' },
	{ "6 (x)R 1", -EINVAL, '?' },
	{ "", -ESRCH, '?' },
};

static void test_state_text(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	for (size_t i = 0; i < sizeof(state_cases) / sizeof(state_cases[0]); i++) {
		char run_state = '?';

		tree_write(&tree, "proc/5/task/6/stat", state_cases[i].text);
		int fd = host_open_stat(&tree.root, 5, 6);
		assert_int_equal(host_read_run_state(fd, &run_state), state_cases[i].result);
		assert_int_equal(run_state, state_cases[i].state);
		close(fd);
	}
	tree_remove(&tree);
}

#ifndef __SANITIZE_ADDRESS__
static void test_allocates_nothing(void **state)
{
	struct schedstat schedstat;
	struct placement place;
	struct cpuset cpus;
	char run_state;
	int stat = host_open_stat(&root, getpid(), getpid());
	int sched = host_open_schedstat(&root, getpid(), getpid());

	(void)state;
	assert_int_equal(host_watch_affinity(getpid(), &cpus), 0);
	struct mallinfo2 before = mallinfo2();
	for (int i = 0; i < 100; i++)
		if (host_read_schedstat(sched, &schedstat) < 0 ||
			host_read_run_state(stat, &run_state) < 0 ||
			host_watch_affinity(getpid(), &cpus) < 0 ||
			host_watch_policy(getpid(), &place) < 0 ||
			host_fix_affinity(getpid(), &cpus) < 0 ||
			host_fix_policy(getpid(), &place) < 0)
			fail();
	struct mallinfo2 after = mallinfo2();
	assert_int_equal(after.uordblks, before.uordblks);
	close(stat);
	close(sched);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedstat_grows),
		cmocka_unit_test(test_starving),
		cmocka_unit_test(test_states_and_the_end),
		cmocka_unit_test(test_schedstat_text),
		cmocka_unit_test(test_state_text),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_allocates_nothing),
#endif
	};

	alarm(60);
	return cmocka_run_group_tests(tests, open_root, close_root);
}
