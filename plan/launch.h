/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PLAN_LAUNCH_H
#define PLAN_LAUNCH_H

#include "base/err.h"
#include "base/strbuf.h"
#include "model/props.h"
#include "model/spec.h"
#include "model/state.h"

/* What the launch needs beside the spec. */
struct launch_host {
	const struct props *props;
	bool kvm;               /* what accel comes to */
	const char *qmp_socket; /* path as QEMU will bind it, or "fd:N" of an inherited listener */
	/* The functions found at each of launch_pci_addresses, in any order. */
	const struct pci_functions *slots;
	size_t slot_count;
};

/* The PCI addresses of the spec's vfio-pci devices as they are written there ("01:00", "00:14.0"): what
 * to look up on the host before launch_argv. What is no address is left out: launch_argv refuses it.
 * 0 or -ENOMEM. */
int launch_pci_addresses(const struct spec *spec, struct strlist *ret_addresses);

/*
 * QEMU's argv for this spec: `-nodefaults -no-user-config -display none -S -name guest=NAME,
 * debug-threads=on -sandbox on,... ` and the rest (design §5); JSON for devices, blockdevs, netdevs,
 * objects; args at the end. Values are converted by what props says (without props: not at all); a
 * property or driver that the binary does not know, a wrong type, an orphan (a drive=, netdev=,
 * iothread= that names nothing; a backend that no device uses) is -EINVAL with file:line, the key and
 * what would work; with `args` present orphans are only reported through *ret_warnings (may be NULL).
 * `addr` given as a number is refused. Our own key (expect) is compared and stripped; whole-slot
 * vfio-pci becomes one root port (unless `bus` names one) and its functions. A tap is told to run no
 * script. An option in args that takes the process from under the supervisor (-daemonize, -runas,
 * -pidfile) is refused; -accel there replaces ours if it is the same one.
 */
int launch_argv(const struct spec *spec, const struct launch_host *host, struct strlist *ret_argv,
	struct strlist *ret_warnings, struct err *err);

/* The files that QEMU's user must be able to open, from the spec: disks (writable unless read-only),
 * ROMs with a path (bare names are QEMU's own). Each with the line of its group. What args hold is not
 * looked at. 0, -ENOMEM; a group that is none is left out. */
struct launch_file {
	char *path;
	bool write;
	int line;
};
struct launch_files {
	struct launch_file *items;
	size_t count;
};
int launch_files(const struct spec *spec, struct launch_files *ret_files);
void launch_files_free(struct launch_files *files);

/* argv as a shell would take it, one option a line, for people. */
void launch_format(const struct strlist *argv, struct strbuf *text);

#endif
