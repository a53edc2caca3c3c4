/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp/qmp.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sock.h"
#include "qmp/frame.h"
#include "qmp/request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { TURN_MESSAGES = 64, READ_BYTES = 2 << 10, GREETING_S = 10 };

/* The greeting comes at once, but the answer to this only when QEMU has set up all of the guest's memory. */
enum { CAPABILITIES_S = 600 };

struct qmp {
	const struct qmp_handlers *handlers;
	void *arg;
	int fd;
	enum qmp_state state;
	uint64_t state_deadline_ns; /* of the greeting and of the capabilities */
	struct requests requests;
	struct frame frame;
	struct strbuf out;
	size_t out_sent;
	bool more; /* unread messages are buffered: come again at once */
	char version[32];
	struct qmp_stats stats;
	void (*answered)(void *arg, uint64_t took_ns);
	void *answered_arg;
};

struct qmp *qmp_new(const struct qmp_handlers *handlers, void *arg)
{
	struct qmp *qmp = calloc(1, sizeof(*qmp));

	if (!qmp)
		return NULL;
	qmp->handlers = handlers;
	qmp->arg = arg;
	qmp->fd = -1;
	requests_init(&qmp->requests, &qmp->stats);
	return qmp;
}

static void close_connection(struct qmp *qmp)
{
	if (qmp->fd >= 0)
		close(qmp->fd);
	qmp->fd = -1;
	qmp->state = QMP_DISCONNECTED;
	qmp->more = false;
	frame_free(&qmp->frame);
	strbuf_free(&qmp->out);
	qmp->out_sent = 0;
}

void qmp_disconnect(struct qmp *qmp, const char *words)
{
	if (qmp->state == QMP_DISCONNECTED)
		return;
	close_connection(qmp);
	requests_end_all(&qmp->requests, words);
	if (qmp->handlers->disconnected)
		qmp->handlers->disconnected(qmp->arg, words);
}

void qmp_free(struct qmp *qmp)
{
	if (!qmp)
		return;
	close_connection(qmp);
	requests_end_all(&qmp->requests, "the client ends");
	free(qmp);
}

static void begin(struct qmp *qmp, int fd, uint64_t now_ns)
{
	qmp->fd = fd;
	qmp->state = QMP_GREETING;
	qmp->state_deadline_ns = now_ns + GREETING_S * NS_PER_SEC;
}

int qmp_attach(struct qmp *qmp, int fd, uint64_t now_ns)
{
	int flags = fcntl(fd, F_GETFL);

	if (qmp->state != QMP_DISCONNECTED || flags < 0 ||
		fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		close(fd);
		return qmp->state != QMP_DISCONNECTED ? -EALREADY : -EBADF;
	}
	begin(qmp, fd, now_ns);
	return 0;
}

int qmp_connect(struct qmp *qmp, int dirfd, const char *name, pid_t expect_pid, uint64_t now_ns,
	struct err *err)
{
	struct sock_peer peer;

	if (qmp->state != QMP_DISCONNECTED)
		return err_set(err, EALREADY, "QMP is connected already");
	AUTO_CLOSE int fd = sock_connect_at(dirfd, name);
	if (fd < 0) {
		err_set(err, -fd, "QMP socket %s: %s", name, strerror(-fd));
		if (fd == -EAGAIN)
			err_why(err, "another client holds QEMU's monitor, and one more waits");
		return fd;
	}
	int r = sock_peer(fd, &peer);
	if (r < 0)
		return err_set(err, -r, "QMP socket %s: who is there? %s", name, strerror(-r));
	if (expect_pid > 0 && peer.pid != expect_pid)
		return err_set(err, EPERM, "QMP socket %s: pid %d answers, and QEMU is pid %d",
			name, peer.pid, expect_pid);
	begin(qmp, take_fd(&fd), now_ns);
	return 0;
}

enum qmp_state qmp_state(const struct qmp *qmp)
{
	return qmp->state;
}

const struct qmp_stats *qmp_stats(const struct qmp *qmp)
{
	return &qmp->stats;
}

const char *qmp_version(const struct qmp *qmp)
{
	return qmp->version;
}

void qmp_on_answer(struct qmp *qmp, void (*answered)(void *arg, uint64_t took_ns), void *arg)
{
	qmp->answered = answered;
	qmp->answered_arg = arg;
}

static void flush(struct qmp *qmp)
{
	while (qmp->fd >= 0 && qmp->out_sent < qmp->out.length) {
		ssize_t n = send(qmp->fd, qmp->out.text + qmp->out_sent,
			qmp->out.length - qmp->out_sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			/* A closed socket shows at the next read, with what was still in it. */
			if (errno != EAGAIN)
				qmp->out_sent = qmp->out.length;
			break;
		}
		qmp->out_sent += (size_t)n;
	}
	if (qmp->out_sent >= qmp->out.length) {
		strbuf_free(&qmp->out);
		qmp->out_sent = 0;
	}
}

static void launch_waiting(struct qmp *qmp)
{
	requests_launch(&qmp->requests, &qmp->out);
	flush(qmp);
}

static int queue(struct qmp *qmp, const char *command, json_t *arguments, uint64_t timeout_ns,
	uint64_t now_ns, qmp_reply_fn *reply, void *arg)
{
	int r = requests_add(&qmp->requests, command, arguments, timeout_ns, now_ns, reply, arg);

	if (r == 0)
		launch_waiting(qmp);
	return r;
}

int qmp_send(struct qmp *qmp, const char *command, json_t *arguments, uint64_t timeout_ns,
	uint64_t now_ns, qmp_reply_fn *reply, void *arg)
{
	int r = -ENOTCONN;

	if (qmp->state == QMP_RUNNING)
		r = queue(qmp, command, arguments, timeout_ns, now_ns, reply, arg);
	json_decref(arguments);
	return r;
}

static void capabilities_came(
	void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct qmp *qmp = arg;

	(void)result;
	if (outcome == QMP_LOST)
		return;
	if (outcome != QMP_OK) {
		qmp_disconnect(qmp, words[0] ? words : "QEMU refused the capabilities");
		return;
	}
	qmp->state = QMP_RUNNING;
	if (qmp->handlers->running)
		qmp->handlers->running(qmp->arg);
}

static void take_greeting(struct qmp *qmp, json_t *greeting, uint64_t now_ns)
{
	json_t *version = json_object_get(json_object_get(greeting, "version"), "qemu");

	snprintf(qmp->version, sizeof(qmp->version), "%d.%d.%d",
		(int)json_integer_value(json_object_get(version, "major")),
		(int)json_integer_value(json_object_get(version, "minor")),
		(int)json_integer_value(json_object_get(version, "micro")));
	qmp->state = QMP_CAPABILITIES;
	if (queue(qmp, "qmp_capabilities", NULL, CAPABILITIES_S * NS_PER_SEC, now_ns,
		    capabilities_came, qmp) < 0)
		qmp_disconnect(qmp, "out of memory");
}

static void take_answer(struct qmp *qmp, json_t *message, uint64_t now_ns)
{
	json_t *error = json_object_get(message, "error");
	struct request *request = requests_find(&qmp->requests, json_object_get(message, "id"));

	if (!request)
		return;
	if (qmp->answered)
		qmp->answered(qmp->answered_arg, now_ns - request->sent_ns);
	const char *words = json_string_value(json_object_get(error, "desc"));
	requests_end(&qmp->requests, request, error ? QMP_ERROR : QMP_OK,
		error ? NULL : json_object_get(message, "return"),
		error ? (words ? words : "QEMU gave no reason") : "");
	if (qmp->state != QMP_DISCONNECTED)
		launch_waiting(qmp);
}

static void take_message(struct qmp *qmp, json_t *message, uint64_t now_ns)
{
	const char *event = json_string_value(json_object_get(message, "event"));
	json_t *greeting = json_object_get(message, "QMP");

	if (qmp->state == QMP_GREETING) {
		if (json_is_object(greeting))
			take_greeting(qmp, greeting, now_ns);
		else
			qmp_disconnect(qmp, "what answers is not QMP: no greeting");
	} else if (event) {
		qmp->stats.events++;
		if (qmp->handlers->event)
			qmp->handlers->event(qmp->arg, event, json_object_get(message, "data"));
	} else if (json_object_get(message, "return") || json_object_get(message, "error")) {
		take_answer(qmp, message, now_ns);
	} else {
		qmp->stats.bad_messages++;
	}
}

static void take_text(struct qmp *qmp, const char *text, size_t length, uint64_t now_ns)
{
	json_t *message = json_loadb(text, length, 0, NULL);

	if (json_is_object(message)) {
		take_message(qmp, message, now_ns);
	} else {
		qmp->stats.bad_messages++;
		qmp_disconnect(qmp, "what came is not QMP: no JSON object");
	}
	json_decref(message);
}

/* True while there may be more to read in this turn. */
static bool take_buffered(struct qmp *qmp, unsigned *budget, uint64_t now_ns)
{
	const char *text;
	size_t length;

	while (*budget > 0 && qmp->state != QMP_DISCONNECTED) {
		int r = frame_next(&qmp->frame, &text, &length);

		if (r == 0)
			return true;
		if (r < 0) {
			qmp->stats.bad_messages++;
			qmp_disconnect(qmp, r == -EMSGSIZE ? "a message longer than 1 MiB"
							   : "a message nested deeper than 64");
			return false;
		}
		(*budget)--;
		take_text(qmp, text, length, now_ns);
	}
	qmp->more = qmp->state != QMP_DISCONNECTED;
	return false;
}

static void receive(struct qmp *qmp, uint64_t now_ns)
{
	unsigned budget = TURN_MESSAGES;

	qmp->more = false;
	while (take_buffered(qmp, &budget, now_ns)) {
		size_t size;
		char *room = frame_room(&qmp->frame, READ_BYTES, &size);
		ssize_t n = room ? recv(qmp->fd, room, size, MSG_DONTWAIT) : -1;

		if (!room) {
			qmp_disconnect(qmp, "out of memory");
		} else if (n > 0) {
			frame_added(&qmp->frame, (size_t)n);
			continue;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			qmp_disconnect(
				qmp, n == 0 ? "QEMU closed the connection" : strerror(errno));
		}
		return;
	}
}

static void expire(struct qmp *qmp, uint64_t now_ns)
{
	requests_expire(&qmp->requests, now_ns);
	if (qmp->state == QMP_GREETING && now_ns >= qmp->state_deadline_ns)
		qmp_disconnect(qmp, "no greeting within 10 s: another client holds the monitor, or "
				    "QEMU hangs");
	else if (qmp->state == QMP_RUNNING)
		launch_waiting(qmp);
}

static int qmp_fd(void *source)
{
	return ((struct qmp *)source)->fd;
}

static short qmp_events(void *source)
{
	struct qmp *qmp = source;

	return (short)(POLLIN | (qmp->out_sent < qmp->out.length ? POLLOUT : 0));
}

static uint64_t qmp_deadline(void *source)
{
	struct qmp *qmp = source;

	if (qmp->more)
		return 0;
	return qmp->state == QMP_GREETING ? qmp->state_deadline_ns
					  : requests_deadline(&qmp->requests);
}

static void qmp_process(void *source, short revents, uint64_t now_ns)
{
	struct qmp *qmp = source;

	if (qmp->fd >= 0 && (revents & POLLOUT))
		flush(qmp);
	/* Also when only time has passed: what is there already is not late. */
	if (qmp->fd >= 0)
		receive(qmp, now_ns);
	if (qmp->state != QMP_DISCONNECTED)
		expire(qmp, now_ns);
}

const struct source_ops qmp_source = {
	.fd = qmp_fd,
	.events = qmp_events,
	.deadline_ns = qmp_deadline,
	.process = qmp_process,
};
