/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/rights.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "host/sched.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { NICE_LOWEST = -20 };

bool rights_sys_nice(const struct root *root)
{
	static const char key[] = "\nCapEff:\t";
	char text[8192];
	ssize_t n = root_read(root, "proc/self/status", text, sizeof(text));
	const char *line = n < 0 ? NULL : strstr(text, key);

	return line && (strtoull(line + strlen(key), NULL, 16) >> CAP_SYS_NICE & 1);
}

/* RLIMIT_NICE counts from 1 (nice 19) to 40 (nice -20), getrlimit(2). */
static bool rlimit_allows_nice(rlim_t limit, int nice)
{
	return limit == RLIM_INFINITY || limit >= (rlim_t)(20 - nice);
}

bool rights_may_rt(const struct root *root)
{
	struct rlimit limit;

	if (rights_sys_nice(root))
		return true;
	return root->live && getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0;
}

bool rights_may_nice(const struct root *root)
{
	struct rlimit limit;

	if (rights_sys_nice(root))
		return true;
	return root->live && getrlimit(RLIMIT_NICE, &limit) == 0 &&
	       rlimit_allows_nice(limit.rlim_cur, NICE_LOWEST);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ',') && strchr(", \n", at[n]))
			return true;
	return false;
}

int rights_v1_cpu_mount(const struct root *root, char *ret_path, size_t size)
{
	int fd = root_open_file(root, "proc/mounts", O_RDONLY);
	AUTO_FILE FILE *mounts = fd < 0 ? NULL : fdopen(fd, "r");
	char line[1024], path[MODEL_PATH], type[16];
	int at;

	if (fd >= 0 && !mounts)
		close(fd);
	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*s /%255s %15s %n", path, type, &at) != 2 ||
			strcmp(type, "cgroup") != 0 || !has_word(line + at, "cpu"))
			continue;
		snprintf(ret_path, size, "%s", path);
		return 0;
	}
	return -ENOENT;
}

/* Debian keeps the kernel's configuration here; a missing file says no more than "unknown". */
static bool configured_for_rt_groups(const struct root *root)
{
	char release[128], path[192], line[256];
	bool on = false;

	if (root_read(root, "proc/sys/kernel/osrelease", release, sizeof(release)) <= 0)
		return false;
	snprintf(path, sizeof(path), "boot/config-%s", release);
	int fd = root_open_file(root, path, O_RDONLY);
	AUTO_FILE FILE *config = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !config)
		close(fd);
	while (config && fgets(line, sizeof(line), config)) {
		if (strcmp(line, "CONFIG_RT_GROUP_SCHED=y\n") == 0)
			on = true;
		if (strcmp(line, "CONFIG_RT_GROUP_SCHED_DEFAULT_DISABLED=y\n") == 0)
			return false;
	}
	return on;
}

bool rights_rt_group_sched(const struct root *root)
{
	char mount[MODEL_PATH], path[MODEL_PATH + 32];

	if (rights_v1_cpu_mount(root, mount, sizeof(mount)) < 0)
		return configured_for_rt_groups(root);
	snprintf(path, sizeof(path), "%s/cpu.rt_runtime_us", mount);
	return root_exists(root, path);
}

/* The thread's group in the v1 cpu hierarchy, "/x/y". A line is "ID:CONTROLLERS:PATH". */
static int v1_cpu_group(const struct root *root, pid_t tid, char *ret_group, size_t size)
{
	char text[4096];
	char *save = NULL;
	ssize_t n = root_readf(root, text, sizeof(text), "proc/%d/cgroup", tid);

	if (n < 0)
		return (int)n;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path = '\0';
		if (!has_word(names + 1, "cpu"))
			continue;
		snprintf(ret_group, size, "%s", path + 1);
		return 0;
	}
	return -ENOENT;
}

/* Is it the group's empty real-time budget? The kernel refuses even root then. */
static bool explain_rt_group(const struct root *root, pid_t tid, struct err *err)
{
	char mount[MODEL_PATH], group[MODEL_PATH], budget[32];

	if (rights_v1_cpu_mount(root, mount, sizeof(mount)) < 0 ||
		v1_cpu_group(root, tid, group, sizeof(group)) < 0 || strcmp(group, "/") == 0)
		return false;
	if (root_readf(root, budget, sizeof(budget), "%s%s/cpu.rt_runtime_us", mount, group) < 0 ||
		strcmp(budget, "0") != 0)
		return false;
	err_why(err,
		"the thread is in the cpu cgroup %s, whose cpu.rt_runtime_us is 0: with "
		"CONFIG_RT_GROUP_SCHED its threads may not be real-time, whoever asks",
		group);
	err_fix(err,
		"give the group a share, its parents first (echo 100000 > "
		"/%s%s/cpu.rt_runtime_us), or move the thread to a group that has one",
		mount, group);
	return true;
}

static void explain_rlimit(pid_t tid, const struct placement *place, struct err *err)
{
	bool rt = sched_is_realtime(place->policy);
	const char *name = rt ? "RLIMIT_RTPRIO" : "RLIMIT_NICE";
	struct rlimit limit;

	err_fix(err, "run the supervisor as root, or with CAP_SYS_NICE");
	if (prlimit(tid, rt ? RLIMIT_RTPRIO : RLIMIT_NICE, NULL, &limit) < 0) {
		err_why(err, "no CAP_SYS_NICE here, and the thread is another user's");
		return;
	}
	char wanted[32];
	snprintf(wanted, sizeof(wanted), rt ? "priority %d" : "nice %d",
		rt ? place->priority : place->nice);
	err_why(err, "no CAP_SYS_NICE here, and %s of the thread is %llu: not enough for %s", name,
		(unsigned long long)limit.rlim_cur, wanted);
}

void rights_explain(
	const struct root *root, pid_t tid, const struct placement *place, struct err *err)
{
	if (!rights_sys_nice(root)) {
		explain_rlimit(tid, place, err);
		return;
	}
	if (!sched_is_realtime(place->policy)) {
		err_why(err, "CAP_SYS_NICE does not suffice here: a user namespace, or a security "
			     "module");
		return;
	}
	if (explain_rt_group(root, tid, err))
		return;
	if (rights_rt_group_sched(root)) {
		err_why(err, "this kernel has CONFIG_RT_GROUP_SCHED, and the thread's cgroup no "
			     "real-time "
			     "budget (cgroup v2 has no file to give one)");
		err_fix(err, "keep the cpu controller off for this group, or take another kernel");
	} else {
		err_why(err, "CAP_SYS_NICE does not suffice here: a user namespace, or a security "
			     "module");
	}
}
