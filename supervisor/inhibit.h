/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_INHIBIT_H
#define SUPERVISOR_INHIBIT_H

#include "supervisor/loop.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The host does not sleep while VMs with VFIO devices run: an inhibitor of systemd-logind, asked for over
 * the system bus without ever waiting for it. The bus is open only while a question is on its way: what
 * logind gives is a descriptor, and holds as long as that is open.
 */
struct inhibit;

enum { INHIBIT_WORDS = 256 };
enum inhibit_state { INHIBIT_NONE, INHIBIT_ASKED, INHIBIT_HELD, INHIBIT_FAILED };

/* A VM, as far as it matters here. */
struct inhibit_vm {
	const char *name;
	bool lives, vfio;
};

/* Why the host must not sleep, naming the VMs, as many as fit; "": it may. */
const char *inhibit_words(const struct inhibit_vm *vms, size_t count, char words[INHIBIT_WORDS]);

struct inhibit *inhibit_new(struct loop *loop); /* NULL: no memory */
void inhibit_free(struct inhibit *inhibit);     /* NULL is fine */

/* From now on the host must not sleep for this reason; "": it may. Each new reason is asked for once: what
 * fails is logged and stays INHIBIT_FAILED until there is another. The old inhibitor is held until the new
 * one is there. */
void inhibit_want(struct inhibit *inhibit, const char *words);

enum inhibit_state inhibit_state(const struct inhibit *inhibit);
const char *inhibit_state_name(enum inhibit_state state);  /* "none", "asked", "held", "failed" */
const char *inhibit_reason(const struct inhibit *inhibit); /* what failed last; "" */

#endif
