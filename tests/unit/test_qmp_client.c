/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QMP client on a real socket, the test at QEMU's end of it. Time is what the test says. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "qmp/qmp.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define GREETING                                                                                   \
	"{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, \"minor\": 2, \"micro\": 22}}, "        \
	"\"capabilities\": []}}\r\n"

enum { T0 = 1000, TIMEOUT = 100, REPLIES = 300 };

struct seen {
	int count; /* replies */
	enum qmp_outcome outcome;
	char words[64];
	json_int_t value;
};

static struct qmp *qmp;
static int qemu; /* the other end */
static struct seen seen[REPLIES];
static int running, lost;
static char lost_words[64], event[64];

static void on_running(void *arg)
{
	(void)arg;
	running++;
}

static void on_event(void *arg, const char *name, json_t *data)
{
	(void)arg;
	snprintf(event, sizeof(event), "%s %lld", name,
		(long long)json_integer_value(json_object_get(data, "n")));
}

static void on_disconnected(void *arg, const char *words)
{
	(void)arg;
	lost++;
	snprintf(lost_words, sizeof(lost_words), "%s", words);
}

static void on_reply(void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct seen *one = arg;

	one->count++;
	one->outcome = outcome;
	one->value = json_integer_value(result);
	snprintf(one->words, sizeof(one->words), "%s", words);
}

static const struct qmp_handlers handlers = { on_running, on_event, on_disconnected };

static int open_client(void **state)
{
	int pair[2];

	(void)state;
	memset(seen, 0, sizeof(seen));
	running = lost = 0;
	lost_words[0] = event[0] = '\0';
	qmp = qmp_new(&handlers, NULL);
	if (!qmp || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	qemu = pair[1];
	return qmp_attach(qmp, pair[0], T0);
}

static int close_client(void **state)
{
	(void)state;
	qmp_free(qmp);
	close(qemu);
	return 0;
}

/* One turn of the loop at `now`: socket pairs deliver at once, so nothing is waited for. */
static void turn(uint64_t now)
{
	struct pollfd ready = { .fd = qmp_source.fd(qmp), .events = qmp_source.events(qmp) };

	qmp_source.process(qmp, poll(&ready, 1, 0) > 0 ? ready.revents : 0, now);
}

static void tell(const char *text, uint64_t now)
{
	assert_int_equal(send(qemu, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn(now);
}

static void answer(uint64_t id, const char *member, uint64_t now)
{
	char text[160];

	snprintf(text, sizeof(text), "{%s, \"id\": %llu}\r\n", member, (unsigned long long)id);
	tell(text, now);
}

/* All that the client has sent so far; "" if nothing. */
static const char *heard(void)
{
	static char text[32 << 10];
	ssize_t n = recv(qemu, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static unsigned lines(const char *text)
{
	unsigned count = 0;

	for (; (text = strstr(text, "\r\n")); text += 2)
		count++;
	return count;
}

/* To RUNNING; the capabilities were command 0. */
static void run(void)
{
	tell(GREETING, T0);
	assert_int_equal(qmp_state(qmp), QMP_CAPABILITIES);
	assert_string_equal(heard(), "{\"execute\":\"qmp_capabilities\",\"id\":0}\r\n");
	answer(0, "\"return\": {}", T0);
	assert_int_equal(qmp_state(qmp), QMP_RUNNING);
	assert_int_equal(running, 1);
}

static int ask(int index, uint64_t now)
{
	return qmp_send(qmp, "query-status", NULL, TIMEOUT, now, on_reply, &seen[index]);
}

static void assert_seen(int index, enum qmp_outcome outcome, const char *words)
{
	assert_int_equal(seen[index].count, 1);
	assert_int_equal(seen[index].outcome, outcome);
	assert_string_equal(seen[index].words, words);
}

static void test_handshake(void **state)
{
	(void)state;
	assert_int_equal(qmp_state(qmp), QMP_GREETING);
	assert_int_equal(ask(0, T0), -ENOTCONN);
	assert_int_equal(seen[0].count, 0);
	assert_string_equal(qmp_version(qmp), "");
	run();
	assert_string_equal(qmp_version(qmp), "7.2.22");
	assert_true(qmp_source.deadline_ns(qmp) == CLOCK_NEVER);
}

static void test_no_greeting(void **state)
{
	(void)state;
	assert_true(qmp_source.deadline_ns(qmp) == T0 + 10 * NS_PER_SEC);
	turn(T0 + 10 * NS_PER_SEC - 1);
	assert_int_equal(lost, 0);
	turn(T0 + 10 * NS_PER_SEC);
	assert_int_equal(lost, 1);
	assert_non_null(strstr(lost_words, "no greeting within 10 s"));
	assert_int_equal(qmp_source.fd(qmp), -1);
}

static void test_capabilities_unanswered(void **state)
{
	(void)state;
	tell(GREETING, T0);
	/* QEMU may be busy with the guest's memory for minutes. */
	turn(T0 + 599 * NS_PER_SEC);
	assert_int_equal(lost, 0);
	turn(T0 + 600 * NS_PER_SEC);
	assert_int_equal(lost, 1);
	assert_int_equal(running, 0);
	assert_int_equal(qmp_state(qmp), QMP_DISCONNECTED);
}

static void test_answers(void **state)
{
	(void)state;
	run();
	assert_int_equal(qmp_send(qmp, "device_add", json_pack("{s:s}", "driver", "e1000"), TIMEOUT,
				 T0, on_reply, &seen[0]),
		0);
	assert_string_equal(heard(),
		"{\"execute\":\"device_add\",\"id\":1,\"arguments\":{\"driver\":\"e1000\"}}\r\n");
	assert_int_equal(ask(1, T0), 0);
	assert_int_equal(ask(2, T0), 0);
	/* In an order of QEMU's own: ids match. */
	answer(2, "\"return\": 42", T0);
	answer(1, "\"error\": {\"class\": \"GenericError\", \"desc\": \"no such bus\"}", T0);
	answer(3, "\"error\": {}", T0);
	assert_seen(0, QMP_ERROR, "no such bus");
	assert_seen(1, QMP_OK, "");
	assert_int_equal(seen[1].value, 42);
	assert_seen(2, QMP_ERROR, "QEMU gave no reason");
	assert_int_equal(qmp_stats(qmp)->commands, 4);
	assert_int_equal(qmp_stats(qmp)->failures, 2);
}

static void test_events(void **state)
{
	(void)state;
	run();
	tell("{\"event\": \"RESET\", \"data\": {\"n\": 7}}\r\n", T0);
	assert_string_equal(event, "RESET 7");
	assert_int_equal(qmp_stats(qmp)->events, 1);
}

/* 8 at QEMU, 256 here, and who comes then is sent away. */
static void test_turns(void **state)
{
	(void)state;
	run();
	for (int i = 0; i < 8 + 256; i++)
		assert_int_equal(ask(i, T0), 0);
	assert_int_equal(ask(8 + 256, T0), -ENOBUFS);
	assert_int_equal(lines(heard()), 8);
	answer(3, "\"return\": 1", T0);
	assert_seen(2, QMP_OK, "");
	assert_string_equal(heard(), "{\"execute\":\"query-status\",\"id\":9}\r\n");
	assert_int_equal(ask(8 + 256, T0), 0);
	for (int i = 0; i < 8 + 256 + 1; i++)
		if (i != 2)
			answer((uint64_t)i + 1, "\"return\": 1", T0);
	for (int i = 0; i < 8 + 256 + 1; i++)
		assert_seen(i, QMP_OK, "");
	assert_int_equal(qmp_stats(qmp)->overdue + qmp_stats(qmp)->unknown_ids, 0);
}

static void test_deadlines(void **state)
{
	(void)state;
	run();
	/* Nine: the last one's time also runs while it waits its turn. */
	for (int i = 0; i < 9; i++)
		assert_int_equal(ask(i, T0 + 10 - (uint64_t)i), 0);
	assert_true(qmp_source.deadline_ns(qmp) == T0 + 2 + TIMEOUT);
	turn(T0 + 2 + TIMEOUT);
	assert_seen(8, QMP_TIMEOUT, "QEMU did not answer in time");
	for (int i = 0; i < 8; i++)
		assert_int_equal(seen[i].count, 0);
	turn(T0 + 9 + TIMEOUT);
	for (int i = 1; i < 8; i++)
		assert_seen(i, QMP_TIMEOUT, "QEMU did not answer in time");
	assert_int_equal(seen[0].count, 0);
	/* Too late, never asked, asked in another way. */
	answer(2, "\"return\": 1", T0);
	answer(4711, "\"return\": 1", T0);
	tell("{\"return\": 1, \"id\": \"2\"}\r\n{\"return\": 1}\r\n", T0);
	assert_int_equal(seen[1].count, 1);
	assert_int_equal(qmp_stats(qmp)->overdue, 1);
	assert_int_equal(qmp_stats(qmp)->unknown_ids, 3);
	assert_int_equal(qmp_state(qmp), QMP_RUNNING);
}

/* A command that waited in vain makes room for those behind it. */
static void test_timeouts_make_room(void **state)
{
	(void)state;
	run();
	for (int i = 0; i < 8; i++)
		assert_int_equal(ask(i, T0), 0);
	assert_int_equal(ask(8, T0 + 1), 0);
	assert_int_equal(lines(heard()), 8);
	turn(T0 + TIMEOUT);
	assert_int_equal(lines(heard()), 1);
	answer(9, "\"return\": 1", T0 + TIMEOUT);
	assert_seen(8, QMP_OK, "");
}

static void reply_disconnects(
	void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	on_reply(arg, outcome, result, words);
	qmp_disconnect(qmp, "enough");
	assert_int_equal(ask(REPLIES - 1, T0), -ENOTCONN);
}

/* Each ends exactly once, whatever the callbacks do. */
static void test_ends_once(void **state)
{
	(void)state;
	run();
	for (int i = 0; i < 20; i++)
		assert_int_equal(
			qmp_send(qmp, "stop", NULL, TIMEOUT, T0, reply_disconnects, &seen[i]), 0);
	turn(T0 + TIMEOUT);
	assert_seen(0, QMP_TIMEOUT, "QEMU did not answer in time");
	for (int i = 1; i < 20; i++)
		assert_seen(i, QMP_LOST, "enough");
	assert_int_equal(seen[REPLIES - 1].count, 0);
	assert_int_equal(lost, 1);
	assert_int_equal(qmp_stats(qmp)->failures, 20);
}

static void test_qemu_goes(void **state)
{
	(void)state;
	run();
	for (int i = 0; i < 9; i++)
		assert_int_equal(ask(i, T0), 0);
	heard();
	/* What it said before it went still counts. */
	const char last[] = "{\"return\": 1, \"id\": 1}\r\n";
	assert_int_equal(send(qemu, last, strlen(last), 0), (ssize_t)strlen(last));
	shutdown(qemu, SHUT_RDWR);
	turn(T0);
	assert_seen(0, QMP_OK, "");
	for (int i = 1; i < 9; i++)
		assert_seen(i, QMP_LOST, "QEMU closed the connection");
	assert_string_equal(lost_words, "QEMU closed the connection");
}

static void test_client_goes(void **state)
{
	(void)state;
	run();
	for (int i = 0; i < 9; i++)
		assert_int_equal(ask(i, T0), 0);
	qmp_free(qmp);
	qmp = NULL;
	for (int i = 0; i < 9; i++)
		assert_seen(i, QMP_LOST, "the client ends");
	assert_int_equal(lost, 0);
}

static void test_not_qmp(void **state)
{
	(void)state;
	tell("SSH-2.0-OpenSSH\r\n", T0);
	assert_int_equal(lost, 1);
	assert_int_equal(qmp_stats(qmp)->bad_messages, 1);
}

static void test_no_qmp_greeting(void **state)
{
	(void)state;
	tell("{\"hello\": 1}\r\n", T0);
	assert_string_equal(lost_words, "what answers is not QMP: no greeting");
}

/* 64 messages a turn; the rest at once, without being polled for. */
static void test_bounded_turns(void **state)
{
	(void)state;
	run();
	for (int i = 0; i < 100; i++)
		assert_true(send(qemu, "{\"event\": \"STOP\"}\n", 18, 0) == 18);
	turn(T0);
	assert_int_equal(qmp_stats(qmp)->events, 64);
	assert_int_equal(qmp_source.deadline_ns(qmp), 0);
	qmp_source.process(qmp, 0, T0);
	assert_int_equal(qmp_stats(qmp)->events, 100);
	assert_true(qmp_source.deadline_ns(qmp) == CLOCK_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_client, close_client)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_handshake),
		TEST(test_no_greeting),
		TEST(test_capabilities_unanswered),
		TEST(test_answers),
		TEST(test_events),
		TEST(test_turns),
		TEST(test_deadlines),
		TEST(test_timeouts_make_room),
		TEST(test_ends_once),
		TEST(test_qemu_goes),
		TEST(test_client_goes),
		TEST(test_not_qmp),
		TEST(test_no_qmp_greeting),
		TEST(test_bounded_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
