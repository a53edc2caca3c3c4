/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for systemd-logind on a private bus: gives inhibitors ("give"), says no ("refuse"), or never
 * answers ("silent"). Says on standard output what was asked for and what was let go of. */
#include "base/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <systemd/sd-bus.h>

enum { INHIBITORS = 16 };

static int held[INHIBITORS]; /* our ends: they hang up with the inhibitor */
static int count;
static const char *mode = "give";

static int give(sd_bus_message *message)
{
	int fds[2];

	if (count == INHIBITORS || pipe2(fds, O_CLOEXEC) < 0)
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_LIMITS_EXCEEDED, "full");
	held[count++] = fds[0];
	int r = sd_bus_reply_method_return(message, "h", fds[1]);
	close(fds[1]);
	return r;
}

static int on_inhibit(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	const char *what, *who, *why, *how;

	(void)arg;
	(void)error;
	if (sd_bus_message_read(message, "ssss", &what, &who, &why, &how) < 0)
		return -22;
	printf("inhibit %s|%s|%s|%s\n", what, who, how, why);
	if (strcmp(mode, "silent") == 0)
		return 1;
	if (strcmp(mode, "refuse") == 0)
		return sd_bus_reply_method_errorf(
			message, SD_BUS_ERROR_ACCESS_DENIED, "not for you");
	return give(message);
}

static const sd_bus_vtable table[] = { SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END };

static void wait_for_more(sd_bus *bus)
{
	struct pollfd polls[INHIBITORS + 1];

	polls[0] = (struct pollfd){ .fd = sd_bus_get_fd(bus),
		.events = (short)sd_bus_get_events(bus) };
	for (int i = 0; i < count; i++)
		polls[i + 1] = (struct pollfd){ .fd = held[i], .events = POLLIN };
	poll(polls, (nfds_t)count + 1, 1000);
	for (int i = count; i-- > 0;)
		if (polls[i + 1].revents & POLLHUP) {
			printf("released\n");
			close(held[i]);
			held[i] = held[--count];
		}
}

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		mode = argv[1];
	if (sd_bus_open_system(&bus) < 0 ||
		sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/login1",
			"org.freedesktop.login1.Manager", table, NULL) < 0 ||
		sd_bus_request_name(bus, "org.freedesktop.login1", 0) < 0)
		return 1;
	printf("ready\n");
	for (;;) {
		int r = sd_bus_process(bus, NULL);

		if (r < 0)
			return 1;
		if (r == 0)
			wait_for_more(bus);
	}
}
