/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_QMP_H
#define QMP_QMP_H

#include "base/err.h"
#include "base/source.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * One QMP connection to one QEMU over a Unix socket: never blocks, is driven as a source (fd,
 * events, deadline, process). It connects, waits for the greeting (10 s), negotiates capabilities,
 * and is then RUNNING.
 */
enum qmp_state { QMP_DISCONNECTED, QMP_CONNECTING, QMP_GREETING, QMP_CAPABILITIES, QMP_RUNNING };

struct qmp;

/* How a request ended; each ends exactly once, also when the connection or the client goes. */
enum qmp_outcome { QMP_OK, QMP_ERROR, QMP_TIMEOUT, QMP_LOST };

/*
 * `result`: the "return" value with QMP_OK, borrowed, else NULL. `words`: QEMU's "desc" with
 * QMP_ERROR, a reason with the others; "" with QMP_OK. The callback may send further commands and may
 * call qmp_disconnect, but not qmp_free.
 */
typedef void qmp_reply_fn(void *arg, enum qmp_outcome outcome, json_t *result, const char *words);

struct qmp_handlers {
	void (*running)(void *arg); /* capabilities are negotiated, commands may be sent */
	/* `data` borrowed, may be NULL. Unknown events come too; they are the receiver's to ignore. */
	void (*event)(void *arg, const char *name, json_t *data);
	/* After every request has ended with QMP_LOST. `words`: why, for the log. */
	void (*disconnected)(void *arg, const char *words);
};

struct qmp_stats {
	uint64_t commands, failures, events;
	uint64_t unknown_ids, bad_messages; /* counted and ignored, counted and disconnected */
	uint64_t overdue;                   /* answers that came after their deadline */
};

struct qmp *qmp_new(const struct qmp_handlers *handlers, void *arg); /* NULL: no memory */
void qmp_free(struct qmp *qmp);

/*
 * Connects to the socket called `name` in the directory `dirfd` (through /proc/self/fd, so that long
 * paths do not matter). `expect_pid` > 0: the peer's SO_PEERCRED pid must be this one, else -EPERM.
 * 0 or -errno with words; -EALREADY if not DISCONNECTED.
 */
int qmp_connect(struct qmp *qmp, int dirfd, const char *name, pid_t expect_pid, uint64_t now_ns,
	struct err *err);

/* Takes over a connected stream socket (tests). Owns fd also on failure. */
int qmp_attach(struct qmp *qmp, int fd, uint64_t now_ns);
void qmp_disconnect(struct qmp *qmp, const char *words);

enum qmp_state qmp_state(const struct qmp *qmp);
const struct qmp_stats *qmp_stats(const struct qmp *qmp);
/* "7.2.22" from the greeting; "" before it. */
const char *qmp_version(const struct qmp *qmp);

/*
 * Sends a command. `arguments` may be NULL; the reference is taken over, also on failure. At most 8
 * are in flight at QEMU, the rest waits its turn here. `timeout_ns` runs from now. 0 or -errno
 * (-ENOTCONN, -ENOMEM, -ENOBUFS over 256 waiting): then `reply` is not called. Answers are matched by
 * id; one that comes after its deadline is counted and dropped.
 */
int qmp_send(struct qmp *qmp, const char *command, json_t *arguments, uint64_t timeout_ns,
	uint64_t now_ns, qmp_reply_fn *reply, void *arg);

/* Answer times of commands, for the histogram: called for each answered command if set. */
void qmp_on_answer(struct qmp *qmp, void (*answered)(void *arg, uint64_t took_ns), void *arg);

/* For the loop; `source` is the struct qmp. process does bounded work: at most 64 messages a call. */
extern const struct source_ops qmp_source;

#endif
