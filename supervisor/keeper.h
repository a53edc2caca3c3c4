/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_KEEPER_H
#define SUPERVISOR_KEEPER_H

#include "supervisor/supervisor.h"

/* Looks once a second whether what we have on disk is still there: the run directory, the control socket,
 * what belongs to each VM. What somebody has wiped away is made anew from memory; the VMs do not notice. */
int keeper_start(struct supervisor *sup); /* 0 or -ENOMEM */

#endif
