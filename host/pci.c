/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"
#include "host/libpci.h"

#include <errno.h>
#include <limits.h>
#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS = 8 };

/* A hexadecimal number of at most `digits` digits that ends in `end`; what follows it, or NULL. */
static const char *take_hex(
	const char *text, size_t digits, char end, unsigned max, unsigned *ret_value)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF");

	if (n == 0 || n > digits || text[n] != end)
		return NULL;
	unsigned long value = strtoul(text, NULL, 16);
	if (value > max)
		return NULL;
	*ret_value = (unsigned)value;
	return text + n + (end != '\0');
}

/* [DOMAIN:]BUS:DEVICE[.FUNCTION], as lspci writes it. */
int pci_slot_parse(const char *text, struct pci_slot *ret)
{
	const char *first = strchr(text, ':');
	struct pci_slot slot = { .function = -1 };
	unsigned function;

	if (first && strchr(first + 1, ':'))
		text = take_hex(text, 8, ':', INT_MAX, &slot.domain);
	if (text)
		text = take_hex(text, 2, ':', 0xff, &slot.bus);
	if (!text)
		return -EINVAL;
	const char *dot = strchr(text, '.');
	text = take_hex(text, 2, dot ? '.' : '\0', 0x1f, &slot.device);
	if (text && dot) {
		text = take_hex(text, 1, '\0', FUNCTIONS - 1, &function);
		slot.function = (int)function;
	}
	if (!text)
		return -EINVAL;
	*ret = slot;
	return 0;
}

static bool is_there(const struct root *root, const struct pci_slot *slot, int function)
{
	char path[96];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%04x:%02x:%02x.%d", slot->domain,
		slot->bus, slot->device, function);
	return root_exists(root, path);
}

static void take_ids(const struct libpci *lib, struct pci_dev *device, void *data)
{
	struct pci_function *ret = data;

	(void)lib;
	ret->vendor_id = device->vendor_id;
	ret->device_id = device->device_id;
}

static int collect(const struct root *root, struct libpci *lib, const struct pci_slot *slot,
	struct pci_functions *ret)
{
	for (int f = 0; f < FUNCTIONS; f++) {
		if ((slot->function >= 0 && f != slot->function) || !is_there(root, slot, f))
			continue;
		struct pci_function *at = &ret->items[ret->count];
		*at = (struct pci_function){ slot->domain, slot->bus, slot->device, (unsigned)f, 0,
			0 };
		int r = libpci_read(lib, at, PCI_FILL_IDENT, take_ids, at);
		if (r < 0)
			return r;
		ret->count++;
	}
	return ret->count > 0 ? 0 : -ENODEV;
}

static int failed(const struct root *root, const char *address, int r, const struct libpci *lib,
	struct err *err)
{
	if (r != -ENODEV)
		return err_set(err, -r, "cannot read PCI device %s: %s", address,
			lib->words[0] ? lib->words : strerror(-r));
	err_set(err, ENODEV, "there is no PCI device %s", address);
	if (!root_exists(root, "sys/bus/pci/devices"))
		err_why(err, "this host has no PCI bus (/sys/bus/pci is not there)");
	else
		err_fix(err, "lspci -D lists those that are there");
	return -ENODEV;
}

int host_pci_functions(
	const struct root *root, const char *address, struct pci_functions *ret, struct err *err)
{
	struct pci_functions found = { 0 };
	struct libpci lib;
	struct pci_slot slot;

	if (pci_slot_parse(address, &slot) < 0) {
		err_set(err, EINVAL, "\"%.64s\" is no PCI address", address);
		err_fix(err,
			"write BUS:DEVICE or BUS:DEVICE.FUNCTION as lspci shows it, \"01:00\"");
		return -EINVAL;
	}
	int r = libpci_open(&lib, root);
	if (r == 0) {
		found.items = calloc(FUNCTIONS, sizeof(*found.items));
		r = found.items ? collect(root, &lib, &slot, &found) : -ENOMEM;
	}
	libpci_close(&lib);
	if (r < 0) {
		free(found.items);
		return failed(root, address, r, &lib, err);
	}
	*ret = found;
	return 0;
}
