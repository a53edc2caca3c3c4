/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/private.h"

#include <errno.h>
#include <string.h>

typedef enum action_result (*act)(
	struct cgroups *cgroups, const struct action *action, const char *group, struct err *err);

static const act acts[ACTION_KINDS] = {
	[ACTION_CG_CREATE] = cg_act_create,
	[ACTION_CG_REMOVE] = cg_act_remove,
	[ACTION_CG_SET] = cg_act_set,
	[ACTION_CG_ATTACH] = cg_act_attach,
};

enum action_result cg_result_of(int r)
{
	switch (-r) {
	case ENOENT:
	case ENODEV: /* a file of a group that is being removed */
	case ESRCH:
		return ACTION_REPLAN;
	case EAGAIN:
	case EINTR:
	case ENOMEM:
		return ACTION_RETRY;
	default:
		return ACTION_GIVE_UP;
	}
}

enum action_result cgroups_act(
	struct cgroups *cgroups, const struct action *action, struct err *err)
{
	const char *kind = action_kind_name(action->kind);
	const char *group = group_tidy(action->group);

	if (!acts[action->kind]) {
		err_set(err, EINVAL, "%s is not about cgroups", kind);
	} else if (cgroups->cpuset.mode == CG_MODE_NONE) {
		err_set(err, ENOTSUP, "%s %s: there are no cpuset cgroups here", kind,
			group_words(group));
		err_why(err, "%s", cgroups->cpuset.reason);
	} else if (!cgroups->tree.live) {
		err_set(err, EROFS, "%s %s: this is a copy of a host, not the host", kind,
			group_words(group));
	} else if (!group_valid(group)) {
		err_set(err, EINVAL, "%s: \"%s\" is not the path of a group", kind, group);
	} else {
		return acts[action->kind](cgroups, action, group, err);
	}
	return ACTION_GIVE_UP;
}
