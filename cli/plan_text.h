/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_PLAN_TEXT_H
#define CLI_PLAN_TEXT_H

#include "supervisor/api.h"

/* What `plan` prints; the same content twice. */
void plan_text(const struct api_plan *plan, struct strbuf *text);
json_t *plan_json(const struct api_plan *plan); /* NULL: out of memory */

/* What both have in common. */
const char *plan_isolation_wanted(const struct api_plan *plan);
const char *plan_isolation(const struct api_plan *plan); /* "shield", "boot", "off" */
const char *plan_cgroups(const struct api_plan *plan);   /* "v1", "v2", "none" */
struct cpuset plan_vcpu_cpus(const struct api_plan *plan, size_t vcpu);

#endif
