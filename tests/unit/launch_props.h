/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_LAUNCH_PROPS_H
#define TESTS_UNIT_LAUNCH_PROPS_H

#include "plan/launch.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

/* What a QEMU 7.2 says of the few drivers that the tests use: sorted by owner, then name. */
static struct prop fixture_items[] = {
	{ (char *)"copy-on-read", (char *)"file", PROP_OTHER },
	{ (char *)"file", (char *)"filename", PROP_STRING },
	{ (char *)"file", (char *)"read-only", PROP_BOOL },
	{ (char *)"host_device", (char *)"filename", PROP_STRING },
	{ (char *)"iothread", (char *)"poll-max-ns", PROP_NUMBER },
	{ (char *)"memory-backend-ram", (char *)"share", PROP_BOOL },
	{ (char *)"memory-backend-ram", (char *)"size", PROP_SIZE },
	{ (char *)"null-co", (char *)"size", PROP_SIZE },
	{ (char *)"pc-dimm", (char *)"addr", PROP_STRING },
	{ (char *)"pc-dimm", (char *)"memdev", PROP_OTHER },
	{ (char *)"quorum", (char *)"children", PROP_OTHER },
	{ (char *)"quorum", (char *)"vote-threshold", PROP_NUMBER },
	{ (char *)"raw", (char *)"cache.direct", PROP_BOOL },
	{ (char *)"raw", (char *)"discard", PROP_OTHER },
	{ (char *)"raw", (char *)"file", PROP_OTHER },
	{ (char *)"raw", (char *)"offset", PROP_SIZE },
	{ (char *)"raw", (char *)"read-only", PROP_BOOL },
	{ (char *)"tap", (char *)"ifname", PROP_STRING },
	{ (char *)"tap", (char *)"script", PROP_STRING },
	{ (char *)"tap", (char *)"vhost", PROP_BOOL },
	{ (char *)"user", (char *)"hostfwd", PROP_OTHER },
	{ (char *)"user", (char *)"restrict", PROP_BOOL },
	{ (char *)"vfio-pci", (char *)"addr", PROP_NUMBER },
	{ (char *)"vfio-pci", (char *)"host", PROP_STRING },
	{ (char *)"vfio-pci", (char *)"multifunction", PROP_BOOL },
	{ (char *)"vfio-pci", (char *)"romfile", PROP_STRING },
	{ (char *)"vfio-pci", (char *)"x-pci-vendor-id", PROP_NUMBER },
	{ (char *)"vfio-pci", (char *)"x-vga", PROP_BOOL },
	{ (char *)"virtio-blk-pci", (char *)"addr", PROP_NUMBER },
	{ (char *)"virtio-blk-pci", (char *)"bootindex", PROP_NUMBER },
	{ (char *)"virtio-blk-pci", (char *)"discard", PROP_BOOL },
	{ (char *)"virtio-blk-pci", (char *)"drive", PROP_STRING },
	{ (char *)"virtio-blk-pci", (char *)"iothread", PROP_OTHER },
	{ (char *)"virtio-blk-pci", (char *)"iothread-vq-mapping", PROP_OTHER },
	{ (char *)"virtio-blk-pci", (char *)"logical_block_size", PROP_SIZE },
	{ (char *)"virtio-blk-pci", (char *)"serial", PROP_STRING },
	{ (char *)"virtio-blk-pci", (char *)"write-cache", PROP_OTHER },
	{ (char *)"virtio-blk-pci", (char *)"x-speed", PROP_OTHER },
	{ (char *)"virtio-net-pci", (char *)"mac", PROP_STRING },
	{ (char *)"virtio-net-pci", (char *)"netdev", PROP_STRING },
};
static char *fixture_owners[] = { (char *)"copy-on-read", (char *)"file", (char *)"host_device",
	(char *)"iothread", (char *)"memory-backend-ram", (char *)"null-co", (char *)"pc-dimm",
	(char *)"quorum", (char *)"raw", (char *)"tap", (char *)"user", (char *)"vfio-pci",
	(char *)"virtio-blk-pci", (char *)"virtio-net-pci" };
static const struct props fixture_props = {
	.items = fixture_items,
	.count = ARRAY_SIZE(fixture_items),
	.owners = fixture_owners,
	.owner_count = ARRAY_SIZE(fixture_owners),
	.version_major = 7,
	.version_minor = 2,
	.version_micro = 22,
};

#endif
