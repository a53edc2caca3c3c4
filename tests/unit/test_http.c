/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP side on real sockets, driven as the loop drives it. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "metrics/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct http *http;
static int pages;

static void page(void *arg, struct strbuf *text)
{
	pages++;
	strbuf_add(text, arg);
}

static int open_http(void **state)
{
	struct err err = { 0 };

	(void)state;
	pages = 0;
	return http_open("127.0.0.1:0", page, "metric 1\n", &http, &err);
}

static int close_http(void **state)
{
	(void)state;
	http_close(http);
	return 0;
}

/* One turn of the loop, at most `ms`. */
static void turn(int ms)
{
	struct pollfd ready = { .fd = http_source.fd(http), .events = http_source.events(http) };
	uint64_t deadline = http_source.deadline_ns(http), now = clock_now_ns();

	if (deadline <= now)
		ms = 0;
	int n = poll(&ready, 1, ms);
	http_source.process(http, n > 0 ? ready.revents : 0, clock_now_ns());
}

static int client(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *colon = strrchr(http_address(http), ':');

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	address.sin_port = htons((uint16_t)atoi(colon + 1));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void tell(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All that comes until `enough` is in it, the other end closes, or 5 s are over. */
static char *hear(int fd, char *text, size_t size, const char *enough)
{
	uint64_t end = clock_now_ns() + 5 * NS_PER_SEC;
	size_t length = 0;

	text[0] = '\0';
	while (clock_now_ns() < end && !strstr(text, enough)) {
		turn(10);
		ssize_t n = recv(fd, text + length, size - 1 - length, MSG_DONTWAIT);
		if (n == 0)
			break;
		length += n > 0 ? (size_t)n : 0;
		text[length] = '\0';
	}
	return text;
}

static void ask(const char *request, char *text, size_t size, const char *enough)
{
	AUTO_CLOSE int fd = client();

	tell(fd, request);
	hear(fd, text, size, enough);
}

static void test_requests(void **state)
{
	static const struct {
		const char *request, *status, *part;
	} cases[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "metric 1\n" },
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "href=\"/metrics\"" },
		{ "GET /metrics?x=1 HTTP/1.0\r\n\r\n", "HTTP/1.", "metric 1\n" },
		{ "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404", "try /metrics" },
		{ "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405",
			"only GET" },
	};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask(cases[i].request, text, sizeof(text), cases[i].part);
		assert_int_equal(strncmp(text, cases[i].status, strlen(cases[i].status)), 0);
		assert_non_null(strstr(text, cases[i].part));
	}
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text), "metric 1\n");
	assert_non_null(strstr(text, "text/plain; version=0.0.4; charset=utf-8"));
	ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", text, sizeof(text),
		"never there");
	assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
	assert_null(strstr(text, "metric 1"));
}

static void test_slow_request(void **state)
{
	AUTO_CLOSE int fd = client();
	const char *request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	char text[4096];

	(void)state;
	for (const char *c = request; *c; c++) {
		char one[2] = { *c, '\0' };

		tell(fd, one);
		turn(1);
	}
	hear(fd, text, sizeof(text), "metric 1\n");
	assert_non_null(strstr(text, "metric 1\n"));
	assert_int_equal(pages, 1);
}

/* Far more clients than are served, none of which says anything: the last one waits, no one crashes, and
 * when some go, a scrape is answered. */
static void test_many_clients(void **state)
{
	int fds[100];
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client();
		turn(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		close(fds[i]);
		turn(0);
	}
	for (int i = 0; i < 20; i++)
		turn(1);
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text), "metric 1\n");
	assert_non_null(strstr(text, "metric 1\n"));
}

static void test_huge_header(void **state)
{
	AUTO_CLOSE int fd = client();
	char text[4096];
	char filler[1024];

	(void)state;
	memset(filler, 'a', sizeof(filler));
	tell(fd, "GET /metrics HTTP/1.1\r\nX: ");
	for (int i = 0; i < 64; i++) {
		if (send(fd, filler, sizeof(filler), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		turn(1);
	}
	hear(fd, text, sizeof(text), "\r\n\r\n");
	assert_true(text[0] == '\0' || strncmp(text, "HTTP/1.1 4", 10) == 0);
	assert_int_equal(pages, 0);
}

static void test_idle_clients_have_a_deadline(void **state)
{
	AUTO_CLOSE int fd = client();

	(void)state;
	turn(10);
	turn(10);
	uint64_t left = http_source.deadline_ns(http) - clock_now_ns();
	assert_true(left <= 11 * NS_PER_SEC);
	(void)fd;
}

static void test_refusals(void **state)
{
	static const struct {
		const char *listen;
		int code;
	} cases[] = {
		{ "", EINVAL },
		{ "9848", EINVAL },
		{ ":9848", EINVAL },
		{ "localhost", EINVAL },
		{ "127.0.0.1:", EINVAL },
		{ "127.0.0.1:http", EINVAL },
		{ "[::1:9848", EINVAL },
		{ "192.0.2.1:0", EADDRNOTAVAIL },
	};
	struct http *other = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(
			http_open(cases[i].listen, page, "", &other, &err), -cases[i].code);
		assert_true(err.text[0] && err.fix[0]);
		assert_null(other);
	}
	struct err err = { 0 };
	assert_int_equal(http_open(http_address(http), page, "", &other, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, http_address(http)));
	assert_true(err.fix[0]);
}

int main(void)
{
#define WITH_HTTP(test) cmocka_unit_test_setup_teardown(test, open_http, close_http)
	const struct CMUnitTest tests[] = {
		WITH_HTTP(test_requests),
		WITH_HTTP(test_slow_request),
		WITH_HTTP(test_many_clients),
		WITH_HTTP(test_huge_header),
		WITH_HTTP(test_idle_clients_have_a_deadline),
		WITH_HTTP(test_refusals),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
