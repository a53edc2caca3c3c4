/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_DAEMON_H
#define SUPERVISOR_DAEMON_H

#include "model/host_conf.h"
#include "supervisor/api.h"
#include "supervisor/vm.h"

/* vfio-sup daemon: all VMs of a configuration directory. */
struct daemon {
	struct supervisor sup;
	struct host_conf conf;
	const char *config_dir;
	struct loop_source *source;
	uint64_t watchdog_ns, watchdog_at; /* of systemd; CLOCK_NEVER: nobody asks */
	uint64_t told;                     /* daemon_who_runs, as systemd knows it */
	bool power_off;                    /* the host is next */
	bool ending;                       /* only there to stop all VMs, as the host goes down */
	uint64_t extend_at; /* ... when systemd hears next that it is worth waiting */
};

/* daemon.c. Takes over what runs and stops it as for the host's end; comes back when no VM runs. -EWOULDBLOCK: a
 * supervisor is there after all. */
int daemon_stop_all(const char *config_dir, const struct api_options *options, struct err *err);

/* daemon_status.c */

/* One line for people: "2 VMs run: mediapc, nas; failed: games". */
void daemon_status(const struct daemon *daemon, struct strbuf *text);

/* A number that changes when that line does. */
uint64_t daemon_who_runs(const struct daemon *daemon);

/* daemon_vms.c */

/* Reads CONFIG_DIR/vms and makes a VM of each file; those that are there already get what is new in
 * theirs (design §5: what takes effect now and what at the next start). A file that is bad raises an alarm
 * and changes nothing. */
void daemon_read_vms(struct daemon *daemon);

/* Takes over what an earlier daemon left running, also where the file is gone or bad by now. */
void daemon_find_vms(struct daemon *daemon);

/* Each VM with autostart that was not started since boot. */
void daemon_autostart(struct daemon *daemon);

/* spec_news.c: the keys that differ, by when they take effect; NULL: not asked. 0 or -ENOMEM. */
int spec_news(const struct spec *old, const struct spec *new, struct strlist *ret_later);

/* Takes over what takes effect at once: on_*, restart, stop, autostart. */
void spec_take_now(struct spec *old, const struct spec *new);

#endif
