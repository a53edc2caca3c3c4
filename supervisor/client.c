/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of the control socket. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sock.h"
#include "supervisor/api.h"
#include "supervisor/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

enum { REPLY_MAX = 16 << 20 };
#define REPLY_LIMIT_NS    (10 * NS_PER_SEC)
/* Between two replies of a host shutdown, which come every 10 s; and so much longer systemd waits from each. */
#define SHUTDOWN_LIMIT_NS (100 * NS_PER_SEC) /* the watchdog is quicker */

static int no_answer(const char *run_dir, int code, struct err *err)
{
	if (code == EACCES || code == EPERM) {
		err_set(err, EACCES, "the supervisor in %s may not be asked: %s", run_dir,
			strerror(code));
		err_fix(err, "run it as root");
		return -EACCES;
	}
	/* The socket is there: whoever made it was killed. */
	bool killed = code == ECONNREFUSED;
	err_set(err, killed ? ECONNREFUSED : ENOTCONN, "no supervisor answers in %s: %s", run_dir,
		strerror(code));
	if (killed)
		err_fix(err, "its supervisor is gone, and what ran runs on: vfio-sup run FILE (or "
			     "daemon) takes it over");
	else
		err_fix(err, "start one: vfio-sup run FILE; or name its directory with --run-dir");
	return -err->code;
}

static int connect_to(const char *run_dir, struct err *err)
{
	AUTO_CLOSE int dirfd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return no_answer(run_dir, errno, err);
	int fd = sock_connect_at(dirfd, "control.sock");
	return fd < 0 ? no_answer(run_dir, -fd, err) : fd;
}

static int wait_for(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd ready = { .fd = fd, .events = events };
	uint64_t now = clock_now_ns();
	int timeout = -1;

	if (deadline_ns != CLOCK_NEVER) {
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		timeout = (int)((deadline_ns - now) / NS_PER_MS) + 1;
	}
	int r = poll(&ready, 1, timeout);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

static int send_all(int fd, const char *text, size_t length, uint64_t deadline_ns)
{
	while (length > 0) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			int r = wait_for(fd, POLLOUT, deadline_ns);

			if (r < 0)
				return r;
			continue;
		}
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* The next message, up to its NUL; what came behind it stays in `in`. */
static int next_message(int fd, struct strbuf *in, uint64_t deadline_ns, json_t **ret_message)
{
	char bytes[16384];

	for (;;) {
		char *end = in->text ? memchr(in->text, '\0', in->length) : NULL;

		if (end) {
			size_t length = (size_t)(end - in->text);

			*ret_message = json_loadb(in->text, length, 0, NULL);
			memmove(in->text, end + 1, in->length - length - 1);
			in->length -= length + 1;
			return *ret_message ? 0 : -EPROTO;
		}
		if (in->length > REPLY_MAX || in->failed)
			return -EMSGSIZE;
		int r = wait_for(fd, POLLIN, deadline_ns);
		if (r < 0)
			return r;
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0)
			strbuf_add_bytes(in, bytes, (size_t)n);
	}
}

static int refusal(const char *error, json_t *parameters, struct err *err)
{
	const char *words = json_string_value(json_object_get(parameters, "words"));
	const char *vm = json_string_value(json_object_get(parameters, "vm"));

	if (strcmp(error, "io.vfiosup.NoSuchVm") == 0) {
		err_set(err, ENOENT, "there is no VM called %s here", vm ? vm : "that");
		err_fix(err, "`vfio-sup status` lists those that are");
		return -ENOENT;
	}
	if (strcmp(error, "org.varlink.service.PermissionDenied") == 0) {
		err_set(err, EACCES, "the supervisor does not let you do this");
		err_fix(err, "run it as root");
		return -EACCES;
	}
	return err_set(err, EREMOTEIO, "%s", words ? words : error);
}

/* `limit_ns` for each of them. */
static int take_replies(int fd, uint64_t limit_ns, api_reply_fn *reply, void *arg, struct err *err)
{
	AUTO_STRBUF struct strbuf in = { 0 };
	bool again = true;

	while (again) {
		uint64_t deadline =
			limit_ns == CLOCK_NEVER ? CLOCK_NEVER : clock_now_ns() + limit_ns;
		json_t *message = NULL;
		int r = next_message(fd, &in, deadline, &message);

		if (r < 0) {
			err_set(err, -r == ECONNRESET ? ECONNABORTED : -r,
				r == -ECONNRESET  ? "the supervisor closed the connection: it has "
						    "ended, or too many ask at once"
				: r == -ETIMEDOUT ? "the supervisor does not answer"
						  : "what the supervisor says makes no sense");
			return -err->code;
		}
		const char *error = json_string_value(json_object_get(message, "error"));
		json_t *parameters = json_object_get(message, "parameters");
		bool continues = json_is_true(json_object_get(message, "continues"));

		if (error)
			r = refusal(error, parameters, err);
		else
			again = reply(arg, parameters, continues) && continues;
		json_decref(message);
		if (r < 0)
			return r;
	}
	return 0;
}

static int call(const struct api_options *options, const char *method, json_t *parameters,
	bool more, uint64_t limit_ns, api_reply_fn *reply, void *arg, struct err *err)
{
	const char *run_dir = options->run_dir ? options->run_dir : API_RUN_DIR;
	char name[64];

	snprintf(name, sizeof(name), "io.vfiosup.%.40s", method);
	json_t *request = json_pack("{s:s, s:b, s:o}", "method", name, "more", more, "parameters",
		parameters ? parameters : json_object());
	AUTO_FREE char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	AUTO_CLOSE int fd = connect_to(run_dir, err);
	if (fd < 0)
		return fd;
	int r = send_all(fd, text, strlen(text) + 1, clock_now_ns() + REPLY_LIMIT_NS);
	if (r < 0)
		return err_set(err, -r, "cannot ask the supervisor: %s", strerror(-r));
	return take_replies(fd, limit_ns, reply, arg, err);
}

int api_call(const struct api_options *options, const char *method, json_t *parameters, bool more,
	api_reply_fn *reply, void *arg, struct err *err)
{
	return call(options, method, parameters, more, more ? CLOCK_NEVER : REPLY_LIMIT_NS, reply,
		arg, err);
}

/* Passes replies on, and tells systemd that it is worth waiting. */
struct shutdown_call {
	api_reply_fn *reply;
	void *arg;
};

static bool take_shutdown_reply(void *arg, json_t *parameters, bool continues)
{
	const struct shutdown_call *shutdown = arg;
	const char *waiting = json_string_value(json_object_get(parameters, "waiting"));
	json_int_t left = json_integer_value(json_object_get(parameters, "left"));

	if (waiting)
		sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu\nSTATUS=waiting for %s, at most %lld min",
			SHUTDOWN_LIMIT_NS / NS_PER_US, waiting, (long long)(left + 59) / 60);
	return shutdown->reply(shutdown->arg, parameters, continues);
}

/* At the host's end there is nobody who would start another supervisor: then it is done here. */
static int stop_without_supervisor(const struct api_options *options, const char *config_dir,
	api_reply_fn *reply, void *arg, struct err *err)
{
	json_t *words = json_pack(
		"{s:s}", "step", "no supervisor answers: taking the VMs over, to stop them");
	reply(arg, words, true);
	json_decref(words);
	int r = daemon_stop_all(config_dir, options, err);
	if (r < 0)
		return r;
	words = json_pack(
		"{s:b, s:b, s:s}", "done", true, "ok", true, "words", "no VM runs any more");
	reply(arg, words, false);
	json_decref(words);
	return 0;
}

int api_host_shutdown(const struct api_options *options, const char *config_dir,
	api_reply_fn *reply, void *arg, struct err *err)
{
	struct shutdown_call shutdown = { reply, arg };
	int r = call(options, "HostShutdown", NULL, true, SHUTDOWN_LIMIT_NS, take_shutdown_reply,
		&shutdown, err);

	if (r != -ECONNREFUSED && r != -ENOTCONN && r != -ECONNABORTED)
		return r;
	return stop_without_supervisor(options, config_dir, reply, arg, err);
}
