/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_ANSWERS_H
#define QMP_ANSWERS_H

#include "model/state.h"

#include <jansson.h>

/* QMP's answers and events as plain values. Nothing from QEMU is trusted: wrong types are -EPROTO,
 * unknown words become the UNKNOWN member. */

struct qmp_thread {
	int index;   /* cpu-index; order of the answer for iothreads */
	pid_t tid;   /* the outer thread-id, never props.thread-id */
	char id[64]; /* iothread's id; empty for vCPUs */
};

/* query-cpus-fast. At most `max` entries, the rest is -E2BIG. Returns their number. */
int qmp_parse_cpus(json_t *result, struct qmp_thread *threads, size_t max);
/* query-iothreads. */
int qmp_parse_iothreads(json_t *result, struct qmp_thread *threads, size_t max);

enum qmp_run_state {
	QMP_RUN_UNKNOWN,
	QMP_RUN_RUNNING,
	QMP_RUN_PRELAUNCH,
	QMP_RUN_PAUSED,
	QMP_RUN_SHUTDOWN,
	QMP_RUN_SUSPENDED,
	QMP_RUN_IO_ERROR,
	QMP_RUN_INTERNAL_ERROR,
	QMP_RUN_GUEST_PANICKED,
	QMP_RUN_WATCHDOG,
	QMP_RUN_OTHER_STOPPED, /* debug, save-vm, inmigrate, ... */
};

/* query-status. 0 or -EPROTO. */
int qmp_parse_status(json_t *result, enum qmp_run_state *ret_state);

enum qmp_event {
	QMP_EVENT_OTHER, /* known to QEMU, of no meaning to us, or unknown */
	QMP_EVENT_SHUTDOWN,
	QMP_EVENT_RESET,
	QMP_EVENT_POWERDOWN,
	QMP_EVENT_STOP,
	QMP_EVENT_RESUME,
	QMP_EVENT_SUSPEND,
	QMP_EVENT_SUSPEND_DISK,
	QMP_EVENT_WAKEUP,
	QMP_EVENT_GUEST_PANICKED,
	QMP_EVENT_BLOCK_IO_ERROR,
	QMP_EVENT_DEVICE_DELETED,
	QMP_EVENT_MEMORY_FAILURE,
};

enum qmp_event qmp_event_parse(const char *name);
const char *qmp_event_name(enum qmp_event event); /* "RESET"; "other" */

enum qmp_shutdown {
	QMP_SHUTDOWN_UNKNOWN, /* a reason that we do not know: never a cause for a restart */
	QMP_SHUTDOWN_GUEST_SHUTDOWN,
	QMP_SHUTDOWN_GUEST_RESET,
	QMP_SHUTDOWN_GUEST_PANIC,
	QMP_SHUTDOWN_HOST_QMP_QUIT,
	QMP_SHUTDOWN_HOST_SIGNAL,
	QMP_SHUTDOWN_HOST_OTHER, /* host-error, host-ui, host-qmp-system-reset */
	QMP_SHUTDOWN_SUBSYSTEM_RESET,
};

/* The reason in a SHUTDOWN or RESET event's data. */
enum qmp_shutdown qmp_shutdown_parse(json_t *data);

/* GUEST_PANICKED: "action" ("pause", "poweroff", "run") into words with what `info` holds (the STOP
 * code of a Hyper-V enlightened Windows as such), sanitised to printable ASCII. */
void qmp_panic_words(json_t *data, char *words, size_t size);

/* BLOCK_IO_ERROR: "device system: No space left on device" likewise. */
void qmp_io_error_words(json_t *data, char *words, size_t size);

#endif
