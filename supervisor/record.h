/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPERVISOR_RECORD_H
#define SUPERVISOR_RECORD_H

#include "host/process.h"

/* RUN_DIR/NAME/vm.json: what a later supervisor must know to find this VM again. */
struct record {
	struct process_identity identity; /* of QEMU; pid 0: none was started yet */
	double since;                     /* Unix seconds of its start */
	bool running;                     /* `cont` was answered */
	bool kvm;
	bool unit;     /* a service of systemd's */
	bool starting; /* there was no QEMU yet, or none between two tries, and one was to come */
	unsigned restarts;
	bool stopping, force; /* somebody wants it to end, whatever it takes */
	int cause; /* enum exit_reason for which it is being ended to be started again; 0: none */
	const char *config_path, *config_text; /* as started */
};

/* 0 or -errno. */
int record_write(int dirfd, const struct record *record);

/* The texts are allocated: record_free. -ENOENT there is none; -EINVAL it is none of ours, whole or in
 * part: then it is set aside as vm.json.bad. */
int record_read(int dirfd, struct record *ret_record);
void record_free(struct record *record);

#endif
