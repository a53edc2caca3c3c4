/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_UNIT_MESSAGE_H
#define CGROUPS_UNIT_MESSAGE_H

#include "cgroups/bus.h"
#include "cgroups/units.h"

/* The StartTransientUnit call for this unit, the caller's. 0 or -errno. */
int unit_message(sd_bus *bus, const struct unit *unit, sd_bus_message **ret_message);

#endif
