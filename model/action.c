/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/action.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int actions_add(struct actions *actions, const struct action *action)
{
	struct action *items = realloc(actions->items, (actions->count + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	actions->items = items;
	items[actions->count++] = *action;
	return 0;
}

void actions_free(struct actions *actions)
{
	free(actions->items);
	*actions = (struct actions){ 0 };
}

/* Is `controller` one of the words of a cgroup.subtree_control? */
static bool has_controller(const char *words, const char *controller)
{
	size_t length = strlen(controller);

	while (*words) {
		size_t n = strcspn(words, " \n");
		if (n == length && strncmp(words, controller, n) == 0)
			return true;
		words += n + strspn(words + n, " \n");
	}
	return false;
}

static bool inverse_of_controller(const struct action *action, struct action *inverse)
{
	const char *controller = action->value + 1;

	if (action->value[0] != '+' || strchr(controller, ' ') ||
		has_controller(action->prior, controller))
		return false;
	snprintf(inverse->value, sizeof(inverse->value), "-%s", controller);
	inverse->prior[0] = '\0';
	inverse->prior_known = false;
	return true;
}

static bool inverse_of_set(const struct action *action, struct action *inverse)
{
	if (strcmp(action->file, "cgroup.subtree_control") == 0)
		return inverse_of_controller(action, inverse);
	if (!action->prior[0] && !action->prior_known)
		return false;
	snprintf(inverse->value, sizeof(inverse->value), "%s", action->prior);
	snprintf(inverse->prior, sizeof(inverse->prior), "%s", action->value);
	inverse->prior_known = true;
	return true;
}

bool action_inverse(const struct action *action, struct action *ret_inverse)
{
	struct action inverse = *action;

	switch (action->kind) {
	case ACTION_CG_CREATE:
		inverse.kind = ACTION_CG_REMOVE;
		break;
	case ACTION_CG_REMOVE:
		inverse.kind = ACTION_CG_CREATE;
		break;
	case ACTION_CG_SET:
	case ACTION_SYSFS_WRITE:
		if (!inverse_of_set(action, &inverse))
			return false;
		break;
	default:
		return false;
	}
	snprintf(inverse.reason, sizeof(inverse.reason), "given back");
	*ret_inverse = inverse;
	return true;
}

const char *action_kind_name(enum action_kind kind)
{
	static const char *const names[ACTION_KINDS] = {
		[ACTION_CG_CREATE] = "cg-create",
		[ACTION_CG_REMOVE] = "cg-remove",
		[ACTION_CG_SET] = "cg-set",
		[ACTION_CG_ATTACH] = "cg-attach",
		[ACTION_THREAD_AFFINITY] = "thread-affinity",
		[ACTION_THREAD_SCHED] = "thread-sched",
		[ACTION_AUTOGROUP] = "autogroup",
		[ACTION_SYSFS_WRITE] = "sysfs-write",
		[ACTION_START] = "start",
		[ACTION_QMP] = "qmp",
		[ACTION_SIGNAL] = "signal",
	};

	return names[kind];
}

const char *action_result_name(enum action_result result)
{
	static const char *const names[] = {
		[ACTION_DONE] = "done",
		[ACTION_ALREADY] = "already",
		[ACTION_RETRY] = "retry",
		[ACTION_REPLAN] = "replan",
		[ACTION_GIVE_UP] = "give-up",
	};

	return names[result];
}
