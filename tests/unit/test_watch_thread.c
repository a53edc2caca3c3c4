/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watch thread on a real thread of this process. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "host/threads.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <cmocka.h>

struct fixture {
	struct root root;
	struct watch *watch;
	struct counters *counters;
	int wake_fd, slot;
	pthread_t thread;
	_Atomic pid_t tid;
	_Atomic bool stop;
	struct cpuset allowed;
	struct watch_order order;
};

static void *sleeper(void *arg)
{
	struct fixture *fixture = arg;

	fixture->tid = (pid_t)syscall(SYS_gettid);
	while (!fixture->stop)
		usleep(1000);
	return NULL;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int lost;

	assert_non_null(fixture);
	assert_int_equal(root_open(&fixture->root, "/"), 0);
	fixture->wake_fd = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(watch_start(&fixture->root, fixture->wake_fd, &fixture->watch), 0);
	fixture->counters = counters_open(-1, 1, &lost);
	assert_non_null(fixture->counters);
	assert_int_equal(pthread_create(&fixture->thread, NULL, sleeper, fixture), 0);
	while (!fixture->tid)
		usleep(100);
	assert_int_equal(host_watch_affinity(0, &fixture->allowed), 0);
	fixture->order = (struct watch_order){ .pid = getpid(),
		.tid = fixture->tid,
		.place = { .cpus = cpuset_one(cpuset_next(&fixture->allowed, 0)) },
		.tick_ns = 5 * NS_PER_MS,
		.stall_ns = NS_PER_SEC,
		.counters = fixture->counters,
		.latency = &fixture->counters->vcpu[0] };
	fixture->slot = -1;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	watch_remove(fixture->watch, fixture->slot);
	watch_stop(fixture->watch);
	if (!fixture->stop) {
		fixture->stop = true;
		pthread_join(fixture->thread, NULL);
	}
	counters_close(fixture->counters);
	close(fixture->wake_fd);
	root_close(&fixture->root);
	free(fixture);
	return 0;
}

static void watch_it(struct fixture *fixture)
{
	fixture->slot = watch_add(fixture->watch, &fixture->order);
	assert_true(fixture->slot >= 0);
}

/* Until there is news, at most 5 s. */
static bool news(struct fixture *fixture)
{
	struct pollfd wait = { .fd = fixture->wake_fd, .events = POLLIN };
	uint64_t count;

	return poll(&wait, 1, 5000) == 1 &&
	       read(fixture->wake_fd, &count, sizeof(count)) == sizeof(count);
}

static void test_affinity(void **state)
{
	struct fixture *fixture = *state;
	struct cpuset now;

	if (cpuset_count(&fixture->allowed) < 2)
		skip();
	watch_it(fixture); /* it may run on all CPUs: drift from the beginning */
	assert_true(news(fixture));
	assert_int_equal(host_watch_affinity(fixture->tid, &now), 0);
	assert_true(cpuset_equal(&now, &fixture->order.place.cpus));
	assert_int_equal(counter_read(&fixture->counters->detected[DRIFT_AFFINITY]), 1);
	assert_int_equal(counter_read(&fixture->counters->repaired[DRIFT_AFFINITY]), 1);
	assert_int_equal(counter_read(&fixture->counters->repair.count), 1);
	assert_int_equal(watch_see(fixture->watch, fixture->slot).open, 0);
}

static void test_policy(void **state)
{
	struct sched_param none = { 0 };
	struct fixture *fixture = *state;

	fixture->order.place.cpus = fixture->allowed;
	watch_it(fixture);
	assert_int_equal(sched_setscheduler(fixture->tid, SCHED_BATCH, &none), 0);
	assert_true(news(fixture));
	assert_int_equal(sched_getscheduler(fixture->tid), SCHED_OTHER);
	assert_int_equal(watch_see(fixture->watch, fixture->slot).repaired[DRIFT_POLICY], 1);
}

static void test_report_only(void **state)
{
	struct sched_param none = { 0 };
	struct fixture *fixture = *state;

	fixture->order.place.cpus = fixture->allowed;
	fixture->order.on_drift = ON_DRIFT_REPORT;
	watch_it(fixture);
	assert_int_equal(sched_setscheduler(fixture->tid, SCHED_BATCH, &none), 0);
	assert_true(news(fixture));
	usleep(50000);
	assert_int_equal(sched_getscheduler(fixture->tid), SCHED_BATCH);
	assert_int_equal(watch_see(fixture->watch, fixture->slot).open, 1u << DRIFT_POLICY);
	assert_int_equal(counter_read(&fixture->counters->detected[DRIFT_POLICY]), 1);
}

/* What the kernel refuses is tried with back-off, and is the main thread's to explain. */
static void test_refused(void **state)
{
	struct fixture *fixture = *state;

	fixture->order.place.cpus = cpuset_one(CPUSET_CPUS - 1);
	watch_it(fixture);
	assert_true(news(fixture));
	struct watch_view view = watch_see(fixture->watch, fixture->slot);
	assert_int_equal(view.failing, 1u << DRIFT_AFFINITY);
	assert_int_equal(view.open, 1u << DRIFT_AFFINITY);
	assert_int_equal(counter_read(&fixture->counters->repaired[DRIFT_AFFINITY]), 0);
}

/* Twenty repairs in ten seconds are free; then something fights, and is fought less often. */
static void test_fight(void **state)
{
	struct sched_param none = { 0 };
	struct fixture *fixture = *state;
	uint64_t limit = clock_now_ns() + 10 * NS_PER_SEC;

	fixture->order.place.cpus = fixture->allowed;
	watch_it(fixture);
	while (!watch_see(fixture->watch, fixture->slot).fighting && clock_now_ns() < limit) {
		sched_setscheduler(fixture->tid, SCHED_BATCH, &none);
		usleep(2000);
	}
	assert_true(watch_see(fixture->watch, fixture->slot).fighting);
	assert_true(watch_see(fixture->watch, fixture->slot).repaired[DRIFT_POLICY] >
		    REMEDY_FREE_REPAIRS);
}

static void test_gone(void **state)
{
	struct fixture *fixture = *state;

	fixture->order.place.cpus = fixture->allowed;
	watch_it(fixture);
	fixture->stop = true;
	pthread_join(fixture->thread, NULL);
	assert_true(news(fixture));
	assert_true(watch_see(fixture->watch, fixture->slot).gone);
	assert_int_equal(watch_add(fixture->watch, &fixture->order), -ESRCH);
}

static void test_window(void **state)
{
	struct window window = { 0 };

	(void)state;
	assert_true(window_share(&window) == 0 && window_worst(&window) == 0);
	for (uint64_t s = 1; s <= 30; s++)
		window_add(&window, s * NS_PER_SEC, s * NS_PER_SEC / 4, s == 5 ? 99 : s);
	assert_true(window_share(&window) > 0.249 && window_share(&window) < 0.251);
	assert_int_equal(window_worst(&window), 30); /* the 99 is out of it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_affinity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_report_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test(test_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
