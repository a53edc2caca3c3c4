/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/process.h"
#include "host/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

static int read_start(const struct root *root, pid_t pid, uint64_t *ret_ticks)
{
	char path[32];
	struct task_stat stat;

	snprintf(path, sizeof(path), "proc/%d", pid);
	int r = task_stat_read(root, path, &stat);
	if (r < 0)
		return r;
	if (strchr("ZXx", stat.state))
		return -ESRCH;
	*ret_ticks = stat.start_ticks;
	return 0;
}

int process_identify(const struct root *root, pid_t pid, struct process_identity *ret)
{
	struct process_identity id = { .pid = pid };
	struct stat exe;
	uint64_t again;
	char path[32];
	int r = read_start(root, pid, &id.start_ticks);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "proc/%d/exe", pid);
	if (fstatat(root->fd, path, &exe, 0) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	id.exe_device = exe.st_dev;
	id.exe_inode = exe.st_ino;
	ssize_t n =
		root_read(root, "proc/sys/kernel/random/boot_id", id.boot_id, sizeof(id.boot_id));
	if (n < 0)
		return (int)n;
	/* The pid may have found a new owner between the two looks. */
	r = read_start(root, pid, &again);
	if (r < 0)
		return r;
	if (again != id.start_ticks)
		return -ESRCH;
	*ret = id;
	return 0;
}

bool process_same(const struct process_identity *a, const struct process_identity *b)
{
	return a->pid == b->pid && a->start_ticks == b->start_ticks &&
	       a->exe_device == b->exe_device && a->exe_inode == b->exe_inode &&
	       strcmp(a->boot_id, b->boot_id) == 0;
}

int process_pidfd(pid_t pid)
{
	int fd = pidfd_open(pid, 0);

	return fd < 0 ? -errno : fd;
}

int process_signal(int pidfd, int signal)
{
	return pidfd_send_signal(pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}
