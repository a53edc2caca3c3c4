/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/libpci.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

/* libpci's hook for errors has no argument of the caller's, and must not return. */
struct escape {
	jmp_buf jump;
	struct libpci *lib;
};
static _Thread_local struct escape *escape;

static _Noreturn __attribute__((format(printf, 1, 2))) void on_error(char *format, ...)
{
	struct libpci *lib = escape->lib;
	va_list args;

	va_start(args, format);
	vsnprintf(lib->words, sizeof(lib->words), format, args);
	va_end(args);
	longjmp(escape->jump, 1);
}

static __attribute__((format(printf, 1, 2))) void be_silent(char *format, ...)
{
	(void)format;
}

/* A copied root may bring its own names; then this machine's are not asked. */
static void choose_names(struct libpci *lib, const struct root *root)
{
	static const char ids[] = "usr/share/misc/pci.ids";

	if (root->live || !root_exists(root, ids))
		return;
	snprintf(lib->ids, sizeof(lib->ids), "/proc/self/fd/%d/%s", root->fd, ids);
	pci_set_name_list_path(lib->access, lib->ids, 0);
	lib->lookup = PCI_LOOKUP_NO_HWDB;
}

static void set_up(struct libpci *lib, const struct root *root)
{
	lib->access = pci_alloc();
	lib->access->error = on_error;
	lib->access->warning = be_silent;
	lib->access->debug = be_silent;
	/* Named, or it looks for other ways and finds another machine's devices. */
	lib->access->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_set_param(lib->access, "sysfs.path", lib->path);
	choose_names(lib, root);
	pci_init(lib->access);
}

int libpci_open(struct libpci *lib, const struct root *root)
{
	struct escape jump = { .lib = lib };

	*lib = (struct libpci){ 0 };
	snprintf(lib->path, sizeof(lib->path), "/proc/self/fd/%d/sys/bus/pci", root->fd);
	escape = &jump;
	if (setjmp(jump.jump) == 0) {
		set_up(lib, root);
		escape = NULL;
		return 0;
	}
	escape = NULL;
	return -EIO;
}

void libpci_close(struct libpci *lib)
{
	if (lib->access)
		pci_cleanup(lib->access);
	lib->access = NULL;
}

int libpci_read(struct libpci *lib, const struct pci_function *where, int fields,
	void (*take)(const struct libpci *lib, struct pci_dev *device, void *data), void *data)
{
	struct pci_dev *volatile device = NULL;
	struct escape jump = { .lib = lib };

	escape = &jump;
	if (setjmp(jump.jump) != 0) {
		escape = NULL;
		if (device)
			pci_free_dev(device);
		return -EIO;
	}
	device = pci_get_dev(lib->access, (int)where->domain, (int)where->bus, (int)where->device,
		(int)where->function);
	pci_fill_info(device, fields);
	take(lib, device, data);
	pci_free_dev(device);
	escape = NULL;
	return 0;
}
