/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_ASK_H
#define QMP_ASK_H

#include "base/err.h"
#include "qmp/frame.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

/* A short-lived QEMU of our own, asked one thing after the other: for probe.c only. */
struct ask {
	pid_t pid;
	int fd;       /* QMP */
	int words_fd; /* its standard error */
	uint64_t deadline_ns;
	struct frame frame;
	char words[256]; /* the first line that it wrote to standard error */
};

/* Starts `binary -machine none` with an empty environment and does the handshake. */
int ask_start(const char *binary, struct ask *ret_ask, json_t **ret_greeting, struct err *err);

/* One command; `arguments` is taken over. The "return" value is the caller's; NULL with 0 returned if QEMU
 * answered with an error. */
int ask(struct ask *ask, const char *command, json_t *arguments, json_t **ret_result);

/* Ends and reaps the process. */
void ask_end(struct ask *ask);

#endif
