/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/record.h"
#include "base/cleanup.h"
#include "supervisor/rundir.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

static const char file_name[] = "vm.json";

int record_write(int dirfd, const struct record *record)
{
	const struct process_identity *id = &record->identity;
	json_t *json = json_pack(
		"{s:i, s:i, s:I, s:I, s:I, s:s, s:f, s:b, s:b, s:b, s:b, s:b, s:i, s:b, s:i, s:s, "
		"s:s}",
		"version", 1, "pid", (int)id->pid, "start_ticks", (json_int_t)id->start_ticks,
		"exe_device", (json_int_t)id->exe_device, "exe_inode", (json_int_t)id->exe_inode,
		"boot_id", id->boot_id, "since", record->since, "running", record->running,
		"stopping", record->stopping, "kvm", record->kvm, "unit", record->unit, "starting",
		record->starting, "restarts", (int)record->restarts, "force", record->force,
		"cause", record->cause, "config_path", record->config_path, "config",
		record->config_text);
	AUTO_FREE char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

	json_decref(json);
	return text ? rundir_write(dirfd, file_name, text, strlen(text)) : -ENOMEM;
}

static int unpack(json_t *json, struct record *record)
{
	json_int_t start, device, inode;
	const char *boot, *path, *config;
	int version, pid, running, stopping, kvm = 0, restarts = 0;
	int unit = 0, starting = 0, force = 0, cause = 0;

	if (json_unpack(json,
		    "{s:i, s:i, s:I, s:I, s:I, s:s, s:F, s:b, s:b, s?b, s?b, s?b, s?i, s?b, s?i, "
		    "s:s, s:s}",
		    "version", &version, "pid", &pid, "start_ticks", &start, "exe_device", &device,
		    "exe_inode", &inode, "boot_id", &boot, "since", &record->since, "running",
		    &running, "stopping", &stopping, "kvm", &kvm, "unit", &unit, "starting",
		    &starting, "restarts", &restarts, "force", &force, "cause", &cause,
		    "config_path", &path, "config", &config) < 0 ||
		version != 1 || pid < 0)
		return -EINVAL;
	record->identity.pid = pid;
	record->identity.start_ticks = (uint64_t)start;
	record->identity.exe_device = (uint64_t)device;
	record->identity.exe_inode = (uint64_t)inode;
	snprintf(record->identity.boot_id, sizeof(record->identity.boot_id), "%s", boot);
	record->running = running;
	record->stopping = stopping;
	record->kvm = kvm;
	record->unit = unit;
	record->starting = starting;
	record->restarts = restarts > 0 ? (unsigned)restarts : 0;
	record->force = force;
	record->cause = cause;
	record->config_path = strdup(path);
	record->config_text = strdup(config);
	return record->config_path && record->config_text ? 0 : -ENOMEM;
}

int record_read(int dirfd, struct record *ret_record)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	int r = rundir_read(dirfd, file_name, &text, &length);

	*ret_record = (struct record){ 0 };
	if (r < 0)
		return r;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	r = json ? unpack(json, ret_record) : -EINVAL;
	json_decref(json);
	if (r < 0)
		record_free(ret_record);
	if (r == -EINVAL)
		renameat(dirfd, file_name, dirfd, "vm.json.bad");
	return r;
}

void record_free(struct record *record)
{
	free((char *)(uintptr_t)record->config_path);
	free((char *)(uintptr_t)record->config_text);
	*record = (struct record){ 0 };
}
