/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/host_fixture.h"
#include "host/role.h"
#include "host/stat.h"
#include "host/threads.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

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

static const struct name_case {
	const char *comm;
	enum role role;
	int index;
	const char *id;
} name_cases[] = {
	{ "CPU 0/KVM", ROLE_VCPU, 0, "" },
	{ "CPU 11/TCG", ROLE_VCPU, 11, "" },
	{ "CPU 254/KVM", ROLE_VCPU, 254, "" },
	{ "ALL CPUs/TCG", ROLE_VCPU, 0, "" },
	{ "CPU /KVM", ROLE_UNKNOWN, -1, "" },
	{ "CPU 1", ROLE_UNKNOWN, -1, "" },
	{ "CPU 99999999999", ROLE_UNKNOWN, -1, "" },
	{ "CPU x/KVM", ROLE_UNKNOWN, -1, "" },
	{ "IO io0", ROLE_IOTHREAD, -1, "io0" },
	{ "IO twelve-bytes", ROLE_IOTHREAD, -1, "" }, /* may have been cut */
	{ "IO eleven-byte", ROLE_IOTHREAD, -1, "eleven-byte" },
	{ "IO mon_iothread", ROLE_UNKNOWN, -1, "" },
	{ "worker", ROLE_WORKER, -1, "" },
	{ "iou-wrk-4711", ROLE_WORKER, -1, "" },
	{ "workers", ROLE_UNKNOWN, -1, "" },
	{ "vhost-4711", ROLE_VHOST, -1, "" },
	{ "call_rcu", ROLE_UNKNOWN, -1, "" },
	{ "qemu-system-x86", ROLE_UNKNOWN, -1, "" },
	{ "", ROLE_UNKNOWN, -1, "" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		const struct name_case *c = &name_cases[i];
		struct thread thread = { .tid = 4712 };

		snprintf(thread.comm, sizeof(thread.comm), "%s", c->comm);
		role_from_name(4711, &thread);
		assert_int_equal(thread.role, c->role);
		assert_int_equal(thread.index, c->index);
		assert_string_equal(thread.id, c->id);
	}
}

static void test_main_thread_by_tid(void **state)
{
	struct thread thread = { .tid = 4711, .comm = "CPU 3/KVM" };

	(void)state;
	role_from_name(4711, &thread);
	assert_int_equal(thread.role, ROLE_MAIN);
	assert_int_equal(thread.index, -1);
}

static const struct kernel_case {
	const char *comm;
	pid_t serves;
	enum role role;
} kernel_cases[] = {
	{ "vhost-4711", 4711, ROLE_VHOST },
	{ "kvm-pit/4194304", 4194304, ROLE_KVM_PIT },
	{ "vhost-", 0, ROLES },
	{ "vhost-0", 0, ROLES },
	{ "vhost--1", 0, ROLES },
	{ "vhost-47x", 0, ROLES },
	{ "kvm-pit/99999999999", 0, ROLES },
	{ "kworker/0:1", 0, ROLES },
};

static void test_kernel_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kernel_cases) / sizeof(kernel_cases[0]); i++) {
		enum role role = ROLES;

		assert_int_equal(
			role_of_kernel_thread(kernel_cases[i].comm, &role), kernel_cases[i].serves);
		assert_int_equal(role, kernel_cases[i].role);
	}
}

/* Fields 4-52; 19 is nice, 22 the start, 40 the priority, 41 the policy. */
#define FIELDS                                                                                     \
	" 1 10 10 0 -1 %u 1 0 0 0 5 6 0 0 20 -7 1 0 4242 1 2 3 4 5 6 7 8 9 0 0 0 0 0 0 17 1 %d "   \
	"%d 0 0 0 0 0 0 0 0 0 0 0\n"

static const struct stat_case {
	const char *comm;
	char state;
} stat_cases[] = {
	{ "plain", 'S' },
	{ "a b", 'R' },
	{ ")", 'R' },
	{ "x) R 1 (y", 'D' },
	{ "((", 'Z' },
	{ "two\nlines", 'S' },
	{ "", 'I' },
};

static void test_stat(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stat_cases) / sizeof(stat_cases[0]); i++) {
		char text[512];
		struct task_stat stat;

		snprintf(text, sizeof(text), "77 (%s) %c" FIELDS, stat_cases[i].comm,
			stat_cases[i].state, 0x4000040u, 3, 1);
		assert_int_equal(task_stat_parse(text, &stat), 0);
		assert_string_equal(stat.comm, stat_cases[i].comm);
		assert_int_equal(stat.state, stat_cases[i].state);
		assert_int_equal(stat.flags, 0x4000040);
		assert_int_equal(stat.nice, -7);
		assert_int_equal(stat.start_ticks, 4242);
		assert_int_equal(stat.priority, 3);
		assert_int_equal(stat.policy, 1);
	}
}

static void test_no_stat(void **state)
{
	static const char *const bad[] = { "", "1", "1 (x", "1 x)", "1 )(", "1 (x)", "1 (x) ",
		"1 (x) S 1 2 3", "1 (x)S" };
	struct task_stat stat = { .nice = 5 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(task_stat_parse(bad[i], &stat), -EINVAL);
	assert_int_equal(stat.nice, 5);
}

/* Threads of this process, parked until they are let go. */
struct parked {
	pthread_t thread;
	pid_t tid;
	const char *name;
	sem_t ready, go;
};

static void *park(void *argument)
{
	struct parked *p = argument;

	pthread_setname_np(pthread_self(), p->name);
	p->tid = gettid();
	sem_post(&p->ready);
	sem_wait(&p->go);
	return NULL;
}

static void parked_start(struct parked *p, const char *name)
{
	p->name = name;
	sem_init(&p->ready, 0, 0);
	sem_init(&p->go, 0, 0);
	assert_int_equal(pthread_create(&p->thread, NULL, park, p), 0);
	sem_wait(&p->ready);
}

static void parked_end(struct parked *p)
{
	sem_post(&p->go);
	pthread_join(p->thread, NULL);
	sem_destroy(&p->ready);
	sem_destroy(&p->go);
}

static void test_own_threads(void **state)
{
	static const char *const names[] = { "CPU 1/TCG", "IO disk", "worker", "a) b (c d" };
	static const enum role roles[] = { ROLE_VCPU, ROLE_IOTHREAD, ROLE_WORKER, ROLE_UNKNOWN };
	struct parked parked[4];
	struct threads threads = { 0 };
	struct sched_param fifo = { .sched_priority = 2 };
	struct err err = { 0 };
	cpu_set_t one;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		parked_start(&parked[i], names[i]);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	assert_int_equal(sched_setaffinity(parked[0].tid, sizeof(one), &one), 0);
	assert_int_equal(sched_setscheduler(parked[0].tid, SCHED_FIFO, &fifo), 0);
	assert_int_equal(host_threads_read(&root, getpid(), false, &threads, &err), 0);
	assert_int_equal(threads.count, 5);
	assert_int_equal(threads_find(&threads, getpid())->role, ROLE_MAIN);
	for (size_t i = 0; i < 4; i++) {
		const struct thread *t = threads_find(&threads, parked[i].tid);
		assert_non_null(t);
		assert_string_equal(t->comm, names[i]);
		assert_int_equal(t->role, roles[i]);
	}
	const struct thread *vcpu = threads_find(&threads, parked[0].tid);
	struct cpuset zero = cpuset_one(0);
	assert_int_equal(vcpu->index, 1);
	assert_int_equal(vcpu->place.policy, SCHED_CLASS_FIFO);
	assert_int_equal(vcpu->place.priority, 2);
	assert_true(cpuset_equal(&vcpu->place.cpus, &zero));
	for (size_t i = 1; i < threads.count; i++)
		assert_true(threads.items[i - 1].tid < threads.items[i].tid);
	for (size_t i = 0; i < 4; i++)
		parked_end(&parked[i]);
	free(threads.items);
}

static void *come_and_go(void *argument)
{
	atomic_bool *stop = argument;
	struct parked p;

	while (!atomic_load(stop)) {
		parked_start(&p, "worker");
		parked_end(&p);
	}
	return NULL;
}

static void test_vanishing_threads(void **state)
{
	atomic_bool stop = false;
	pthread_t maker;

	(void)state;
	assert_int_equal(pthread_create(&maker, NULL, come_and_go, &stop), 0);
	for (int i = 0; i < 300; i++) {
		struct threads threads = { 0 };
		struct err err = { 0 };

		assert_int_equal(host_threads_read(&root, getpid(), false, &threads, &err), 0);
		assert_true(threads.count >= 2);
		free(threads.items);
	}
	atomic_store(&stop, true);
	pthread_join(maker, NULL);
}

static void test_gone_process(void **state)
{
	struct threads threads = { 0 };
	struct err err = { 0 };
	siginfo_t info;
	int nice;

	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	/* A zombie has no threads to place. */
	assert_int_equal(host_threads_read(&root, pid, true, &threads, &err), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(host_threads_read(&root, pid, false, &threads, &err), -ESRCH);
	assert_int_equal(threads.count, 0);
	assert_non_null(strstr(err.text, "is gone"));
	assert_int_equal(host_autogroup_read(&root, pid, &nice), -ESRCH);
	free(threads.items);
}

#define KTHREAD 0x200040u
#define PROCESS 0x400040u

static void add_task(const struct tree *tree, const char *task, const char *comm, unsigned flags)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "%s/comm", task);
	snprintf(text, sizeof(text), "%s\n", comm);
	tree_write(tree, path, text);
	snprintf(path, sizeof(path), "%s/stat", task);
	snprintf(text, sizeof(text), "77 (%s) S" FIELDS, comm, flags, 3, 1);
	tree_write(tree, path, text);
	snprintf(path, sizeof(path), "%s/status", task);
	tree_write(tree, path, "Name:\tx\nCpus_allowed:\t6\nCpus_allowed_list:\t1-2\nMems:\t1\n");
}

static void make_copied_qemu(struct tree *tree)
{
	tree_make(tree);
	add_task(tree, "proc/100/task/100", "qemu-system-x86", PROCESS);
	add_task(tree, "proc/100/task/102", "CPU 0/KVM", PROCESS);
	add_task(tree, "proc/100/task/1010", "worker", PROCESS);
	add_task(tree, "proc/100", "qemu-system-x86", PROCESS);
	add_task(tree, "proc/90", "vhost-100", KTHREAD);
	add_task(tree, "proc/103", "kvm-pit/100", KTHREAD);
	add_task(tree, "proc/104", "vhost-102", KTHREAD); /* made by a thread of it */
	add_task(tree, "proc/105", "vhost-1000", KTHREAD);
	add_task(tree, "proc/106", "vhost-100", PROCESS); /* anybody may call himself so */
	tree_write(tree, "proc/uptime", "1 1\n");
}

static void check_tids(const struct threads *threads, const pid_t *tids, size_t count)
{
	assert_int_equal(threads->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(threads->items[i].tid, tids[i]);
}

static void test_kernel_threads(void **state)
{
	static const pid_t own[] = { 100, 102, 1010 }, all[] = { 90, 100, 102, 103, 104, 1010 };
	struct tree tree;
	struct threads threads = { 0 };
	char text[CPUSET_TEXT];

	(void)state;
	make_copied_qemu(&tree);
	assert_int_equal(host_threads_read(&tree.root, 100, false, &threads, NULL), 0);
	check_tids(&threads, own, 3);
	threads.count = 0;
	assert_int_equal(host_threads_read(&tree.root, 100, true, &threads, NULL), 0);
	check_tids(&threads, all, 6);
	assert_int_equal(threads.items[0].role, ROLE_VHOST);
	assert_int_equal(threads.items[3].role, ROLE_KVM_PIT);
	assert_int_equal(threads.items[4].role, ROLE_VHOST);
	assert_string_equal(cpuset_format(&threads.items[0].place.cpus, text, sizeof(text)), "1-2");
	assert_int_equal(threads.items[2].place.policy, SCHED_CLASS_FIFO);
	assert_int_equal(threads.items[2].place.priority, 3);
	assert_int_equal(threads.items[2].place.nice, -7);
	free(threads.items);
	tree_remove(&tree);
}

static const struct autogroup_case {
	const char *text;
	int result, nice;
} autogroup_cases[] = {
	{ "/autogroup-9 nice 0\n", 0, 0 },
	{ "/autogroup-123 nice -20\n", 0, -20 },
	{ "", -ENOENT, 77 },
	{ "/autogroup-9 nice\n", -EINVAL, 77 },
	{ "/autogroup-9 nice x\n", -EINVAL, 77 },
};

static void test_autogroup(void **state)
{
	struct tree tree;

	(void)state;
	tree_make(&tree);
	tree_write(&tree, "proc/6/comm", "x\n");
	for (size_t i = 0; i < sizeof(autogroup_cases) / sizeof(autogroup_cases[0]); i++) {
		int nice = 77;

		tree_write(&tree, "proc/5/autogroup", autogroup_cases[i].text);
		assert_int_equal(
			host_autogroup_read(&tree.root, 5, &nice), autogroup_cases[i].result);
		assert_int_equal(nice, autogroup_cases[i].nice);
	}
	assert_int_equal(host_autogroup_read(&tree.root, 6, &(int){ 0 }), -ENOENT);
	assert_int_equal(host_autogroup_read(&tree.root, 7, &(int){ 0 }), -ESRCH);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_main_thread_by_tid),
		cmocka_unit_test(test_kernel_names),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_no_stat),
		cmocka_unit_test(test_own_threads),
		cmocka_unit_test(test_vanishing_threads),
		cmocka_unit_test(test_gone_process),
		cmocka_unit_test(test_kernel_threads),
		cmocka_unit_test(test_autogroup),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, open_root, close_root);
}
