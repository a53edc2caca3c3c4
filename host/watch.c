/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/sched.h"
#include "host/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int host_watch_affinity(pid_t tid, struct cpuset *ret_cpus)
{
	struct cpuset cpus = { 0 };

	if (sched_getaffinity(tid, sizeof(cpus.bits), (cpu_set_t *)(void *)cpus.bits) < 0)
		return -errno;
	*ret_cpus = cpus;
	return 0;
}

int host_watch_policy(pid_t tid, struct placement *ret_place)
{
	uint64_t flags;

	return sched_read(tid, ret_place, &flags);
}

int host_fix_affinity(pid_t tid, const struct cpuset *cpus)
{
	struct cpuset seen;

	if (sched_setaffinity(
		    tid, sizeof(cpus->bits), (const cpu_set_t *)(const void *)cpus->bits) < 0)
		return -errno;
	int r = host_watch_affinity(tid, &seen);
	if (r < 0)
		return r;
	return cpuset_equal(&seen, cpus) ? 0 : -EINVAL;
}

int host_fix_policy(pid_t tid, const struct placement *place)
{
	struct placement seen;
	uint64_t flags;
	int r = sched_read(tid, &seen, &flags);

	if (r == 0)
		r = sched_write(tid, place, flags);
	if (r == 0)
		r = sched_read(tid, &seen, &flags);
	if (r < 0)
		return r;
	return sched_equal(&seen, place) ? 0 : -EAGAIN;
}

static int open_task_file(const struct root *root, pid_t pid, pid_t tid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d/%s", pid, tid, file);
	int fd = root_open_file(root, path, O_RDONLY);
	if (fd != -ENOENT)
		return fd;
	snprintf(path, sizeof(path), "proc/%d/task/%d", pid, tid);
	return root_exists(root, path) ? -ENOENT : -ESRCH;
}

int host_open_schedstat(const struct root *root, pid_t pid, pid_t tid)
{
	return open_task_file(root, pid, tid, "schedstat");
}

int host_open_stat(const struct root *root, pid_t pid, pid_t tid)
{
	return open_task_file(root, pid, tid, "stat");
}

/* The number at *at, which moves behind it and one blank. */
static bool take_number(const char **at, uint64_t *ret_value)
{
	const char *p = *at;
	uint64_t value = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return false;
	if (p == *at)
		return false;
	*at = *p == ' ' ? p + 1 : p;
	*ret_value = value;
	return true;
}

/* The text at the beginning of the file, at most size - 1 bytes. */
static int read_start(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n == 0 ? -ESRCH : 0;
}

int host_read_schedstat(int fd, struct schedstat *ret)
{
	struct schedstat stat;
	char text[96];
	const char *at = text;
	int r = read_start(fd, text, sizeof(text));

	if (r < 0)
		return r;
	if (!take_number(&at, &stat.run_ns) || !take_number(&at, &stat.wait_ns) ||
		!take_number(&at, &stat.count) || (*at != '\n' && *at != '\0'))
		return -EINVAL;
	*ret = stat;
	return 0;
}

/* A comm may hold anything, ')' too, and is at most 64 bytes here: the last ')' ends it. */
int host_read_run_state(int fd, char *ret_state)
{
	char text[128];
	int r = read_start(fd, text, sizeof(text));

	if (r < 0)
		return r;
	const char *end = strrchr(text, ')');
	if (!end || end[1] != ' ' || end[2] < 'A')
		return -EINVAL;
	*ret_state = end[2];
	return 0;
}
