/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/lib.h"

#include <errno.h>
#include <libcgroup.h>
#include <stdarg.h>

/* The default logger prints to standard output. errno must pass through: it is all that is left of a
 * failed open. */
static void swallow(void *userdata, int level, const char *format, va_list args)
{
	(void)userdata;
	(void)level;
	(void)format;
	(void)args;
}

static int errno_of(int code)
{
	int said = code == ECGOTHER ? cgroup_get_last_errno() : errno;

	if (code == 0)
		return 0;
	if (said)
		return -said;
	switch (code) {
	case ECGROUPNOTEXIST:
	case ECGROUPVALUENOTEXIST:
		return -ENOENT;
	case ECGROUPNOTOWNER:
		return -EPERM;
	case ECGROUPNOTMOUNTED:
	case ECGROUPSUBSYSNOTMOUNTED:
		return -ENOTSUP;
	default:
		return -EIO;
	}
}

int cg_lib_init(void)
{
	cgroup_set_logger(swallow, CGROUP_LOG_ERROR, NULL);
	errno = 0;
	return errno_of(cgroup_init());
}

/* The library takes "" for a name whose last byte it then looks for: "/" is the root. */
static struct cgroup *new_group(const char *group, struct cgroup_controller **ret_controller)
{
	struct cgroup *cgroup = cgroup_new_cgroup(group[0] ? group : "/");

	if (!cgroup)
		return NULL;
	*ret_controller = cgroup_add_controller(cgroup, "cpuset");
	if (!*ret_controller)
		cgroup_free(&cgroup);
	return cgroup;
}

int cg_lib_set(const char *group, const char *file, const char *value)
{
	struct cgroup_controller *controller;
	struct cgroup *cgroup = new_group(group, &controller);

	if (!cgroup)
		return -ENOMEM;
	int code = cgroup_add_value_string(controller, file, value);
	errno = 0;
	if (code == 0)
		code = cgroup_modify_cgroup(cgroup);
	int r = errno_of(code);
	cgroup_free(&cgroup);
	return r;
}

int cg_lib_attach(const char *group, pid_t tid)
{
	struct cgroup_controller *controller;
	struct cgroup *cgroup = new_group(group, &controller);

	if (!cgroup)
		return -ENOMEM;
	errno = 0;
	int r = errno_of(cgroup_attach_task_pid(cgroup, tid));
	cgroup_free(&cgroup);
	return r;
}
