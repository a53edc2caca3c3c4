/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include "supervisor/supervisor.h"

#include <jansson.h>

/*
 * RUN_DIR/control.sock: the varlink wire format (https://varlink.org/Wire-Format), interface io.vfiosup.
 * Root and the supervisor's own user may do everything, members of two groups some of it. At most 64 connections,
 * 60 s without a question, 64 KiB a request, 4 MiB of unread replies.
 */
struct control;
struct control_call; /* one request that is being answered */

int control_open(struct supervisor *sup, struct control **ret_control, struct err *err);
/* A new socket in the run directory as it is now; who is connected stays. 0 or -errno with words. */
int control_rebind(struct control *control, struct err *err);

void control_close(struct control *control);

/* Groups whose members may ask (`read`), and ask, start, stop and wake (`operate`). One that does not exist
 * gives nobody anything. */
void control_set_groups(struct control *control, const char *read, const char *operate);

/* methods.c: answers one request, now or later. */
void method_call(struct supervisor *sup, struct control_call *call, const char *method,
	json_t *parameters, bool more);

/* A reply; `parameters` is taken over. `continues`: more will come, only for a call with `more`. After
 * the last one the call is gone. */
void control_reply(struct control_call *call, json_t *parameters, bool continues);
void control_error(struct control_call *call, const char *error, json_t *parameters);

/* What to let go of when the client leaves, or the last reply is sent. */
void control_on_gone(struct control_call *call, void (*gone)(void *arg), void *arg);

#endif
