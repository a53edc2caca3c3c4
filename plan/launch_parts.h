/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_LAUNCH_PARTS_H
#define PLAN_LAUNCH_PARTS_H

#include "plan/launch.h"

#include <jansson.h>

/* One group of the file as an object, or one that we added. */
struct launch_group {
	json_t *object; /* owned */
	int line;
};

struct launch_groups {
	struct launch_group *items;
	size_t count;
};

/* A launch under construction. */
struct launch {
	const struct spec *spec;
	const struct launch_host *host;
	struct launch_groups lists[SPEC_LISTS];
	struct strlist argv, warnings;
	struct err *err;
};

/* Sets err to "FILE:LINE: words" and returns -EINVAL. */
int launch_refuse(const struct launch *launch, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The value of a key where it is text, else NULL. */
const char *launch_text(const json_t *object, const char *key);

/* What a group says it is: its driver, type or qom-type. NULL if it does not say. */
const char *launch_owner(enum spec_list list, const json_t *object);

/* -1, or the place of "-option" or "--option" in spec->args. */
int launch_find_arg(const struct spec *spec, const char *option);

/* Appends; takes the object over, also on failure. 0 or -ENOMEM. */
int launch_groups_add(struct launch_groups *groups, json_t *object, int line);
void launch_groups_free(struct launch_groups *groups);

/* The steps of launch_argv, in this order. All 0 or -errno with words in launch->err. */
int launch_check_options(const struct launch *launch);
int launch_read_groups(struct launch *launch);
int launch_check_names(struct launch *launch);
int launch_convert(struct launch *launch);
int launch_netdevs(struct launch *launch);
int launch_vfio(struct launch *launch);
int launch_write_options(struct launch *launch);

/* Drops what only we understand (expect), after comparing it. Called before launch_convert. */
int launch_vfio_expect(struct launch *launch);

/* One value as QEMU's JSON wants it, a new reference. `what` is its name in messages. 0, -EINVAL with
 * words, or -ENOMEM. */
int launch_value(const struct launch *launch, int line, const char *what, enum prop_kind kind,
	const json_t *value, json_t **ret_value);

#endif
