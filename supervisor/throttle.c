/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/throttle.h"
#include "base/log.h"
#include "base/num.h"
#include "host/sched.h"
#include "supervisor/journal.h"
#include "supervisor/lease.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static const char file_name[] = "proc/sys/kernel/sched_rt_runtime_us";

void throttle_as_before(const struct supervisor *sup, struct host_state *host)
{
	if (sup->lifted)
		num_parse_long(sup->lift.prior, LONG_MIN, LONG_MAX, &host->rt_runtime_us);
}

/* By what the kernel shows: the plan's word is not enough to lift it. */
static bool is_isolated(const struct vm *vm)
{
	for (size_t i = 0; i < vm->drift_count; i++)
		if (vm->drifts[i].open && vm->drifts[i].kind == DRIFT_SHIELD)
			return false;
	return vm->plan.isolated;
}

/* NULL: nobody needs it now. With one real-time VM that is not isolated a runaway guest could take the host
 * along: then it stays as it is for all. */
static const struct vm *who_wants(const struct supervisor *sup)
{
	const struct vm *wants = NULL;

	list_for_each (link, &sup->vms) {
		const struct vm *vm = list_entry(link, struct vm, link);

		if (!vm_lives(vm) || !sched_is_realtime(vm->plan.policy))
			continue;
		if (!is_isolated(vm))
			return NULL;
		if (vm->plan.lift_throttle)
			wants = vm;
	}
	return wants;
}

/* Whoever counted on it runs as an ordinary task instead. */
static void refuse(struct supervisor *sup, const struct err *err)
{
	log_err(NULL, err);
	sup->host.may_lift_rt = false;
	list_for_each (link, &sup->vms) {
		struct vm *vm = list_entry(link, struct vm, link);

		if (vm->plan.lift_throttle)
			place_without_rt(&sup->host, err->text, &vm->plan);
	}
}

static int read_prior(struct supervisor *sup, struct action *action, struct err *err)
{
	ssize_t n = root_read(&sup->root, file_name, action->prior, sizeof(action->prior));

	action->prior_known = n >= 0;
	return n < 0 ? err_set(err, (int)-n, "/%s: %s", file_name, strerror((int)-n)) : 0;
}

static void lift(struct supervisor *sup, const struct vm *vm)
{
	struct action action = { .kind = ACTION_SYSFS_WRITE, .value = "-1" };
	struct err err = { 0 };

	snprintf(action.file, sizeof(action.file), "%s", file_name);
	snprintf(action.reason, sizeof(action.reason),
		"%s: its real-time vCPUs are isolated and lose time to the throttle",
		vm->spec.name);
	int r = read_prior(sup, &action, &err);
	if (r == 0 && strcmp(action.prior, action.value) == 0)
		return;
	if (r == 0)
		r = journal_add(sup->run_fd, JOURNAL_HOST, &action, &err);
	if (r == 0)
		r = lease_begin(sup, &err);
	if (r == 0 && supervisor_act(sup, &action, &err) == ACTION_GIVE_UP) {
		r = -EIO;
		lease_end(sup);
		journal_drop(sup->run_fd, JOURNAL_HOST);
	}
	if (r < 0) {
		refuse(sup, &err);
		return;
	}
	sup->lifted = true;
	sup->lift = action;
	log_notice(NULL,
		"the real-time throttle is lifted (sched_rt_runtime_us %s -> -1) while %s runs",
		action.prior, vm->spec.name);
}

/* Somebody else has set it meanwhile; `sysctl --system` does. */
static void lift_again(struct supervisor *sup)
{
	struct err err = { 0 };
	enum action_result result = supervisor_act(sup, &sup->lift, &err);

	/* It may have been lifted by a supervisor before us. */
	if (lease_begin(sup, &err) < 0)
		log_err(NULL, &err);
	if (result == ACTION_DONE)
		log_notice(NULL, "sched_rt_runtime_us was set by somebody else: -1 again");
	else if (result != ACTION_ALREADY)
		log_err(NULL, &err);
}

bool throttle_give_back(struct supervisor *sup)
{
	struct action inverse;
	struct err err = { 0 };
	char value[64];
	bool given = false;

	if (!sup->lifted)
		return false;
	/* Another value than ours is somebody else's will. */
	ssize_t n = root_read(&sup->root, file_name, value, sizeof(value));
	if (n < 0 || strcmp(value, sup->lift.value) == 0) {
		enum action_result result = action_inverse(&sup->lift, &inverse)
						    ? supervisor_act(sup, &inverse, &err)
						    : ACTION_ALREADY;

		/* Written down it stays until it is: it is tried again. */
		if (result != ACTION_DONE && result != ACTION_ALREADY) {
			log_err(NULL, &err);
			return false;
		}
		given = true;
		log_notice(NULL, "the real-time throttle is given back (%s)", sup->lift.prior);
	}
	sup->lifted = false;
	journal_drop(sup->run_fd, JOURNAL_HOST);
	lease_end(sup);
	return given;
}

void throttle_keep(struct supervisor *sup)
{
	const struct vm *vm = who_wants(sup);

	if (!sup->host.host_owner)
		return;
	if (!vm)
		throttle_give_back(sup);
	else if (sup->lifted)
		lift_again(sup);
	else
		lift(sup, vm);
}

void throttle_find(struct supervisor *sup)
{
	struct actions actions = { 0 };
	size_t bad = 0;

	if (sup->host.host_owner && journal_read(sup->run_fd, JOURNAL_HOST, &actions, &bad) == 0 &&
		actions.count > 0) {
		sup->lift = actions.items[0];
		sup->lifted = true;
		throttle_as_before(sup, &sup->host);
	}
	actions_free(&actions);
}

void throttle_write_again(struct supervisor *sup)
{
	struct err err = { 0 };

	sup->leased_ns = 0;
	if (sup->lifted && (journal_add(sup->run_fd, JOURNAL_HOST, &sup->lift, &err) < 0 ||
				   lease_begin(sup, &err) < 0))
		log_err(NULL, &err);
}
