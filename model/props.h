/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_PROPS_H
#define MODEL_PROPS_H

#include <stdbool.h>
#include <stddef.h>

/* How QEMU's JSON forms want a value written. */
enum prop_kind { PROP_BOOL, PROP_NUMBER, PROP_SIZE, PROP_STRING, PROP_OTHER };

/* One property of a device driver, an object type, a block driver or a netdev type. */
struct prop {
	char *owner; /* "virtio-blk-pci", "iothread", "raw", "tap" */
	char *name; /* dotted for nested structs: "file.filename" is "filename" of owner "host_device" */
	enum prop_kind kind;
};

/* What one QEMU binary says of itself. Owns all it points to: props_free. */
struct props {
	struct prop *items; /* sorted by owner, then name */
	size_t count;
	char **owners; /* every owner that was asked for and exists, sorted */
	size_t owner_count;
	int version_major, version_minor, version_micro;
	char *default_machine_note; /* NULL, or a word on the machine ("q35 is an alias of pc-q35-7.2") */
};

void props_free(struct props *props);

/* For building the table: copies, 0 or -1 without memory. Sort once at the end. */
int props_add_owner(struct props *props, const char *owner);
int props_add(struct props *props, const char *owner, const char *name, enum prop_kind kind);
void props_sort(struct props *props);

/* NULL if this binary has no such property there. */
const struct prop *props_find(const struct props *props, const char *owner, const char *name);
bool props_has_owner(const struct props *props, const char *owner);

/* The known property of `owner` nearest to `name` in spelling, or NULL if none is near. */
const char *props_nearest(const struct props *props, const char *owner, const char *name);

#endif
