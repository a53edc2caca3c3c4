/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order to systemd, and all that may come of it. In a mount namespace whose /run/systemd/private is a peer of
 * the test's: the real one does not lose connections when asked to. That it works with the real one is the lab's. */
#include "base/clock.h"
#include "cgroups/units.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include <cmocka.h>

#define PID  4711
#define UNIT "vfiosup-x.service"
#define JOB  "/org/freedesktop/systemd1/job/7"

/* How the peer behaves. */
enum script { WELL, EXISTS_TWICE, HANGS_UP, HANGS_UP_FOR_GOOD, JOB_FAILS, REFUSES, MISSED_SIGNAL };

/* Seen by both processes. */
struct peer {
	enum script script;
	int orders, looks;
	char name[64];
};

static struct peer *peer;

static void read_order(sd_bus_message *message)
{
	const char *name, *mode;

	if (sd_bus_message_read(message, "ss", &name, &mode) >= 0)
		snprintf(peer->name, sizeof(peer->name), "%s", name);
}

static int tell_job(sd_bus_message *message, const char *result)
{
	sd_bus *bus = sd_bus_message_get_bus(message);

	sd_bus_reply_method_return(message, "o", JOB);
	if (!result)
		return 1;
	return sd_bus_emit_signal(bus, "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "JobRemoved", "uoss", 7, JOB, UNIT, result);
}

static int take_order(sd_bus_message *message)
{
	peer->orders++;
	read_order(message);
	switch (peer->script) {
	case EXISTS_TWICE:
		if (peer->orders <= 2)
			return sd_bus_reply_method_errorf(message,
				"org.freedesktop.systemd1.UnitExists", "it is there already");
		return tell_job(message, "done");
	case HANGS_UP:
	case HANGS_UP_FOR_GOOD:
		sd_bus_close(sd_bus_message_get_bus(message));
		return 1;
	case JOB_FAILS:
		return tell_job(message, "failed");
	case REFUSES:
		return sd_bus_reply_method_errorf(
			message, SD_BUS_ERROR_ACCESS_DENIED, "you may not");
	case MISSED_SIGNAL:
		return tell_job(message, NULL);
	case WELL:
		break;
	}
	return tell_job(message, "done");
}

static int take_question(sd_bus_message *message)
{
	const char *interface, *property;

	if (sd_bus_message_read(message, "ss", &interface, &property) < 0)
		return 0;
	if (strcmp(property, "MainPID") == 0)
		return sd_bus_reply_method_return(message, "v", "u", PID);
	peer->looks++;
	return sd_bus_reply_method_return(message, "v", "s",
		peer->script == HANGS_UP_FOR_GOOD ? "inactive"
		: peer->looks == 1                ? "activating"
						  : "active");
}

static int on_message(sd_bus_message *message, void *arg, sd_bus_error *ret_error)
{
	(void)arg;
	(void)ret_error;
	if (sd_bus_message_is_method_call(message, NULL, "StartTransientUnit"))
		return take_order(message);
	if (sd_bus_message_is_method_call(message, NULL, "Get"))
		return take_question(message);
	return 0;
}

static void serve(int fd)
{
	sd_bus *bus = NULL;
	sd_id128_t id = { .bytes = { 1 } };

	sd_bus_new(&bus);
	sd_bus_set_fd(bus, fd, fd);
	sd_bus_set_server(bus, 1, id);
	sd_bus_negotiate_fds(bus, 1);
	sd_bus_add_filter(bus, NULL, on_message, NULL);
	sd_bus_start(bus);
	int r;
	do {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	} while (r >= 0);
	sd_bus_close_unref(bus);
}

/* The peer, one connection after the other, until it is killed. */
static pid_t start_peer(enum script script)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/private" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*peer = (struct peer){ .script = script };
	unlink(address.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			serve(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	}
	close(fd);
	return pid;
}

struct outcome {
	bool told;
	pid_t pid;
	struct err err;
};

static void on_started(void *arg, pid_t pid, const struct err *err)
{
	*(struct outcome *)arg = (struct outcome){ true, pid, *err };
}

/* What the loop does with it. */
static void drive(struct unit_start *start, const struct outcome *outcome, uint64_t limit_ns)
{
	const struct source_ops *ops = &unit_start_source;
	uint64_t until = clock_now_ns() + limit_ns;

	while (!outcome->told && clock_now_ns() < until) {
		struct pollfd wait = { .fd = ops->fd(start), .events = ops->events(start) };
		uint64_t now = clock_now_ns(), deadline = ops->deadline_ns(start);
		uint64_t most = deadline > now ? deadline - now : 0;

		poll(&wait, 1, most > 100 * NS_PER_MS ? 100 : (int)(most / NS_PER_MS));
		now = clock_now_ns();
		if (wait.revents || now >= deadline)
			ops->process(start, wait.revents, now);
	}
}

static struct outcome order(enum script script, bool sent)
{
	static char *argv[] = { "/bin/true", "a $b %c", NULL };
	static const struct strlist words = { .items = argv, .count = 2 }, none = { 0 };
	static const struct cpuset cpus = { .bits = { 1 } };
	struct unit unit = { .name = UNIT,
		.description = "a test",
		.user = "nobody",
		.argv = &words,
		.env = &none,
		.cpus = &cpus,
		.stdin_fd = STDIN_FILENO,
		.log_fd = STDERR_FILENO };
	struct outcome outcome = { 0 };
	struct unit_start *start = NULL;
	struct err err = { 0 };
	pid_t pid = start_peer(script);

	assert_int_equal(
		(sent ? unit_find : unit_start)(&unit, on_started, &outcome, &start, &err), 0);
	drive(start, &outcome, 20 * NS_PER_SEC);
	unit_start_free(start);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(outcome.told);
	return outcome;
}

static void test_well(void **state)
{
	struct outcome outcome = order(WELL, false);

	(void)state;
	assert_int_equal(outcome.pid, PID);
	assert_int_equal(peer->orders, 1);
	assert_string_equal(peer->name, UNIT);
}

static void test_an_old_one_is_cleared_away(void **state)
{
	(void)state;
	assert_int_equal(order(EXISTS_TWICE, false).pid, PID);
	assert_int_equal(peer->orders, 3);
}

/* PID 1 executes itself anew, or its bus is restarted. */
static void test_silence_is_no_answer(void **state)
{
	(void)state;
	assert_int_equal(order(HANGS_UP, false).pid, PID);
	assert_int_equal(peer->orders, 1); /* never a second order */
	assert_int_equal(peer->looks, 2);  /* "activating", then "active" */
}

static void test_certain_that_there_is_none(void **state)
{
	struct outcome outcome = order(HANGS_UP_FOR_GOOD, false);

	(void)state;
	assert_int_equal(outcome.pid, 0);
	assert_int_equal(outcome.err.code, ECHILD);
	assert_int_equal(peer->orders, 1);
	assert_true(peer->looks >= 3);
}

static void test_job_fails(void **state)
{
	struct outcome outcome = order(JOB_FAILS, false);

	(void)state;
	assert_int_equal(outcome.pid, 0);
	assert_non_null(strstr(outcome.err.text, "its job ended as \"failed\""));
	assert_non_null(strstr(outcome.err.fix, "journalctl -b -u " UNIT));
}

static void test_refused(void **state)
{
	struct outcome outcome = order(REFUSES, false);

	(void)state;
	assert_int_equal(outcome.pid, 0);
	assert_int_equal(outcome.err.code, EACCES);
	assert_non_null(strstr(outcome.err.text, "you may not"));
}

static void test_missed_signal(void **state)
{
	(void)state;
	assert_int_equal(order(MISSED_SIGNAL, false).pid, PID);
}

/* The order was given by somebody else: found, not given again. */
static void test_find(void **state)
{
	(void)state;
	assert_int_equal(order(WELL, true).pid, PID);
	assert_int_equal(peer->orders, 0);
}

static void test_main_pid(void **state)
{
	struct err err = { 0 };
	pid_t server = start_peer(WELL), pid = 0;

	(void)state;
	assert_int_equal(unit_main_pid(UNIT, &pid, &err), 1);
	assert_int_equal(pid, PID);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = start_peer(HANGS_UP_FOR_GOOD);
	assert_int_equal(unit_main_pid(UNIT, &pid, &err), 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

static void test_nobody_there(void **state)
{
	struct err err = { 0 };
	pid_t pid;

	(void)state;
	unlink("/run/systemd/private");
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/none", 1);
	assert_true(unit_main_pid(UNIT, &pid, &err) < 0);
	assert_non_null(strstr(err.text, "cannot reach systemd over D-Bus"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),
		cmocka_unit_test(test_an_old_one_is_cleared_away),
		cmocka_unit_test(test_silence_is_no_answer),
		cmocka_unit_test(test_certain_that_there_is_none),
		cmocka_unit_test(test_job_fails),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_missed_signal),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_main_pid),
		cmocka_unit_test(test_nobody_there),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0 || mkdir("/run/systemd", 0755) < 0) {
		print_message("[  SKIPPED ] 10 test(s): no mount namespace of its own\n");
		return 0;
	}
	peer = mmap(NULL, sizeof(*peer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
