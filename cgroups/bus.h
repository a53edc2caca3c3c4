/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUPS_BUS_H
#define CGROUPS_BUS_H

#include "base/err.h"

#include <poll.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define SYSTEMD_NAME    "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_SERVICE "org.freedesktop.systemd1.Service"
#define SYSTEMD_UNIT    "org.freedesktop.systemd1.Unit"

/* To systemd: over its own socket, or the system bus. Does not wait for anybody: sd_bus_is_ready says when
 * it is there. 0 or -errno with words. */
int bus_open(sd_bus **ret_bus, struct err *err);

/* systemd's name where signals bear a sender, else NULL. */
const char *bus_sender(sd_bus *bus);

/* What the loop asks of a connection; deadline monotonic, CLOCK_NEVER: none. */
short bus_events(sd_bus *bus);
uint64_t bus_deadline_ns(sd_bus *bus);

/* The object that stands for a unit; the caller frees it. NULL: no memory. */
char *bus_unit_path(const char *name);

/* One line of an error's words. */
const char *bus_words(const sd_bus_error *error, int r);

#endif
