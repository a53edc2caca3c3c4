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

#define START_LIMIT_NS (60 * NS_PER_SEC)
#define AGAIN_NS       (50 * NS_PER_MS)
#define QUERY_LIMIT_US (2 * 1000 * 1000)

struct unit_start {
	struct unit unit;
	unit_started_fn *started;
	void *arg;
	sd_bus *bus;
	sd_bus_slot *watch; /* JobRemoved */
	char *job;          /* the start's */
	uint64_t until_ns, again_at;
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

static int on_pid(sd_bus_message *reply, void *arg, sd_bus_error *ret_error)
{
	struct unit_start *start = arg;
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	uint32_t pid = 0;

	(void)ret_error;
	if (error)
		fail(start, sd_bus_error_get_errno(error), error->message);
	else if (sd_bus_message_read(reply, "v", "u", &pid) < 0 || pid == 0)
		fail(start, ECHILD, "it has ended already");
	else
		finish(start, (pid_t)pid);
	return 0;
}

static void ask_pid(struct unit_start *start)
{
	AUTO_FREE char *path = bus_unit_path(start->unit.name);
	int r = -ENOMEM;

	if (path)
		r = sd_bus_call_method_async(start->bus, NULL, SYSTEMD_NAME, path,
			"org.freedesktop.DBus.Properties", "Get", on_pid, start, "ss",
			SYSTEMD_SERVICE, "MainPID");
	if (r < 0)
		fail(start, -r, strerror(-r));
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
		ask_pid(start);
		return 0;
	}
	snprintf(words, sizeof(words), "its job ended as \"%s\"", result);
	fail(start, ECHILD, words);
	err_fix(&start->err, "`journalctl -b -u %s` says why", start->unit.name);
	return 0;
}

/* The one before is gone, but systemd has not cleared it away yet. */
static bool not_cleared_yet(const struct unit_start *start, const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitExists") &&
	       clock_now_ns() < start->until_ns - START_LIMIT_NS + 10 * NS_PER_SEC;
}

static int on_accepted(sd_bus_message *reply, void *arg, sd_bus_error *ret_error)
{
	struct unit_start *start = arg;
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	const char *job;

	(void)ret_error;
	if (error && not_cleared_yet(start, error)) {
		start->again_at = clock_now_ns() + AGAIN_NS;
	} else if (error) {
		fail(start, sd_bus_error_get_errno(error), error->message);
	} else if (sd_bus_message_read(reply, "o", &job) < 0) {
		fail(start, EPROTO, "its answer cannot be read");
	} else {
		start->job = strdup(job);
		if (!start->job)
			fail(start, ENOMEM, "out of memory");
	}
	return 0;
}

static int ask(struct unit_start *start)
{
	sd_bus_message *message = NULL;
	int r = unit_message(start->bus, &start->unit, &message);

	if (r == 0)
		r = sd_bus_call_async(start->bus, NULL, message, on_accepted, start, 0);
	sd_bus_message_unref(message);
	return r < 0 ? r : 0;
}

static int begin(struct unit_start *start, struct err *err)
{
	int r = bus_open(&start->bus, err);

	if (r < 0)
		return r;
	r = sd_bus_match_signal_async(start->bus, &start->watch, SYSTEMD_NAME, SYSTEMD_PATH,
		SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL, start);
	if (r >= 0)
		r = sd_bus_call_method_async(start->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
			SYSTEMD_MANAGER, "Subscribe", NULL, NULL, NULL);
	if (r >= 0)
		r = ask(start);
	return r < 0 ? err_set(err, -r, "cannot ask systemd to start %s: %s", start->unit.name,
			       strerror(-r))
		     : 0;
}

int unit_start(const struct unit *unit, unit_started_fn *started, void *arg,
	struct unit_start **ret_start, struct err *err)
{
	struct unit_start *start = calloc(1, sizeof(*start));

	if (!start)
		return err_set(err, ENOMEM, "out of memory");
	start->unit = *unit;
	start->started = started;
	start->arg = arg;
	start->until_ns = clock_now_ns() + START_LIMIT_NS;
	start->again_at = CLOCK_NEVER;
	int r = begin(start, err);
	if (r < 0) {
		unit_start_free(start);
		return r;
	}
	*ret_start = start;
	return 0;
}

void unit_start_free(struct unit_start *start)
{
	if (!start)
		return;
	sd_bus_slot_unref(start->watch);
	sd_bus_flush(start->bus);
	sd_bus_close_unref(start->bus);
	free(start->job);
	free(start);
}

static int start_fd(void *source)
{
	return sd_bus_get_fd(((struct unit_start *)source)->bus);
}

static short start_events(void *source)
{
	return bus_events(((struct unit_start *)source)->bus);
}

static uint64_t start_deadline(void *source)
{
	const struct unit_start *start = source;
	uint64_t deadline = bus_deadline_ns(start->bus);

	if (start->again_at < deadline)
		deadline = start->again_at;
	return start->until_ns < deadline ? start->until_ns : deadline;
}

static void start_process(void *source, short revents, uint64_t now_ns)
{
	struct unit_start *start = source;
	int r;

	(void)revents;
	do {
		r = sd_bus_process(start->bus, NULL);
	} while (r > 0 && !start->done);
	if (r >= 0 && now_ns >= start->again_at) {
		start->again_at = CLOCK_NEVER;
		r = ask(start);
	}
	if (r < 0 && !start->done)
		fail(start, -r, strerror(-r));
	if (now_ns >= start->until_ns && !start->done)
		fail(start, ETIMEDOUT, "no answer within a minute");
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
