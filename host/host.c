/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"
#include "host/rights.h"
#include "host/threads.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* A list as the kernel prints it; a file with nothing in it is the empty set. */
static int read_cpus(const struct root *root, const char *path, struct cpuset *ret, struct err *err)
{
	char text[CPUSET_TEXT];
	ssize_t n = root_read(root, path, text, sizeof(text));

	if (n < 0)
		return err_set(err, (int)-n, "cannot read /%s: %s", path, strerror((int)-n));
	int r = cpuset_parse(text, ret);
	if (r < 0)
		return err_set(err, -r, "/%s has \"%.100s\", which is no list of CPUs below %d",
			path, text, CPUSET_CPUS);
	return 0;
}

int host_read_online(const struct root *root, struct cpuset *ret_online)
{
	return read_cpus(root, "sys/devices/system/cpu/online", ret_online, NULL);
}

static int read_all_cpus(const struct root *root, struct host_state *host, struct err *err)
{
	static const char isolated[] = "sys/devices/system/cpu/isolated";
	static const char present[] = "sys/devices/system/cpu/present";
	int r = read_cpus(root, "sys/devices/system/cpu/online", &host->online, err);

	host->present = host->online;
	if (r == 0 && root_exists(root, present))
		r = read_cpus(root, present, &host->present, err);
	if (r == 0 && root_exists(root, isolated))
		r = read_cpus(root, isolated, &host->isolated, err);
	if (r < 0)
		return r;
	host->allowed = host->online;
	if (!root->live)
		return 0;
	r = host_watch_affinity(0, &host->allowed);
	return r < 0 ? err_set(err, -r, "cannot read my own CPU affinity: %s", strerror(-r)) : 0;
}

static int read_kernel(const struct root *root, struct host_state *host, struct err *err)
{
	char text[128];
	struct utsname uts;

	if (root_read(root, "proc/sys/kernel/osrelease", text, sizeof(text)) <= 0) {
		if (!root->live || uname(&uts) < 0)
			return err_set(err, ENOENT,
				"cannot find the kernel's version: no "
				"/proc/sys/kernel/osrelease");
		snprintf(text, sizeof(text), "%s", uts.release);
	}
	if (sscanf(text, "%9d.%9d", &host->kernel_major, &host->kernel_minor) != 2)
		return err_set(err, EINVAL, "\"%s\" is no kernel version", text);
	return 0;
}

int host_read(const struct root *root, struct host_state *ret_state, struct err *err)
{
	struct host_state host = *ret_state;
	long value;

	host.isolated = (struct cpuset){ 0 };
	host.kvm_works = false;
	host.kvm_reason[0] = '\0';
	int r = read_all_cpus(root, &host, err);
	if (r == 0)
		r = read_kernel(root, &host, err);
	if (r < 0)
		return r;
	r = root_read_long(root, "proc/sys/kernel/sched_rt_runtime_us", &value);
	host.rt_runtime_us = r == 0 ? value : LONG_MIN;
	r = root_read_long(root, "proc/sys/kernel/sched_autogroup_enabled", &value);
	host.autogroup = r == 0 && value == 1;
	host.rt_group_sched = rights_rt_group_sched(root);
	host.may_rt = rights_may_rt(root);
	host.may_nice = rights_may_nice(root);
	host.root_user = geteuid() == 0;
	*ret_state = host;
	return 0;
}
