/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include <stddef.h>

/* The one of `names` that is nearest to `name` in spelling, NULL if none is near: at most one wrong,
 * missing, extra or swapped letter in three. Case does not count. */
const char *nearest_name(const char *name, const char *const *names, size_t count);

#endif
