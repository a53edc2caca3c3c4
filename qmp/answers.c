/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qmp/answers.h"
#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct word {
	const char *name;
	int value;
};

static int find_word(const struct word *words, size_t count, const char *name, int otherwise)
{
	for (size_t i = 0; name && i < count; i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].value;
	return otherwise;
}

static int parse_number(json_t *object, const char *key, json_int_t max, int *ret_value)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > max)
		return -EPROTO;
	*ret_value = (int)json_integer_value(value);
	return 0;
}

enum { PID_LIMIT = 1 << 22, INDEX_LIMIT = 4096 };

int qmp_parse_cpus(json_t *result, struct qmp_thread *threads, size_t max)
{
	json_t *cpu;
	size_t i;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) > max)
		return -E2BIG;
	json_array_foreach(result, i, cpu)
	{
		struct qmp_thread thread = { 0 };
		int tid;

		if (parse_number(cpu, "cpu-index", INDEX_LIMIT, &thread.index) < 0 ||
			parse_number(cpu, "thread-id", PID_LIMIT, &tid) < 0)
			return -EPROTO;
		thread.tid = tid;
		threads[i] = thread;
	}
	return (int)json_array_size(result);
}

int qmp_parse_iothreads(json_t *result, struct qmp_thread *threads, size_t max)
{
	json_t *iothread;
	size_t i;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) > max)
		return -E2BIG;
	json_array_foreach(result, i, iothread)
	{
		const char *id = json_string_value(json_object_get(iothread, "id"));
		struct qmp_thread thread = { .index = (int)i };
		int tid;

		if (!id || parse_number(iothread, "thread-id", PID_LIMIT, &tid) < 0)
			return -EPROTO;
		thread.tid = tid;
		snprintf(thread.id, sizeof(thread.id), "%s", id);
		threads[i] = thread;
	}
	return (int)json_array_size(result);
}

int qmp_parse_status(json_t *result, enum qmp_run_state *ret_state)
{
	static const struct word states[] = {
		{ "running", QMP_RUN_RUNNING },
		{ "prelaunch", QMP_RUN_PRELAUNCH },
		{ "paused", QMP_RUN_PAUSED },
		{ "shutdown", QMP_RUN_SHUTDOWN },
		{ "suspended", QMP_RUN_SUSPENDED },
		{ "io-error", QMP_RUN_IO_ERROR },
		{ "internal-error", QMP_RUN_INTERNAL_ERROR },
		{ "guest-panicked", QMP_RUN_GUEST_PANICKED },
		{ "watchdog", QMP_RUN_WATCHDOG },
		{ "debug", QMP_RUN_OTHER_STOPPED },
		{ "inmigrate", QMP_RUN_OTHER_STOPPED },
		{ "postmigrate", QMP_RUN_OTHER_STOPPED },
		{ "finish-migrate", QMP_RUN_OTHER_STOPPED },
		{ "restore-vm", QMP_RUN_OTHER_STOPPED },
		{ "save-vm", QMP_RUN_OTHER_STOPPED },
		{ "colo", QMP_RUN_OTHER_STOPPED },
	};
	const char *name = json_string_value(json_object_get(result, "status"));

	if (!name)
		return -EPROTO;
	*ret_state =
		(enum qmp_run_state)find_word(states, ARRAY_SIZE(states), name, QMP_RUN_UNKNOWN);
	return 0;
}

static const struct word event_words[] = {
	{ "SHUTDOWN", QMP_EVENT_SHUTDOWN },
	{ "RESET", QMP_EVENT_RESET },
	{ "POWERDOWN", QMP_EVENT_POWERDOWN },
	{ "STOP", QMP_EVENT_STOP },
	{ "RESUME", QMP_EVENT_RESUME },
	{ "SUSPEND", QMP_EVENT_SUSPEND },
	{ "SUSPEND_DISK", QMP_EVENT_SUSPEND_DISK },
	{ "WAKEUP", QMP_EVENT_WAKEUP },
	{ "GUEST_PANICKED", QMP_EVENT_GUEST_PANICKED },
	{ "BLOCK_IO_ERROR", QMP_EVENT_BLOCK_IO_ERROR },
	{ "DEVICE_DELETED", QMP_EVENT_DEVICE_DELETED },
	{ "MEMORY_FAILURE", QMP_EVENT_MEMORY_FAILURE },
};

enum qmp_event qmp_event_parse(const char *name)
{
	return (enum qmp_event)find_word(
		event_words, ARRAY_SIZE(event_words), name, QMP_EVENT_OTHER);
}

const char *qmp_event_name(enum qmp_event event)
{
	for (size_t i = 0; i < ARRAY_SIZE(event_words); i++)
		if (event_words[i].value == (int)event)
			return event_words[i].name;
	return "other";
}

enum qmp_shutdown qmp_shutdown_parse(json_t *data)
{
	static const struct word reasons[] = {
		{ "guest-shutdown", QMP_SHUTDOWN_GUEST_SHUTDOWN },
		{ "guest-reset", QMP_SHUTDOWN_GUEST_RESET },
		{ "guest-panic", QMP_SHUTDOWN_GUEST_PANIC },
		{ "host-qmp-quit", QMP_SHUTDOWN_HOST_QMP_QUIT },
		{ "host-signal", QMP_SHUTDOWN_HOST_SIGNAL },
		{ "host-error", QMP_SHUTDOWN_HOST_OTHER },
		{ "host-ui", QMP_SHUTDOWN_HOST_OTHER },
		{ "host-qmp-system-reset", QMP_SHUTDOWN_HOST_OTHER },
		{ "subsystem-reset", QMP_SHUTDOWN_SUBSYSTEM_RESET },
	};

	return (enum qmp_shutdown)find_word(reasons, ARRAY_SIZE(reasons),
		json_string_value(json_object_get(data, "reason")), QMP_SHUTDOWN_UNKNOWN);
}

static void keep_printable(char *words)
{
	for (; *words; words++)
		if ((unsigned char)*words < ' ' || (unsigned char)*words > '~')
			*words = '?';
}

void qmp_panic_words(json_t *data, char *words, size_t size)
{
	json_t *info = json_object_get(data, "info");
	const char *type = json_string_value(json_object_get(info, "type"));
	const char *action = json_string_value(json_object_get(data, "action"));

	if (type && strcmp(type, "hyper-v") == 0)
		snprintf(words, size, "Windows stopped with code 0x%08" PRIx64,
			(uint64_t)json_integer_value(json_object_get(info, "arg1")));
	else
		snprintf(words, size, "the guest panicked%s%s%s", type ? " (" : "",
			type ? type : "", type ? ")" : "");
	size_t at = strlen(words);
	if (action && at < size)
		snprintf(words + at, size - at, "; QEMU's action: %s", action);
	keep_printable(words);
}

void qmp_io_error_words(json_t *data, char *words, size_t size)
{
	const char *node = json_string_value(json_object_get(data, "node-name"));
	const char *device = json_string_value(json_object_get(data, "device"));
	const char *reason = json_string_value(json_object_get(data, "reason"));

	snprintf(words, size, "disk %s: %s",
		node                  ? node
		: device && device[0] ? device
				      : "(unnamed)",
		reason ? reason : "I/O error");
	keep_printable(words);
}
