/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_HOST_DOWN_H
#define SUPERVISOR_HOST_DOWN_H

#include "supervisor/control.h"

/* The host goes down: every VM is stopped, all at once, each with its own stop.host_shutdown and then with force; and
 * none is started any more. Twice is as good as once. */
void host_down_begin(struct supervisor *sup);

/* The same for a client, who hears of each step ({ "step" }), every 10 s who is still waited for and for how
 * long at most ({ "waiting", "left" in seconds }), and at last { "done", "ok", "words" }. */
void host_down_call(struct supervisor *sup, struct control_call *call);

#endif
