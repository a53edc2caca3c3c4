/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/err.h"
#include "model/host_conf.h"
#include "model/spec.h"

/*
 * Reads one VM file into *ret_spec (initialised here; the caller frees it with spec_free, also not
 * needed on failure). The VM's name is the file's name without ".conf". Every error names the file
 * and the line, the key, what is wrong and, in err.fix, what would work.
 *
 * Refused before parsing: a file (or a directory that holds it) that others may write, anything but
 * a regular file, more than 1 MiB. Host facts (which CPUs exist, what the binary knows) are not
 * looked at here: plan does that.
 */
int config_load_vm(const char *path, struct spec *ret_spec, struct err *err);

/* The same from text in memory; `path` is for messages and for the name. What the fuzzer and the
 * unit tests call. `length` bytes, which may hold NULs. */
int config_parse_vm(
	const char *path, const char *text, size_t length, struct spec *ret_spec, struct err *err);

/*
 * The same for vfio-sup.conf: run_dir, metrics, control. A file that is not there means the defaults.
 * *ret_conf is the caller's (host_conf_free).
 */
int config_load_host(const char *path, struct host_conf *ret_conf, struct err *err);
int config_parse_host(const char *path, const char *text, size_t length, struct host_conf *ret_conf,
	struct err *err);

/* Line of `key` inside the group that begins at `line` of the text (1-based), or `line` itself. */
int config_line_of(const char *text, int line, const char *key);

#endif
