/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/bus.h"
#include "base/clock.h"

#include <errno.h>
#include <string.h>

/* PID 1 answers root there without a bus daemon in between, and systemctl asks there first, too. */
static int open_private(sd_bus **ret_bus)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret_bus = bus;
	return 0;
}

int bus_open(sd_bus **ret_bus, struct err *err)
{
	if (open_private(ret_bus) == 0)
		return 0;
	int r = sd_bus_open_system(ret_bus);
	if (r >= 0)
		return 0;
	err_set(err, -r, "cannot reach systemd over D-Bus: %s", strerror(-r));
	err_fix(err, "is the package dbus installed, and dbus.socket active?");
	return r;
}

/* Nobody but a bus daemon fills in who has sent a message. */
const char *bus_sender(sd_bus *bus)
{
	return sd_bus_is_bus_client(bus) > 0 ? SYSTEMD_NAME : NULL;
}

short bus_events(sd_bus *bus)
{
	int events = sd_bus_get_events(bus);

	/* A connection that has broken says so when it is processed. */
	return (short)(events < 0 ? POLLIN : events);
}

uint64_t bus_deadline_ns(sd_bus *bus)
{
	uint64_t usec;

	if (sd_bus_get_timeout(bus, &usec) < 0)
		return 0;
	return usec == UINT64_MAX ? CLOCK_NEVER : usec * NS_PER_US;
}

char *bus_unit_path(const char *name)
{
	char *path = NULL;

	return sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path) < 0 ? NULL : path;
}

const char *bus_words(const sd_bus_error *error, int r)
{
	if (error && error->message)
		return error->message;
	return strerror(r < 0 ? -r : r);
}
