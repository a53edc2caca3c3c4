/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"

#include <errno.h>
#include <limits.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS = 8 };

struct slot {
	unsigned domain, bus, device;
	int function; /* -1: all */
};

/* libpci's hook for errors has no argument of the caller's, and must not return. */
struct escape {
	jmp_buf jump;
	char words[256];
};
static _Thread_local struct escape *escape;

static _Noreturn __attribute__((format(printf, 1, 2))) void on_error(char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(escape->words, sizeof(escape->words), format, args);
	va_end(args);
	longjmp(escape->jump, 1);
}

static __attribute__((format(printf, 1, 2))) void be_silent(char *format, ...)
{
	(void)format;
}

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
static int parse_address(const char *text, struct slot *ret)
{
	const char *first = strchr(text, ':');
	struct slot slot = { .function = -1 };
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

static bool is_there(const struct root *root, const struct slot *slot, int function)
{
	char path[96];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%04x:%02x:%02x.%d", slot->domain,
		slot->bus, slot->device, function);
	return root_exists(root, path);
}

/* Asks libpci for one function that is there. Everything that must outlive the jump is the caller's. */
static int ask_libpci(struct pci_access *access, const struct slot *slot, int function,
	struct escape *jump, struct pci_function *ret)
{
	struct pci_dev *volatile device = NULL;

	escape = jump;
	if (setjmp(jump->jump) != 0) {
		escape = NULL;
		if (device)
			pci_free_dev(device);
		return -EIO;
	}
	device =
		pci_get_dev(access, (int)slot->domain, (int)slot->bus, (int)slot->device, function);
	pci_fill_info(device, PCI_FILL_IDENT);
	*ret = (struct pci_function){ .domain = slot->domain,
		.bus = slot->bus,
		.device = slot->device,
		.function = (unsigned)function,
		.vendor_id = device->vendor_id,
		.device_id = device->device_id };
	pci_free_dev(device);
	escape = NULL;
	return 0;
}

/* `path`: of sys/bus/pci, lives as long as the access. NULL: out of memory, or jump->words say it. */
static struct pci_access *open_libpci(char *path, struct escape *jump)
{
	struct pci_access *volatile access = NULL;

	escape = jump;
	if (setjmp(jump->jump) == 0) {
		access = pci_alloc();
		access->error = on_error;
		access->warning = be_silent;
		access->debug = be_silent;
		/* Named, or it looks for other ways and finds another machine's devices. */
		access->method = PCI_ACCESS_SYS_BUS_PCI;
		pci_set_param(access, "sysfs.path", path);
		pci_init(access);
		escape = NULL;
		return access;
	}
	escape = NULL;
	if (access)
		pci_cleanup(access);
	return NULL;
}

static int collect(const struct root *root, struct pci_access *access, const struct slot *slot,
	struct escape *jump, struct pci_functions *ret)
{
	for (int f = 0; f < FUNCTIONS; f++) {
		if ((slot->function >= 0 && f != slot->function) || !is_there(root, slot, f))
			continue;
		int r = ask_libpci(access, slot, f, jump, &ret->items[ret->count]);
		if (r < 0)
			return r;
		ret->count++;
	}
	return ret->count > 0 ? 0 : -ENODEV;
}

static int failed(const struct root *root, const char *address, int r, const struct escape *jump,
	struct err *err)
{
	if (r != -ENODEV)
		return err_set(err, -r, "cannot read PCI device %s: %s", address,
			jump->words[0] ? jump->words : strerror(-r));
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
	struct escape jump = { .words = "" };
	struct slot slot;
	char path[64];

	if (parse_address(address, &slot) < 0) {
		err_set(err, EINVAL, "\"%.64s\" is no PCI address", address);
		err_fix(err,
			"write BUS:DEVICE or BUS:DEVICE.FUNCTION as lspci shows it, \"01:00\"");
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d/sys/bus/pci", root->fd);
	struct pci_access *access = open_libpci(path, &jump);
	found.items = access ? calloc(FUNCTIONS, sizeof(*found.items)) : NULL;
	int r = found.items ? collect(root, access, &slot, &jump, &found) : -ENOMEM;
	if (access)
		pci_cleanup(access);
	if (r < 0) {
		free(found.items);
		return failed(root, address, r, &jump, err);
	}
	*ret = found;
	return 0;
}
