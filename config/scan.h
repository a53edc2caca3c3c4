/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include "config/text.h"

/*
 * Runs before libconfig and refuses, in words, what libconfig would only call a syntax error, and what
 * it would take for something else than was meant: adjacent texts (joined), NUL bytes (the rest
 * cut off), @include (opens any file), integers beyond 32 bits (wrapped), leading zeros (octal from
 * 1.7 on), a trailing comma (refused by 1.5 only), a text over several lines. Also keys given twice.
 * err.why holds the line of the file, err.fix a guess at what was meant. 0, -EINVAL or -ENOMEM.
 */
int conf_scan(const struct conf_text *text, struct err *err);

#endif
