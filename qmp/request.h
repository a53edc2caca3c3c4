/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef QMP_REQUEST_H
#define QMP_REQUEST_H

#include "base/list.h"
#include "base/strbuf.h"
#include "qmp/qmp.h"

/* What a client asked of QEMU and what has not ended yet: for client.c only. */
struct request {
	struct list link; /* requests.waiting, then requests.flying */
	uint64_t id, sent_ns, deadline_ns;
	char *text; /* until it is sent */
	qmp_reply_fn *reply;
	void *arg;
};

struct requests {
	struct qmp_stats *stats; /* the client's */
	uint64_t next_id;
	struct list waiting, flying; /* request.link */
	unsigned waiting_count, flying_count;
};

void requests_init(struct requests *requests, struct qmp_stats *stats);

/* Puts a command at the end of those that wait; `arguments` is borrowed. 0, -ENOMEM, or -ENOBUFS when
 * too many wait: then `reply` is not called. */
int requests_add(struct requests *requests, const char *command, json_t *arguments,
	uint64_t timeout_ns, uint64_t now_ns, qmp_reply_fn *reply, void *arg);

/* Adds the texts of those whose turn it is to `out`, for QEMU; from then on they are in flight. */
void requests_launch(struct requests *requests, struct strbuf *out);

/* The one in flight that has this id. NULL: nobody's, or it came too late; both are counted. */
struct request *requests_find(struct requests *requests, json_t *id);

/* Takes the request out of its list and frees it before the reply is called, so that the reply may do
 * anything to the list. */
void requests_end(struct requests *requests, struct request *request, enum qmp_outcome outcome,
	json_t *result, const char *words);

/* Ends all with QMP_LOST; those in flight first. */
void requests_end_all(struct requests *requests, const char *words);

/* Ends those whose time is over with QMP_TIMEOUT. */
void requests_expire(struct requests *requests, uint64_t now_ns);

/* When the next one's time is over; CLOCK_NEVER if there is none. */
uint64_t requests_deadline(const struct requests *requests);

#endif
