/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CALL_H
#define CLI_CALL_H

#include "cli/cli.h"

/* Calls whose one reply is wanted: `ret_reply` is a new reference. 0, or -errno with words (-EPROTO:
 * no reply came). Takes `parameters` over. */
int call_once(const struct cli *cli, const char *method, json_t *parameters, json_t **ret_reply,
	struct err *err);

/* { "vm": NAME } of the verb's first word; NULL: out of memory. */
json_t *call_vm(const struct cli *cli);

/* A whole verb: one call about a VM, whose "words" are shown. */
int call_for_words(const struct cli *cli, const char *method);

/* A whole verb: steps are shown as they come, until it is done. Takes `parameters` over. */
int call_for_steps(const struct cli *cli, const char *method, json_t *parameters);

/* How far such a call has come. */
struct steps {
	bool done, ok;
};

/* Its parts: an api_reply_fn, `arg` is the steps; and what the call came to, as exit status. */
bool call_show_step(void *arg, json_t *parameters, bool continues);
int call_end(int r, const struct steps *steps, struct err *err);

/* One of its replies, the last one if nothing `continues`: its words, a line or nothing. */
void steps_take(struct steps *steps, const json_t *reply, bool continues, struct strbuf *text);

#endif
