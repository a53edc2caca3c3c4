/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOST_LIBPCI_H
#define HOST_LIBPCI_H

#include "base/root.h"
#include "model/state.h"

#include <pci/pci.h>

/* libpci on one root's sysfs, never ending the process: within host/ only. */
struct libpci {
	struct pci_access *access;
	char path[48], ids[72]; /* libpci goes on reading them */
	int lookup;             /* what else goes into the flags of pci_lookup_name */
	char words[256];        /* what libpci said of its last error, "" if nothing */
};

struct pci_slot {
	unsigned domain, bus, device;
	int function; /* -1: all */
};

/* [DOMAIN:]BUS:DEVICE[.FUNCTION], as lspci writes it. 0 or -EINVAL. */
int pci_slot_parse(const char *text, struct pci_slot *ret);

/* 0 or -EIO (words say why). Must not move; close it in either case. */
int libpci_open(struct libpci *lib, const struct root *root);
void libpci_close(struct libpci *lib);

/*
 * Fills in `fields` (PCI_FILL_*) of the function at this address, which the caller knows to be
 * there, and hands it to `take`, out of which any call of libpci's may jump: it owns nothing. 0 or
 * -EIO.
 */
int libpci_read(struct libpci *lib, const struct pci_function *where, int fields,
	void (*take)(const struct libpci *lib, struct pci_dev *device, void *data), void *data);

#endif
