/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/launch_parts.h"

#include <errno.h>
#include <string.h>

/* QEMU runs without the right to start programs (-sandbox spawn=deny). */
static int refuse_program(
	const struct launch *launch, const struct launch_group *group, const char *what)
{
	const char *user = launch->spec->user ? launch->spec->user : "$USER";

	launch_refuse(launch, group->line, "netdevs: %s would have QEMU start a program", what);
	err_why(launch->err, "QEMU's sandbox forbids that");
	err_fix(launch->err,
		"ip tuntap add dev tap0 mode tap user %s; ip link set tap0 master BRIDGE up; then "
		"{ type = \"tap\"; ifname = \"tap0\"; }",
		user);
	return -EINVAL;
}

/* A tap that QEMU does not get as a descriptor would run /etc/qemu-ifup unless told not to. */
static int without_script(
	const struct launch *launch, const struct launch_group *group, const char *key)
{
	const char *script = launch_text(group->object, key);

	if (script && strcmp(script, "no") != 0)
		return refuse_program(launch, group, key);
	return json_object_set_new(group->object, key, json_string("no")) < 0 ? -ENOMEM : 0;
}

static int tap(const struct launch *launch, const struct launch_group *group)
{
	const json_t *object = group->object;

	if (json_object_get(object, "fd") || json_object_get(object, "fds"))
		return 0;
	if (json_object_get(object, "helper") || json_object_get(object, "br"))
		return refuse_program(launch, group,
			json_object_get(object, "br") ? "br in a tap" : "helper in a tap");
	int r = without_script(launch, group, "script");
	return r < 0 ? r : without_script(launch, group, "downscript");
}

int launch_netdevs(struct launch *launch)
{
	const struct launch_groups *groups = &launch->lists[SPEC_NETDEVS];
	int r = 0;

	for (size_t i = 0; r == 0 && i < groups->count; i++) {
		const char *type = launch_owner(SPEC_NETDEVS, groups->items[i].object);
		if (strcmp(type, "tap") == 0)
			r = tap(launch, &groups->items[i]);
		else if (strcmp(type, "bridge") == 0)
			r = refuse_program(launch, &groups->items[i], "type \"bridge\"");
	}
	return r;
}
