/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metrics/http.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#if MHD_VERSION < 0x00097002
#define MHD_Result int
typedef int http_result;
#else
typedef enum MHD_Result http_result;
#endif

enum { CONNECTIONS = 64, CONNECTION_BYTES = 8 << 10, IDLE_SECONDS = 10, BACKLOG = 64 };

struct http {
	struct MHD_Daemon *daemon;
	http_page_fn *metrics;
	void *arg;
	int epoll_fd;
	char address[INET6_ADDRSTRLEN + 16];
};

static const char index_page[] =
	"<!doctype html>\n<html><head><title>vfio-sup</title></head><body>\n"
	"<h1>vfio-sup</h1>\n<p><a href=\"/metrics\">Metrics</a></p>\n</body></html>\n";

static http_result answer(struct MHD_Connection *connection, unsigned status, const char *type,
	struct MHD_Response *response)
{
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	http_result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static http_result answer_text(
	struct MHD_Connection *connection, unsigned status, const char *type, const char *text)
{
	return answer(connection, status, type,
		MHD_create_response_from_buffer(
			strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT));
}

static http_result answer_metrics(struct http *http, struct MHD_Connection *connection)
{
	struct strbuf text = { 0 };

	http->metrics(http->arg, &text);
	size_t length = text.length;
	char *page = strbuf_take(&text);
	if (!page)
		return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "text/plain",
			"out of memory\n");
	return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
		MHD_create_response_from_buffer(length, page, MHD_RESPMEM_MUST_FREE));
}

static http_result handle(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *data_size, void **state)
{
	static int seen_headers;

	(void)version;
	(void)data;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		*data_size = 0;
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
			"only GET and HEAD\n");
	}
	if (!*state) {
		*state = &seen_headers; /* MHD calls again when the request is whole */
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(arg, connection);
	if (strcmp(url, "/") == 0)
		return answer_text(connection, MHD_HTTP_OK, "text/html; charset=utf-8", index_page);
	return answer_text(
		connection, MHD_HTTP_NOT_FOUND, "text/plain", "not here; try /metrics\n");
}

/* "127.0.0.1:9848" and "[::1]:9848" into host and port. */
static int split(const char *text, char *host, size_t size, char *port, size_t port_size)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	if (!colon || !colon[1] || length == 0 || length >= size)
		return -EINVAL;
	if (text[0] == '[') {
		if (length < 3 || text[length - 1] != ']')
			return -EINVAL;
		text++;
		length -= 2;
	}
	snprintf(host, size, "%.*s", (int)length, text);
	snprintf(port, port_size, "%s", colon + 1);
	return 0;
}

static int resolve(const char *text, struct sockaddr_storage *address, socklen_t *length)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char host[INET6_ADDRSTRLEN + 8], port[8];

	if (split(text, host, sizeof(host), port, sizeof(port)) < 0 ||
		getaddrinfo(host, port, &hints, &found) != 0)
		return -EINVAL;
	memcpy(address, found->ai_addr, found->ai_addrlen);
	*length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int open_socket(const char *text, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t length;
	int yes = 1;

	if (resolve(text, &address, &length) < 0) {
		err_set(err, EINVAL, "cannot listen on \"%s\": not ADDRESS:PORT", text);
		err_fix(err, "\"127.0.0.1:9848\", or \"[::1]:9848\"");
		return -EINVAL;
	}
	AUTO_CLOSE int fd =
		socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
		listen(fd, BACKLOG) < 0) {
		int code = errno;

		err_set(err, code, "cannot listen on %s: %s", text, strerror(code));
		err_fix(err, code == EADDRINUSE
				     ? "another program has this port (ss -ltnp); take another, 0 "
				       "for any"
				     : "take an address of this host and a port above 1023");
		return -code;
	}
	return take_fd(&fd);
}

static void remember_address(struct http *http, int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";

	if (getsockname(fd, (struct sockaddr *)&address, &length) == 0)
		getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(http->address, sizeof(http->address),
		address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

int http_open(const char *listen_on, http_page_fn *metrics, void *arg, struct http **ret_http,
	struct err *err)
{
	AUTO_CLOSE int fd = open_socket(listen_on, err);

	if (fd < 0)
		return fd;
	struct http *http = calloc(1, sizeof(*http));
	if (!http)
		return err_set(err, ENOMEM, "metrics: out of memory");
	http->metrics = metrics;
	http->arg = arg;
	remember_address(http, fd);
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		http->daemon ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		http_close(http);
		return err_set(err, EIO, "metrics: the HTTP server did not start");
	}
	take_fd(&fd); /* MHD's now */
	http->epoll_fd = info->epoll_fd;
	*ret_http = http;
	return 0;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	free(http);
}

const char *http_address(const struct http *http)
{
	return http->address;
}

static int http_fd(void *source)
{
	return ((struct http *)source)->epoll_fd;
}

static short http_events(void *source)
{
	(void)source;
	return POLLIN;
}

/* Without it idle clients would never expire (facts.md). */
static uint64_t http_deadline(void *source)
{
	struct http *http = source;
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
		return CLOCK_NEVER;
	return clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
}

static void http_process(void *source, short revents, uint64_t now_ns)
{
	struct http *http = source;

	(void)revents;
	(void)now_ns;
	MHD_run(http->daemon);
}

const struct source_ops http_source = {
	.fd = http_fd,
	.events = http_events,
	.deadline_ns = http_deadline,
	.process = http_process,
};
