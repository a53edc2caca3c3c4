/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/control.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum {
	CONNECTIONS = 64,
	FOREIGN_CONNECTIONS = 24,
	REQUEST_MAX = 64 << 10,
	REPLIES_MAX = 4 << 20,
	BACKLOG = 64
};
#define NO_GROUP ((gid_t)-1)
#define IDLE_NS  (60 * NS_PER_SEC)

struct control {
	struct supervisor *sup;
	int fd;
	struct loop_source *source;
	struct list connections; /* connection.link */
	unsigned count, foreign; /* foreign: of other users */
	uint64_t again_at;       /* no descriptor was left: when to look again */
	gid_t read_gid, operate_gid;
};

/* One client; varlink answers its requests one after the other. */
struct connection {
	struct list link; /* control.connections */
	struct control *control;
	int fd;
	struct loop_source *source;
	struct sock_peer peer;
	struct strbuf in, out;
	size_t sent;
	struct control_call *call; /* being answered; NULL: ready for the next request */
	bool closing;
	uint64_t idle_at; /* when one that asks nothing is closed */
};

struct control_call {
	struct connection *connection;
	bool more;
	void (*gone)(void *arg);
	void *arg;
};

static void end_call(struct connection *connection)
{
	struct control_call *call = TAKE(connection->call);

	if (call && call->gone)
		call->gone(call->arg);
	free(call);
}

static bool is_foreign(const struct connection *connection)
{
	return connection->peer.uid != 0 && connection->peer.uid != geteuid();
}

static void drop(struct connection *connection)
{
	struct control *control = connection->control;

	end_call(connection);
	loop_remove(control->sup->loop, connection->source);
	list_remove(&connection->link);
	control->count--;
	control->foreign -= is_foreign(connection);
	close(connection->fd);
	strbuf_free(&connection->in);
	strbuf_free(&connection->out);
	free(connection);
}

static void flush(struct connection *connection)
{
	struct strbuf *out = &connection->out;

	while (connection->sent < out->length) {
		ssize_t n = send(connection->fd, out->text + connection->sent,
			out->length - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				connection->closing = true;
			return;
		}
		connection->sent += (size_t)n;
	}
	strbuf_free(out);
	connection->sent = 0;
}

static void put(struct connection *connection, json_t *message)
{
	AUTO_FREE char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	json_decref(message);
	if (!text || connection->out.length - connection->sent > REPLIES_MAX) {
		connection->closing = true;
		return;
	}
	strbuf_add_bytes(&connection->out, text, strlen(text) + 1);
	flush(connection);
}

void control_reply(struct control_call *call, json_t *parameters, bool continues)
{
	struct connection *connection = call->connection;

	if (!continues || call->more) {
		json_t *message = json_pack("{s:o}", "parameters", parameters);

		if (message && continues)
			json_object_set_new(message, "continues", json_true());
		put(connection, message);
	} else {
		json_decref(parameters);
	}
	if (!continues)
		end_call(connection);
}

void control_error(struct control_call *call, const char *error, json_t *parameters)
{
	struct connection *connection = call->connection;

	put(connection, json_pack("{s:s, s:o}", "error", error, "parameters", parameters));
	end_call(connection);
}

void control_on_gone(struct control_call *call, void (*gone)(void *arg), void *arg)
{
	call->gone = gone;
	call->arg = arg;
}

void control_set_groups(struct control *control, const char *read, const char *operate)
{
	const struct group *group = getgrnam(read);

	control->read_gid = group ? group->gr_gid : NO_GROUP;
	group = getgrnam(operate);
	control->operate_gid = group ? group->gr_gid : NO_GROUP;
}

/* SO_PEERCRED has no supplementary groups. */
static bool is_member(const struct connection *connection, gid_t gid)
{
	gid_t groups[256];
	socklen_t size = sizeof(groups);

	if (gid == NO_GROUP)
		return false;
	if (connection->peer.gid == gid)
		return true;
	if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool is_one_of(const char *method, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(method, names[i]) == 0)
			return true;
	return false;
}

static bool may_call(const struct connection *connection, const char *method)
{
	static const char *const reading[] = { "io.vfiosup.Status" };
	static const char *const operating[] = { "io.vfiosup.Start", "io.vfiosup.Stop",
		"io.vfiosup.Pause", "io.vfiosup.Resume" };
	const struct control *control = connection->control;
	uid_t uid = connection->peer.uid;

	if (uid == 0 || uid == geteuid() || strncmp(method, "org.varlink.service.", 20) == 0)
		return true;
	if (is_one_of(method, operating, ARRAY_SIZE(operating)))
		return is_member(connection, control->operate_gid);
	return is_one_of(method, reading, ARRAY_SIZE(reading)) &&
	       (is_member(connection, control->read_gid) ||
		       is_member(connection, control->operate_gid));
}

static void answer(struct connection *connection, json_t *request)
{
	const char *method = json_string_value(json_object_get(request, "method"));
	json_t *parameters = json_object_get(request, "parameters");

	if (!method || (parameters && !json_is_object(parameters))) {
		connection->closing = true;
		return;
	}
	struct control_call *call = calloc(1, sizeof(*call));
	if (!call) {
		connection->closing = true;
		return;
	}
	call->connection = connection;
	call->more = json_is_true(json_object_get(request, "more"));
	connection->call = call;
	if (may_call(connection, method))
		method_call(connection->control->sup, call, method, parameters, call->more);
	else
		control_error(call, "org.varlink.service.PermissionDenied", json_object());
}

/* One request at a time, each ended by a NUL. */
static void take_requests(struct connection *connection)
{
	struct strbuf *in = &connection->in;

	while (!connection->call && !connection->closing && in->length > 0) {
		char *end = memchr(in->text, '\0', in->length);

		if (!end) {
			if (in->length > REQUEST_MAX)
				connection->closing = true;
			return;
		}
		size_t length = (size_t)(end - in->text);
		json_t *request = json_loadb(in->text, length, JSON_REJECT_DUPLICATES, NULL);

		memmove(in->text, end + 1, in->length - length - 1);
		in->length -= length + 1;
		if (json_is_object(request))
			answer(connection, request);
		else
			connection->closing = true;
		json_decref(request);
	}
}

static void receive(struct connection *connection)
{
	char bytes[8192];
	ssize_t n = recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		strbuf_add_bytes(&connection->in, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		connection->closing = true;
	if (connection->in.failed)
		connection->closing = true;
}

static int connection_fd(void *source)
{
	return ((struct connection *)source)->fd;
}

static short connection_events(void *source)
{
	const struct connection *connection = source;
	bool full = connection->in.length > REQUEST_MAX;

	return (short)((full ? 0 : POLLIN) | (connection->out.length > 0 ? POLLOUT : 0));
}

/* What is to be closed is closed at the next turn, whoever found out. */
static uint64_t connection_deadline(void *source)
{
	const struct connection *connection = source;
	bool waiting = !connection->call && connection->in.length > 0 &&
		       memchr(connection->in.text, '\0', connection->in.length);

	if (connection->closing || waiting)
		return 0;
	return connection->call ? CLOCK_NEVER : connection->idle_at;
}

static void connection_process(void *source, short revents, uint64_t now_ns)
{
	struct connection *connection = source;

	if (revents & POLLOUT)
		flush(connection);
	if (revents & POLLIN)
		connection->idle_at = now_ns + IDLE_NS;
	if (!connection->call && now_ns >= connection->idle_at)
		connection->closing = true;
	if (!connection->closing && (revents & POLLIN))
		receive(connection);
	take_requests(connection);
	if (connection->closing)
		drop(connection);
}

static const struct source_ops connection_source = { .fd = connection_fd,
	.events = connection_events,
	.deadline_ns = connection_deadline,
	.process = connection_process };

static void take_client(struct control *control, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	/* Other users never take all places: root can always ask. */
	if (!connection || control->count >= CONNECTIONS || sock_peer(fd, &connection->peer) < 0 ||
		(is_foreign(connection) && control->foreign >= FOREIGN_CONNECTIONS)) {
		free(connection);
		close(fd);
		return;
	}
	connection->control = control;
	connection->fd = fd;
	connection->idle_at = clock_now_ns() + IDLE_NS;
	connection->source = loop_add(control->sup->loop, &connection_source, connection);
	if (!connection->source) {
		free(connection);
		close(fd);
		return;
	}
	list_add(&control->connections, &connection->link);
	control->count++;
	control->foreign += is_foreign(connection);
}

static int control_fd(void *source)
{
	return ((struct control *)source)->fd;
}

static short control_events(void *source)
{
	return ((struct control *)source)->again_at ? 0 : POLLIN;
}

static uint64_t control_deadline(void *source)
{
	uint64_t again_at = ((struct control *)source)->again_at;

	return again_at ? again_at : CLOCK_NEVER;
}

static void control_process(void *source, short revents, uint64_t now_ns)
{
	struct control *control = source;

	(void)revents;
	control->again_at = 0;
	for (int i = 0; i < BACKLOG; i++) {
		int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
			control->again_at = now_ns + 100 * NS_PER_MS;
		if (fd < 0)
			return;
		take_client(control, fd);
	}
}

static const struct source_ops control_source = { .fd = control_fd,
	.events = control_events,
	.deadline_ns = control_deadline,
	.process = control_process };

static int open_socket(struct supervisor *sup, struct err *err)
{
	/* Who may do what is decided by SO_PEERCRED, in words. */
	AUTO_CLOSE int fd = sock_bind_at(sup->run_fd, "control.sock", 0666);

	if (fd < 0)
		return err_set(err, -fd, "cannot bind %s/control.sock: %s", sup->run_dir,
			fd == -EEXIST ? "something that is no socket is there" : strerror(-fd));
	if (listen(fd, BACKLOG) < 0)
		return err_set(err, errno, "control.sock: %s", strerror(errno));
	return take_fd(&fd);
}

int control_rebind(struct control *control, struct err *err)
{
	int fd = open_socket(control->sup, err);

	if (fd < 0)
		return fd;
	loop_remove(control->sup->loop, control->source);
	close(control->fd);
	control->fd = fd;
	control->source = loop_add(control->sup->loop, &control_source, control);
	return control->source ? 0 : err_set(err, ENOMEM, "out of memory");
}

int control_open(struct supervisor *sup, struct control **ret_control, struct err *err)
{
	AUTO_CLOSE int fd = open_socket(sup, err);

	if (fd < 0)
		return fd;
	struct control *control = calloc(1, sizeof(*control));
	if (!control)
		return err_set(err, ENOMEM, "out of memory");
	control->sup = sup;
	control->fd = take_fd(&fd);
	control->read_gid = control->operate_gid = NO_GROUP;
	list_init(&control->connections);
	control->source = loop_add(sup->loop, &control_source, control);
	*ret_control = control;
	return 0;
}

/* The last words still go out, as far as the sockets take them. */
void control_close(struct control *control)
{
	if (!control)
		return;
	list_for_each (link, &control->connections) {
		struct connection *connection = list_entry(link, struct connection, link);

		flush(connection);
		drop(connection);
	}
	loop_remove(control->sup->loop, control->source);
	close(control->fd);
	unlinkat(control->sup->run_fd, "control.sock", 0);
	free(control);
}
