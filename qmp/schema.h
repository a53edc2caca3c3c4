/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_SCHEMA_H
#define QMP_SCHEMA_H

#include "model/props.h"

#include <jansson.h>

/*
 * query-qmp-schema's answer: adds the members of `command`'s argument for each variant (a block driver, a
 * netdev type) that `wanted` says yes to, the common members included. 0 or -1 without memory; a schema
 * that does not look as expected adds nothing.
 */
int schema_add(json_t *schema, const char *command, bool (*wanted)(void *arg, const char *owner),
	void *arg, struct props *props);

#endif
