/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_PROBE_H
#define QMP_PROBE_H

#include "base/err.h"
#include "model/props.h"
#include "model/spec.h"

/*
 * Asks spec's binary (a short-lived "-machine none" process of its own with QMP on a socketpair, run
 * with an empty environment, ended and reaped here) for its version and for the properties of every
 * driver, object type, block driver and netdev type that the spec's lists name. At most 10 s.
 *
 * Answers are kept in `cache_dir` (a directory's descriptor, -1: no cache) in a file named after the
 * binary's device, inode, size and mtime and are reused while it names the same owners; a cache that
 * cannot be read, parsed or written is no error.
 *
 * -ENOENT no binary, -EACCES not executable, -ENOEXEC not a QEMU, -EOPNOTSUPP older than 7.2,
 * -ETIMEDOUT; all with words. *ret_props is the caller's (props_free).
 */
int qmp_probe(const struct spec *spec, int cache_dir, struct props *ret_props, struct err *err);

#endif
