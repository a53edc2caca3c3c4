/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_WORDS_H
#define CONFIG_WORDS_H

#include "base/err.h"
#include "base/strbuf.h"

/* Splits as a shell does, quotes and backslashes included, but expands nothing: $, `, * and ~ stay
 * what they are. -EINVAL (words that name no file) for an open quote or a lone backslash at the end,
 * -ENOMEM. The caller frees *words also on failure. */
int words_split(const char *text, struct strlist *words, struct err *err);

#endif
