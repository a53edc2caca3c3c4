/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is changed on the host for a VM, written down before, and given back after. */
#include "base/cleanup.h"
#include "base/log.h"
#include "supervisor/giveback.h"
#include "supervisor/journal.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>

static bool done_already(const struct vm *vm, const struct action *action)
{
	struct action done;

	for (size_t i = 0; i < vm->done.count; i++)
		if (action_parse(vm->done.items[i], &done, NULL) == 0 &&
			done.kind == action->kind && strcmp(done.group, action->group) == 0 &&
			strcmp(done.file, action->file) == 0)
			return true;
	return false;
}

int vm_note_done(struct vm *vm, const struct action *action)
{
	struct strbuf text = { 0 };

	action_format(action, &text);
	return strlist_take(&vm->done, strbuf_take(&text));
}

/* The change is in the journal before it is made; what is found in place needs no giving back, but
 * groups do: an earlier supervisor may have left them. */
enum action_result vm_change(struct vm *vm, struct action *action, struct err *err)
{
	struct supervisor *sup = vm->sup;

	if (!done_already(vm, action)) {
		/* Without it nobody could give it back. */
		int r = cgroups_prior(sup->cgroups, action);
		if (r < 0 && give_back_counts(action) && action->kind == ACTION_CG_SET) {
			err_set(err, -r, "cannot read %s of group %s: %s", action->file,
				action->group, strerror(-r));
			return ACTION_GIVE_UP;
		}
		if (journal_add(sup->run_fd, vm->spec.name, action, err) < 0)
			return ACTION_GIVE_UP;
		if (vm_note_done(vm, action) < 0) {
			err_set(err, ENOMEM, "out of memory");
			return ACTION_GIVE_UP;
		}
	}
	enum action_result result = supervisor_act(sup, action, err);
	vm->changed += result == ACTION_DONE && give_back_counts(action);
	return result;
}

static bool succeeded(enum action_result result)
{
	return result == ACTION_DONE || result == ACTION_ALREADY;
}

static int change_all(struct vm *vm, struct actions *actions, struct err *err)
{
	for (size_t i = 0; i < actions->count; i++)
		if (!succeeded(vm_change(vm, &actions->items[i], err)))
			return err->code ? -err->code : -EIO;
	return 0;
}

void vm_read_shield(struct vm *vm, struct cpuset *have)
{
	char text[CPUSET_TEXT];

	for (size_t i = 0; i < vm->spec.shield.count; i++) {
		have[i] = (struct cpuset){ 0 };
		if (cgroups_read(vm->sup->cgroups, vm->spec.shield.items[i], "cpuset.cpus", text,
			    sizeof(text)) > 0)
			cpuset_parse(text, &have[i]);
		else /* v2: empty means the parent's */
			cgroups_effective_cpus(
				vm->sup->cgroups, vm->spec.shield.items[i], &have[i]);
	}
}

/* A group that is not there keeps nobody away, and is most likely a slip of the pen. */
static int find_shield(struct vm *vm, const struct cpuset *have, struct err *err)
{
	const struct strlist *shield = &vm->spec.shield;
	size_t missing = 0;

	for (size_t i = 0; i < shield->count; i++) {
		if (!cpuset_empty(&have[i]))
			continue;
		missing++;
		err_set(err, ENOENT, "there is no group %.100s", shield->items[i]);
		snprintf(vm->plan.isolate_reason, sizeof(vm->plan.isolate_reason), "%.250s",
			err->text);
	}
	return missing > 0 && missing == shield->count ? -ENOENT : 0;
}

void vm_put_up_shield(struct vm *vm)
{
	struct actions actions = { 0 };
	struct err err = { 0 };
	AUTO_FREE struct cpuset *have = calloc(vm->spec.shield.count + 1, sizeof(*have));

	if (!vm->plan.shield || !have)
		return;
	vm_read_shield(vm, have);
	int r = find_shield(vm, have, &err);
	if (r == 0)
		r = place_shield(&vm->plan, &vm->spec, have, &actions, &err);
	if (r == 0)
		r = change_all(vm, &actions, &err);
	if (r < 0) {
		place_without_shield(&vm->spec, &vm->sup->host, err.text, &vm->plan);
		log_warning(vm->spec.name, "%s", vm->plan.isolate_reason);
	}
	actions_free(&actions);
}

int vm_prepare(struct vm *vm, struct err *err)
{
	struct actions actions = { 0 };
	int r = place_prepare(&vm->plan, &vm->sup->host, &actions);

	if (r == 0)
		r = change_all(vm, &actions, err);
	actions_free(&actions);
	/* Without a journal nothing may be changed; without groups affinities still place. */
	if (r < 0 && (!vm->plan.group[0] || r == -ENOMEM || strstr(err->text, "journal")))
		return r;
	if (r < 0) {
		log_warning(vm->spec.name, "no cgroups, affinities only: %s", err->text);
		place_without_groups(&vm->spec, &vm->sup->host, err->text, &vm->plan);
	}
	/* Below a unit: when it is there. */
	if (!vm->plan.unit[0])
		vm_put_up_shield(vm);
	return 0;
}

void vm_release(struct vm *vm)
{
	struct actions done = { 0 };
	struct action action;

	for (size_t i = 0; i < vm->done.count; i++)
		if (action_parse(vm->done.items[i], &action, NULL) == 0)
			actions_add(&done, &action);
	vm->given_back = give_back_all(vm->sup, vm->spec.name, &done);
	actions_free(&done);
	strlist_free(&vm->done);
}
