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
	bool kvm; /* what accel comes to */
	const char *
		qmp_socket; /* path as QEMU will bind it, or "fd:N" form of an inherited listener */
	/* For each group of devices with a `host` of whole-slot form ("01:00"), in order of appearance:
	 * the functions found there. */
	const struct pci_functions *slots;
	size_t slot_count;
};

/*
 * QEMU's argv for this spec: `-nodefaults -no-user-config -display none -S -name NAME,
 * debug-threads=on -sandbox on,... -qmp ...` and the rest (design §5); JSON for devices, blockdevs,
 * netdevs, objects. Values given as strings are converted for bool, number and size properties by
 * what props says; a property or driver that the binary does not know, a wrong type, an orphan (a
 * drive=, netdev=, iothread= that names nothing; a backend that no device uses) is -EINVAL with
 * file:line, the key and what would work; with `args` present orphans are only reported through
 * *ret_warnings. `addr` given as a number is refused. Our own keys (expect) are stripped; whole-slot
 * vfio-pci becomes one root port and its functions.
 */
int launch_argv(const struct spec *spec, const struct launch_host *host, struct strlist *ret_argv,
	struct strlist *ret_warnings, struct err *err);

/* The files that QEMU's user must be able to open, from the spec: disks (writable unless read-only),
 * ROMs. Each with the line it stands in. */
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
