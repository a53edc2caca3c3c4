/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/giveback.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "host/process.h"
#include "supervisor/journal.h"
#include "supervisor/record.h"
#include "supervisor/rundir.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define TOP_GROUP "vfiosup"

bool give_back_counts(const struct action *action)
{
	if (strcmp(action->group, TOP_GROUP) == 0 || !action->group[0])
		return false;
	return action->kind != ACTION_CG_SET || !place_is_ours(action->group);
}

/* Somebody who changed the value after us keeps it. */
static bool still_ours(struct supervisor *sup, const struct action *action)
{
	char value[1024];
	struct cpuset now, ours;

	if (action->kind != ACTION_CG_SET || strcmp(action->file, "cpuset.cpus") != 0)
		return true;
	if (cgroups_read(sup->cgroups, action->group, action->file, value, sizeof(value)) < 0)
		return false;
	return cpuset_parse(value, &now) == 0 && cpuset_parse(action->value, &ours) == 0 &&
	       cpuset_equal(&now, &ours);
}

/* The parent of all VMs' groups, and the controllers it needs, stay as long as another VM is there. */
static bool others_use(struct supervisor *sup, const char *name, const struct action *done)
{
	pid_t pid;

	if (strcmp(done->group, TOP_GROUP) != 0 && done->group[0])
		return false;
	list_for_each (link, &sup->vms) {
		const struct vm *other = list_entry(link, struct vm, link);

		if (other->done.count > 0 && strcmp(other->spec.name, name) != 0)
			return true;
	}
	return cgroups_busy(sup->cgroups, TOP_GROUP, &pid) == 1;
}

/* A group is busy until the kernel has taken down those below it, which it does in its own time: mostly
 * at once, on a loaded host later. Each try waits 200 ms itself. */
static enum action_result act_patiently(
	struct supervisor *sup, const struct action *action, struct err *err)
{
	enum action_result result = supervisor_act(sup, action, err);

	for (int i = 0; i < 10 && result == ACTION_RETRY; i++)
		result = supervisor_act(sup, action, err);
	return result;
}

/* True if it is done with: given back, no longer ours, or not ours to give back. */
static bool give_back(
	struct supervisor *sup, const char *name, const struct action *done, unsigned *given)
{
	struct action inverse;
	struct err err = { 0 };

	/* Files of our own groups go with the groups. */
	if (done->kind == ACTION_CG_SET && place_is_ours(done->group))
		return true;
	if (others_use(sup, name, done) || !action_inverse(done, &inverse))
		return true;
	if (!still_ours(sup, done)) {
		log_notice(name, "%s of group %s was changed by somebody else: left as it is",
			done->file, done->group[0] ? done->group : "/");
		return true;
	}
	enum action_result result = act_patiently(sup, &inverse, &err);
	if (result == ACTION_DONE || result == ACTION_ALREADY) {
		*given += result == ACTION_DONE && give_back_counts(done);
		return true;
	}
	if (!give_back_counts(done))
		return true;
	log_err(name, &err);
	return false;
}

unsigned give_back_all(struct supervisor *sup, const char *name, const struct actions *done)
{
	AUTO_FREE bool *over = calloc(done->count + 1, sizeof(*over));
	unsigned given = 0;

	if (!over || done->count == 0)
		return 0;
	for (size_t i = done->count; i-- > 0;)
		over[i] = give_back(sup, name, &done->items[i], &given);
	int r = journal_drop(sup->run_fd, name);
	for (size_t i = 0; r == 0 && i < done->count; i++)
		if (!over[i])
			r = journal_add(sup->run_fd, name, &done->items[i], NULL);
	if (r < 0)
		log_warning(name, "cannot clean the journal: %s", strerror(-r));
	return given;
}

static bool still_runs(struct supervisor *sup, const char *name, pid_t *ret_pid)
{
	AUTO_CLOSE int dirfd =
		openat(sup->run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct process_identity now;
	struct record record;

	if (dirfd < 0 || record_read(dirfd, &record) < 0)
		return false;
	bool runs = record.identity.pid > 0 &&
		    process_identify(&sup->root, record.identity.pid, &now) == 0 &&
		    process_same(&record.identity, &now);
	*ret_pid = record.identity.pid;
	record_free(&record);
	return runs;
}

static void say(struct strlist *words, const char *format, const char *name, unsigned number)
{
	char line[160];

	snprintf(line, sizeof(line), format, name, number);
	if (words)
		strlist_add(words, line);
	else
		log_notice(NULL, "%s", line);
}

/* By this supervisor, right now. */
static bool is_held(struct supervisor *sup, const char *name)
{
	const struct vm *vm = vm_find(sup, name);

	return vm && vm_lives(vm);
}

static void give_back_one(struct supervisor *sup, const char *name, struct strlist *words)
{
	struct actions done = { 0 };
	size_t bad = 0;
	pid_t pid = 0;

	char group[MODEL_PATH];

	/* Whoever is in its groups is not taken out of them, whatever vm.json says. */
	if (is_held(sup, name))
		return;
	if (still_runs(sup, name, &pid) ||
		cgroups_busy(sup->cgroups, place_own_group(name, group), &pid) == 1 ||
		cgroups_busy(sup->cgroups, place_unit_group(name, group), &pid) == 1) {
		say(words,
			"%s still runs, pid %u, and nobody looks after it: `vfio-sup run` of its "
			"file takes it over",
			name, (unsigned)pid);
		return;
	}
	if (journal_read(sup->run_fd, name, &done, &bad) < 0)
		return;
	say(words, "%s: %u host changes of a supervisor that died are given back", name,
		give_back_all(sup, name, &done));
	if (bad > 0)
		say(words, "%s: %u lines of the journal cannot be read", name, (unsigned)bad);
	actions_free(&done);
}

int give_back_leftovers(struct supervisor *sup, struct strlist *words)
{
	AUTO_STRLIST struct strlist names = { 0 };
	int r = journal_vms(sup->run_fd, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++)
		give_back_one(sup, names.items[i], words);
	return r;
}
