/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call that describes a transient service to systemd: org.freedesktop.systemd1(5), StartTransientUnit. */
#include "cgroups/unit_message.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

/* A message under construction: the first error stays. */
struct writer {
	sd_bus_message *message;
	int r;
};

static void add_string(struct writer *writer, const char *name, const char *value)
{
	if (writer->r >= 0)
		writer->r = sd_bus_message_append(writer->message, "(sv)", name, "s", value);
}

static void add_bool(struct writer *writer, const char *name, bool value)
{
	if (writer->r >= 0)
		writer->r = sd_bus_message_append(writer->message, "(sv)", name, "b", value);
}

static void add_number(struct writer *writer, const char *name, uint64_t value)
{
	if (writer->r >= 0)
		writer->r = sd_bus_message_append(writer->message, "(sv)", name, "t", value);
}

static void add_descriptor(struct writer *writer, const char *name, int fd)
{
	if (writer->r >= 0)
		writer->r = sd_bus_message_append(writer->message, "(sv)", name, "h", fd);
}

static void open_value(struct writer *writer, const char *name, const char *type)
{
	if (writer->r >= 0)
		writer->r = sd_bus_message_open_container(writer->message, 'r', "sv");
	if (writer->r >= 0)
		writer->r = sd_bus_message_append_basic(writer->message, 's', name);
	if (writer->r >= 0)
		writer->r = sd_bus_message_open_container(writer->message, 'v', type);
}

static void close_value(struct writer *writer)
{
	if (writer->r >= 0)
		writer->r = sd_bus_message_close_container(writer->message);
	if (writer->r >= 0)
		writer->r = sd_bus_message_close_container(writer->message);
}

static void add_strings(struct writer *writer, const char *name, const struct strlist *list)
{
	open_value(writer, name, "as");
	if (writer->r >= 0)
		writer->r = sd_bus_message_append_strv(writer->message, list->items);
	close_value(writer);
}

/* systemd takes "$$" for a '$', and a single one for a variable. */
static void add_word(struct writer *writer, const char *word)
{
	struct strbuf text AUTO_STRBUF = { 0 };

	strbuf_add(&text, "");
	for (const char *c = word; *c; c++) {
		strbuf_add_bytes(&text, c, 1);
		if (*c == '$')
			strbuf_add_bytes(&text, c, 1);
	}
	if (writer->r >= 0)
		writer->r = text.failed
				    ? -ENOMEM
				    : sd_bus_message_append_basic(writer->message, 's', text.text);
}

/* Not ExecStartEx, which could leave '$' alone: systemd 252 writes that name into the unit's file, and takes the
 * file for a bad one at the next daemon-reload. */
static void add_command(struct writer *writer, const struct strlist *argv)
{
	open_value(writer, "ExecStart", "a(sasb)");
	if (writer->r >= 0)
		writer->r = sd_bus_message_open_container(writer->message, 'a', "(sasb)");
	if (writer->r >= 0)
		writer->r = sd_bus_message_open_container(writer->message, 'r', "sasb");
	if (writer->r >= 0)
		writer->r = sd_bus_message_append_basic(writer->message, 's', argv->items[0]);
	if (writer->r >= 0)
		writer->r = sd_bus_message_open_container(writer->message, 'a', "s");
	for (size_t i = 0; i < argv->count; i++)
		add_word(writer, argv->items[i]);
	if (writer->r >= 0)
		writer->r = sd_bus_message_close_container(writer->message);
	if (writer->r >= 0)
		writer->r = sd_bus_message_append(writer->message, "b", 0);
	for (int i = 0; i < 2 && writer->r >= 0; i++)
		writer->r = sd_bus_message_close_container(writer->message);
	close_value(writer);
}

static void add_cpus(struct writer *writer, const struct cpuset *cpus)
{
	open_value(writer, "CPUAffinity", "ay");
	if (writer->r >= 0)
		writer->r = sd_bus_message_append_array(
			writer->message, 'y', cpus->bits, sizeof(cpus->bits));
	close_value(writer);
}

/* The manager's own variables; QEMU needs none. */
static void add_environment(struct writer *writer, const struct strlist *env)
{
	static const char *const unwanted[] = { "PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL",
		"INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MEMORY_PRESSURE_WATCH",
		"MEMORY_PRESSURE_WRITE" };

	add_strings(writer, "Environment", env);
	open_value(writer, "UnsetEnvironment", "as");
	if (writer->r >= 0)
		writer->r = sd_bus_message_open_container(writer->message, 'a', "s");
	for (size_t i = 0; i < ARRAY_SIZE(unwanted) && writer->r >= 0; i++) {
		bool wanted = false;

		for (size_t j = 0; j < env->count; j++) {
			size_t n = strlen(unwanted[i]);

			wanted |= strncmp(env->items[j], unwanted[i], n) == 0 &&
				  env->items[j][n] == '=';
		}
		if (!wanted)
			writer->r = sd_bus_message_append_basic(writer->message, 's', unwanted[i]);
	}
	if (writer->r >= 0)
		writer->r = sd_bus_message_close_container(writer->message);
	close_value(writer);
}

/* It ends through its supervisor, or when the host goes down, after vfio-sup-guests.service: a stray
 * `systemctl restart`, as package tools send, would pull the plug. */
static void add_life(struct writer *writer)
{
	add_string(writer, "Type", "exec");
	add_string(writer, "CollectMode", "inactive-or-failed");
	/* Its threaded groups cannot be asked for processes, and there is but one. */
	add_string(writer, "KillMode", "process");
	add_bool(writer, "RefuseManualStop", true);
	add_bool(writer, "IgnoreOnIsolate", true);
	add_number(writer, "TimeoutStartUSec", 30000000);
	if (writer->r >= 0)
		writer->r = sd_bus_message_append(
			writer->message, "(sv)", "Before", "as", 1, "vfio-sup-guests.service");
}

/* The memory is mostly locked and cannot be swapped: the kernel should look elsewhere first. */
static void add_resources(struct writer *writer, const struct unit *unit)
{
	add_bool(writer, "Delegate", true);
	add_string(writer, "Slice", "vfiosup.slice");
	add_number(writer, "CPUWeight", 10000);
	add_number(writer, "LimitCORE", 0);
	if (unit->lock_memory)
		add_number(writer, "LimitMEMLOCK", UINT64_MAX);
	if (writer->r >= 0)
		writer->r =
			sd_bus_message_append(writer->message, "(sv)", "OOMScoreAdjust", "i", -500);
	add_cpus(writer, unit->cpus);
}

static void add_process(struct writer *writer, const struct unit *unit)
{
	add_command(writer, unit->argv);
	add_string(writer, "User", unit->user);
	if (unit->kvm_group && writer->r >= 0)
		writer->r = sd_bus_message_append(
			writer->message, "(sv)", "SupplementaryGroups", "as", 1, "kvm");
	if (writer->r >= 0)
		writer->r = sd_bus_message_append(writer->message, "(sv)", "UMask", "u", 077);
	add_environment(writer, unit->env);
	add_descriptor(writer, "StandardInputFileDescriptor", unit->stdin_fd);
	add_descriptor(writer, "StandardOutputFileDescriptor", unit->log_fd);
	add_descriptor(writer, "StandardErrorFileDescriptor", unit->log_fd);
}

int unit_message(sd_bus *bus, const struct unit *unit, sd_bus_message **ret_message)
{
	struct writer writer = { 0 };

	writer.r = sd_bus_message_new_method_call(bus, &writer.message, SYSTEMD_NAME, SYSTEMD_PATH,
		SYSTEMD_MANAGER, "StartTransientUnit");
	if (writer.r >= 0)
		writer.r = sd_bus_message_append(writer.message, "ss", unit->name, "fail");
	if (writer.r >= 0)
		writer.r = sd_bus_message_open_container(writer.message, 'a', "(sv)");
	add_string(&writer, "Description", unit->description);
	add_life(&writer);
	add_resources(&writer, unit);
	add_process(&writer, unit);
	if (writer.r >= 0)
		writer.r = sd_bus_message_close_container(writer.message);
	if (writer.r >= 0)
		writer.r = sd_bus_message_append(writer.message, "a(sa(sv))", 0);
	if (writer.r < 0) {
		sd_bus_message_unref(writer.message);
		return writer.r;
	}
	*ret_message = writer.message;
	return 0;
}
