/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_STATUS_TEXT_H
#define CLI_STATUS_TEXT_H

#include "base/strbuf.h"

#include <jansson.h>

/*
 * status for people (design §6), from whatever JSON came: missing keys and wrong types are left out,
 * control characters are shown as '?'. `now` in Unix seconds.
 */
void status_vm_text(const json_t *vm, double now, struct strbuf *text);
void status_overview_text(const json_t *overview, double now, struct strbuf *text);

/* Exit statuses of design §6. Of the overview: 1 if that is so for any VM, or if one has failed. */
int status_vm_exit(const json_t *vm);
int status_overview_exit(const json_t *overview);

/* The parts. What they get is clean already. */
void status_add_state(
	const json_t *vm, double now, struct strbuf *text);  /* "RUNNING 3 d, healthy" */
void status_add_qemu(const json_t *vm, struct strbuf *text); /* "QEMU 7.2.22 kvm, pid 4711, user" */
void status_add_threads(const json_t *vm, struct strbuf *text);
void status_add_devices(const json_t *vm, struct strbuf *text);
void status_add_odd(const json_t *vm, double now, struct strbuf *text); /* drift, alarms, pending */

/* How many things are not as they should be. */
size_t status_odd_count(const json_t *vm);

/* The VM's QEMU is there and its guest has run. */
bool status_runs(const json_t *vm);

#endif
