/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/threads.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "host/role.h"
#include "host/sched.h"
#include "host/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int host_placement_read(pid_t tid, struct placement *ret_place)
{
	struct placement place = { .slot = SLOT_NONE };
	int r = host_watch_affinity(tid, &place.cpus);

	if (r == 0)
		r = host_watch_policy(tid, &place);
	if (r == 0)
		*ret_place = place;
	return r;
}

/* A copied tree holds no threads to ask the kernel about: the same from its files. */
static int placement_from_files(const struct root *root, const char *task,
	const struct task_stat *stat, struct placement *ret_place)
{
	struct placement place = { .policy = sched_class_of(stat->policy),
		.priority = stat->priority,
		.nice = stat->nice };
	char text[8192];
	ssize_t n = root_readf(root, text, sizeof(text), "%s/status", task);
	const char *line = n < 0 ? NULL : strstr(text, "\nCpus_allowed_list:");

	if (!line)
		return n == -ENOENT ? -ESRCH : n < 0 ? (int)n : -EINVAL;
	line += strlen("\nCpus_allowed_list:");
	line += strspn(line, " \t");
	*strchrnul(line, '\n') = '\0';
	int r = cpuset_parse(line, &place.cpus);
	if (r == 0)
		*ret_place = place;
	return r;
}

/* The directory of a task -> the thread. -ESRCH: gone, or a corpse. */
static int read_thread(const struct root *root, const char *task, pid_t tid, struct thread *ret,
	struct task_stat *ret_stat)
{
	struct thread thread = { .tid = tid };
	int r = task_stat_read(root, task, ret_stat);

	if (r < 0)
		return r;
	if (strchr("ZXx", ret_stat->state))
		return -ESRCH;
	snprintf(thread.comm, sizeof(thread.comm), "%.*s", COMM_SIZE - 1, ret_stat->comm);
	r = root->live ? host_placement_read(tid, &thread.place)
		       : placement_from_files(root, task, ret_stat, &thread.place);
	if (r == 0)
		*ret = thread;
	return r;
}

static DIR *open_dir(const struct root *root, const char *path)
{
	int fd = root_open_file(root, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	DIR *dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

/* The next entry that is a number; 0 at the end, -errno. */
static long next_number(DIR *dir)
{
	struct dirent *entry;
	long number;

	while ((errno = 0, entry = readdir(dir)))
		if (num_parse_long(entry->d_name, 1, INT_MAX, &number) == 0)
			return number;
	return -errno;
}

static int add_own_threads(const struct root *root, pid_t pid, struct threads *threads)
{
	char path[64];
	long tid;

	snprintf(path, sizeof(path), "proc/%d/task", pid);
	AUTO_DIR DIR *dir = open_dir(root, path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	/* From here the kernel need not walk the whole path for each of them. */
	const struct root tasks = { .fd = dirfd(dir), .live = root->live };
	while ((tid = next_number(dir)) > 0) {
		struct task_stat stat;
		struct thread thread;

		snprintf(path, sizeof(path), "%ld", tid);
		int r = read_thread(&tasks, path, (pid_t)tid, &thread, &stat);
		if (r == -ESRCH)
			continue;
		if (r < 0)
			return r;
		role_from_name(pid, &thread);
		r = threads_add(threads, &thread);
		if (r < 0)
			return r;
	}
	/* readdir of a task directory says ENOENT once the process is gone. */
	return tid == -ENOENT ? 0 : (int)tid;
}

/* vhost's workers are named after the thread that made them. */
static bool serves(const struct threads *own, pid_t pid, pid_t served)
{
	return served > 0 && (served == pid || threads_find(own, served));
}

/* Kernel threads only: anybody may call a process "vhost-4711". */
static int add_kernel_thread(const struct root *root, pid_t pid, pid_t tid,
	const struct threads *own, struct threads *found)
{
	char path[64], comm[64];
	struct thread thread;
	struct task_stat stat;
	enum role role;

	snprintf(path, sizeof(path), "proc/%d", tid);
	if (root_readf(root, comm, sizeof(comm), "%s/comm", path) < 0 ||
		!serves(own, pid, role_of_kernel_thread(comm, &role)))
		return 0;
	int r = read_thread(root, path, tid, &thread, &stat);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	if (!(stat.flags & TASK_KTHREAD))
		return 0;
	thread.role = role;
	thread.index = -1;
	return threads_add(found, &thread);
}

static int add_kernel_threads(const struct root *root, pid_t pid, struct threads *threads)
{
	struct threads own = *threads; /* may move while it grows: found ones are kept apart */
	struct threads found = { 0 };
	AUTO_DIR DIR *dir = open_dir(root, "proc");
	long tid;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (tid = next_number(dir)) != 0)
		r = tid < 0 ? (int)tid : add_kernel_thread(root, pid, (pid_t)tid, &own, &found);
	for (size_t i = 0; r == 0 && i < found.count; i++)
		r = threads_add(threads, &found.items[i]);
	free(found.items);
	return r;
}

static int by_tid(const void *a, const void *b)
{
	pid_t x = ((const struct thread *)a)->tid, y = ((const struct thread *)b)->tid;

	return (x > y) - (x < y);
}

int host_threads_read(const struct root *root, pid_t pid, bool kernel_threads, struct threads *ret,
	struct err *err)
{
	size_t before = ret->count;
	int r = add_own_threads(root, pid, ret);

	if (r == 0 && ret->count == before)
		r = -ESRCH;
	if (r == 0 && kernel_threads)
		r = add_kernel_threads(root, pid, ret);
	if (r < 0) {
		ret->count = before;
		return err_set(err, -r,
			r == -ESRCH ? "process %d is gone"
				    : "cannot read the threads of process %d: %s",
			pid, strerror(-r));
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), by_tid);
	return 0;
}

int host_autogroup_read(const struct root *root, pid_t pid, int *ret_nice)
{
	char text[96], path[32];
	long nice;

	snprintf(path, sizeof(path), "proc/%d/autogroup", pid);
	ssize_t n = root_read_once(root, path, text, sizeof(text));

	snprintf(path, sizeof(path), "proc/%d", pid);
	if (n == -ENOENT && !root_exists(root, path))
		return -ESRCH;
	if (n <= 0)
		return n < 0 ? (int)n : -ENOENT;
	const char *word = strstr(text, " nice ");
	if (!word || num_parse_long(word + strlen(" nice "), -20, 19, &nice) < 0)
		return -EINVAL;
	*ret_nice = (int)nice;
	return 0;
}
