/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroups/units.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cgroups/bus.h"
#include "cgroups/unit_message.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define ORDER_LIMIT_NS (60 * NS_PER_SEC) /* to be heard at all */
#define EXISTS_NS      (10 * NS_PER_SEC) /* for an old unit of this name to be cleared away */
#define AGAIN_NS       (50 * NS_PER_MS)
#define LOOK_NS        (200 * NS_PER_MS)
#define QUERY_LIMIT_US (2 * 1000 * 1000)
#define LATE_NS        (5 * NS_PER_SEC)
#define ABSENT_LOOKS   10

/*
 * Once the order has left us, no silence means that it was not carried out: PID 1 may be busy, or in the
 * middle of an upgrade of itself. From then on only its own word ends the start.
 */
struct unit_start {
	struct unit unit;
	unit_started_fn *started;
	void *arg;
	sd_bus *bus;        /* NULL: lost, opened again at again_at */
	sd_bus_slot *watch; /* JobRemoved */
	char *job;          /* the start's */
	bool sent;          /* the order */
	unsigned absent;    /* how often in a row it was not there */
	uint64_t began_ns, again_at;
	bool done;
	pid_t pid;
	struct err err;
};

bool units_here(const struct root *root)
{
	return root->live && geteuid() == 0 && sd_booted() > 0;
}

static void finish(struct unit_start *start, pid_t pid)
{
	start->done = true;
	start->pid = pid;
}

static void fail(struct unit_start *start, int code, const char *words)
{
	err_set(&start->err, code, "systemd did not start %s: %s", start->unit.name, words);
	finish(start, 0);
}

static void look_again(struct unit_start *start, uint64_t after_ns)
{
	start->again_at = clock_now_ns() + after_ns;
}

static void lost(struct unit_start *start, int r)
{
	if (!start->sent) {
		fail(start, -r, strerror(-r));
		return;
	}
	start->watch = sd_bus_slot_unref(start->watch);
	start->bus = sd_bus_close_unref(start->bus);
	look_again(start, LOOK_NS);
}

/* An error that systemd itself has sent, and not one that stands for its silence. */
static bool is_answer(const sd_bus_error *error)
{
	return !sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) &&
	       !sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT) &&
	       !sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED);
}

static void absent(struct unit_start *start)
{
	if (++start->absent >= ABSENT_LOOKS)
		fail(start, ECHILD, "it has ended already");
	else
		look_again(start, LOOK_NS);
}

static int on_pid(sd_bus_message *reply, void *arg, sd_bus_error *ret_error)
{
	struct unit_start *start = arg;
	uint32_t pid = 0;

	(void)ret_error;
	if (sd_bus_message_get_error(reply) || sd_bus_message_read(reply, "v", "u", &pid) < 0)
		look_again(start, LOOK_NS);
	else if (pid == 0)
		absent(start);
	else
		finish(start, (pid_t)pid);
	return 0;
}

/* Asks for a property; the answer comes to `take`, or it is looked again. */
static void get(struct unit_start *start, const char *interface, const char *property,
	sd_bus_message_handler_t take)
{
	AUTO_FREE char *path = bus_unit_path(start->unit.name);
	int r = -ENOMEM;

	if (path)
		r = sd_bus_call_method_async(start->bus, NULL, SYSTEMD_NAME, path,
			"org.freedesktop.DBus.Properties", "Get", take, start, "ss", interface,
			property);
	if (r < 0)
		look_again(start, LOOK_NS);
}

static int on_state(sd_bus_message *reply, void *arg, sd_bus_error *ret_error)
{
	struct unit_start *start = arg;
	const char *state;

	(void)ret_error;
	if (sd_bus_message_get_error(reply) || sd_bus_message_read(reply, "v", "s", &state) < 0 ||
		strcmp(state, "activating") == 0)
		look_again(start, LOOK_NS);
	else if (strcmp(state, "inactive") == 0 || strcmp(state, "failed") == 0)
		absent(start);
	else
		get(start, SYSTEMD_SERVICE, "MainPID", on_pid);
	return 0;
}

static int on_job_removed(sd_bus_message *message, void *arg, sd_bus_error *ret_error)
{
	struct unit_start *start = arg;
	const char *job, *unit, *result;
	char words[160];
	uint32_t id;

	(void)ret_error;
	if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0 || !start->job ||
		strcmp(job, start->job) != 0)
		return 0;
	if (strcmp(result, "done") == 0) {
		get(start, SYSTEMD_SERVICE, "MainPID", on_pid);
		return 0;
	}
	snprintf(words, sizeof(words), "its job ended as \"%s\"", result);
	fail(start, ECHILD, words);
	err_fix(&start->err, "`journalctl -b -u %s` says why", start->unit.name);
	return 0;
}

static void take_job(struct unit_start *start, sd_bus_message *reply)
{
	const char *job;

	if (sd_bus_message_read(reply, "o", &job) >= 0)
		start->job = strdup(job);
	/* Its end is a signal, which may be missed. */
	look_again(start, start->job ? LATE_NS : LOOK_NS);
}

static int on_accepted(sd_bus_message *reply, void *arg, sd_bus_error *ret_error)
{
	struct unit_start *start = arg;
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	(void)ret_error;
	if (!error) {
		take_job(start, reply);
	} else if (!is_answer(error)) {
		look_again(start, LOOK_NS);
	} else if (sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitExists") &&
		   clock_now_ns() < start->began_ns + EXISTS_NS) {
		/* The one before is gone, but systemd has not cleared it away yet. */
		start->sent = false;
		look_again(start, AGAIN_NS);
	} else {
		fail(start, sd_bus_error_get_errno(error), error->message);
	}
	return 0;
}

static int order(struct unit_start *start)
{
	sd_bus_message *message = NULL;
	int r = unit_message(start->bus, &start->unit, &message);

	if (r == 0)
		r = sd_bus_call_async(start->bus, NULL, message, on_accepted, start, 0);
	sd_bus_message_unref(message);
	start->sent |= r >= 0;
	return r < 0 ? r : 0;
}

static int open_bus(struct unit_start *start, struct err *err)
{
	int r = bus_open(&start->bus, err);

	if (r < 0)
		return r;
	r = sd_bus_match_signal_async(start->bus, &start->watch, bus_sender(start->bus),
		SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL, start);
	if (r >= 0)
		r = sd_bus_call_method_async(start->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
			SYSTEMD_MANAGER, "Subscribe", NULL, NULL, NULL);
	return r < 0 ? err_set(err, -r, "cannot ask systemd to start %s: %s", start->unit.name,
			       strerror(-r))
		     : 0;
}

static int begin(const struct unit *unit, unit_started_fn *started, void *arg, bool sent,
	struct unit_start **ret_start, struct err *err)
{
	struct unit_start *start = calloc(1, sizeof(*start));

	if (!start)
		return err_set(err, ENOMEM, "out of memory");
	*start = (struct unit_start){ .unit = *unit,
		.started = started,
		.arg = arg,
		.sent = sent,
		.began_ns = clock_now_ns() };
	int r = sent ? 0 : open_bus(start, err);
	if (r < 0) {
		unit_start_free(start);
		return r;
	}
	if (sent)
		look_again(start, NS_PER_SEC);
	*ret_start = start;
	return 0;
}

int unit_start(const struct unit *unit, unit_started_fn *started, void *arg,
	struct unit_start **ret_start, struct err *err)
{
	return begin(unit, started, arg, false, ret_start, err);
}

int unit_find(const struct unit *unit, unit_started_fn *started, void *arg,
	struct unit_start **ret_start, struct err *err)
{
	return begin(unit, started, arg, true, ret_start, err);
}

void unit_start_free(struct unit_start *start)
{
	if (!start)
		return;
	sd_bus_slot_unref(start->watch);
	sd_bus_close_unref(start->bus);
	free(start->job);
	free(start);
}

static int start_fd(void *source)
{
	const struct unit_start *start = source;

	return start->bus ? sd_bus_get_fd(start->bus) : -1;
}

static short start_events(void *source)
{
	const struct unit_start *start = source;

	return start->bus ? bus_events(start->bus) : 0;
}

static uint64_t start_deadline(void *source)
{
	const struct unit_start *start = source;
	uint64_t deadline = start->bus ? bus_deadline_ns(start->bus) : CLOCK_NEVER;
	uint64_t heard_by = start->sent ? CLOCK_NEVER : start->began_ns + ORDER_LIMIT_NS;

	/* Sent before the connection stands it would be waited for. */
	if (start->bus && sd_bus_is_ready(start->bus) <= 0)
		return heard_by < deadline ? heard_by : deadline;
	if (start->again_at < deadline)
		deadline = start->again_at;
	return heard_by < deadline ? heard_by : deadline;
}

/* What is due: the connection, the order, or a look. */
static void act(struct unit_start *start, uint64_t now_ns)
{
	if (now_ns < start->again_at)
		return;
	if (!start->bus) {
		if (open_bus(start, NULL) < 0)
			look_again(start, NS_PER_SEC);
		return;
	}
	if (sd_bus_is_ready(start->bus) <= 0)
		return;
	start->again_at = CLOCK_NEVER;
	if (start->sent) {
		get(start, SYSTEMD_UNIT, "ActiveState", on_state);
		return;
	}
	int r = order(start);
	if (r < 0)
		lost(start, r);
}

static void start_process(void *source, short revents, uint64_t now_ns)
{
	struct unit_start *start = source;
	int r = 0;

	(void)revents;
	if (start->bus)
		do {
			r = sd_bus_process(start->bus, NULL);
		} while (r > 0 && !start->done);
	if (r < 0 && !start->done)
		lost(start, r);
	if (!start->done)
		act(start, now_ns);
	if (!start->done && !start->sent && now_ns >= start->began_ns + ORDER_LIMIT_NS)
		fail(start, ETIMEDOUT, "it could not be asked within a minute");
	/* The last of it: whoever is told frees us. */
	if (start->done)
		start->started(start->arg, start->pid, &start->err);
}

const struct source_ops unit_start_source = { .fd = start_fd,
	.events = start_events,
	.deadline_ns = start_deadline,
	.process = start_process };

static int get_string(
	sd_bus *bus, const char *path, const char *property, char **ret_value, struct err *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_string(
		bus, SYSTEMD_NAME, path, SYSTEMD_UNIT, property, &error, ret_value);

	if (r < 0)
		err_set(err, -r, "systemd does not say how %s is: %s", path, bus_words(&error, r));
	sd_bus_error_free(&error);
	return r;
}

static int get_pid(sd_bus *bus, const char *path, pid_t *ret_pid, struct err *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	uint32_t pid = 0;
	int r = sd_bus_get_property_trivial(
		bus, SYSTEMD_NAME, path, SYSTEMD_SERVICE, "MainPID", &error, 'u', &pid);

	if (r < 0)
		err_set(err, -r, "systemd does not say the main pid of %s: %s", path,
			bus_words(&error, r));
	sd_bus_error_free(&error);
	*ret_pid = (pid_t)pid;
	return r;
}

/* Its program is not executed yet in "activating". */
static int wait_active(sd_bus *bus, const char *path, struct err *err)
{
	const struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };
	uint64_t until = clock_now_ns() + QUERY_LIMIT_US * NS_PER_US;

	for (;;) {
		AUTO_FREE char *state = NULL;
		int r = get_string(bus, path, "ActiveState", &state, err);

		if (r < 0)
			return r;
		if (strcmp(state, "activating") != 0)
			return strcmp(state, "active") == 0 || strcmp(state, "deactivating") == 0 ||
			       strcmp(state, "reloading") == 0;
		if (clock_now_ns() > until)
			return err_set(err, ETIMEDOUT, "%s is still being started", path);
		nanosleep(&pause, NULL);
	}
}

int unit_main_pid(const char *name, pid_t *ret_pid, struct err *err)
{
	AUTO_FREE char *path = bus_unit_path(name);
	sd_bus *bus = NULL;
	int r = path ? bus_open(&bus, err) : err_set(err, ENOMEM, "out of memory");

	if (r < 0)
		return r;
	sd_bus_set_method_call_timeout(bus, QUERY_LIMIT_US);
	r = wait_active(bus, path, err);
	if (r > 0) {
		r = get_pid(bus, path, ret_pid, err);
		r = r < 0 ? r : *ret_pid > 0;
	}
	sd_bus_flush_close_unref(bus);
	return r;
}
