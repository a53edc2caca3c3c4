/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_RUN_TEXT_H
#define CLI_RUN_TEXT_H

#include "supervisor/api.h"

/* Why `run` ended with a status other than 0 (design §6). */
void run_text(const struct api_run_result *result, struct strbuf *text);

#endif
