/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_LISTEN_H
#define CONFIG_LISTEN_H

#include "base/err.h"

/* "127.0.0.1:9848", "[::1]:9848": a numeric address, always said, and a port (0: any free one).
 * -EINVAL with words that name no file. */
int listen_check(const char *text, struct err *err);

#endif
