/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio-sup plan: what `run` would do, found out without changing anything. */
#include "base/cleanup.h"
#include "cgroups/units.h"
#include "config/config.h"
#include "host/host.h"
#include "supervisor/api.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

static void cannot(struct api_plan *plan, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void cannot(struct api_plan *plan, const char *format, ...)
{
	char words[600];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	strlist_add(&plan->cannot, words);
}

static int read_host(struct supervisor *sup, const struct spec *spec,
	const struct api_options *options, struct err *err)
{
	struct host_state *host = &sup->host;
	int r = root_open(&sup->root, options->root);

	if (r < 0)
		return err_set(err, -r, "cannot open %s: %s", options->root, strerror(-r));
	r = cgroups_open(&sup->root, &sup->cgroups, err);
	if (r == 0)
		r = host_read(&sup->root, host, err);
	if (r < 0)
		return r;
	host->cg_mode = cgroups_mode(sup->cgroups);
	snprintf(host->cg_reason, sizeof(host->cg_reason), "%.255s", cgroups_reason(sup->cgroups));
	if (cgroups_rt_budget(sup->cgroups, getpid(), host->rt_group, sizeof(host->rt_group),
		    &host->rt_group_runtime_us) < 0)
		host->rt_group_runtime_us = LONG_MIN;
	host->units = units_here(&sup->root);
	if (host->units)
		host->allowed = host->online;
	/* Who holds the lock now may have ended by the time of `run`. */
	host->host_owner = true;
	host->may_lift_rt = spec->rt_throttle == RT_THROTTLE_AUTO;
	return 0;
}

/* The last first, as it will be. */
static int give_back_shield(struct vm *vm, struct api_plan *plan, size_t first)
{
	struct action inverse;
	int r = 0;

	for (size_t i = plan->prepare.count; r == 0 && i-- > first;) {
		struct action *action = &plan->prepare.items[i];

		cgroups_prior(vm->sup->cgroups, action);
		if (action_inverse(action, &inverse))
			r = actions_add(&plan->release, &inverse);
	}
	return r;
}

/* Groups named in shield that are not there do not fail a start: they are what cannot be done. */
static int plan_shield(struct vm *vm, struct api_plan *plan, struct err *err)
{
	AUTO_FREE struct cpuset *have = calloc(plan->spec.shield.count + 1, sizeof(*have));

	if (!have)
		return err_set(err, ENOMEM, "out of memory");
	vm_read_shield(vm, have);
	for (size_t i = 0; i < plan->spec.shield.count && plan->place.shield; i++)
		if (cpuset_empty(&have[i]))
			cannot(plan, "shield: there is no group %s", plan->spec.shield.items[i]);
	size_t first = plan->prepare.count;
	int r = place_shield(&plan->place, &plan->spec, have, &plan->prepare, err);
	return r < 0 ? r : give_back_shield(vm, plan, first);
}

static int plan_actions(struct vm *vm, struct api_plan *plan, struct err *err)
{
	struct host_state *host = &vm->sup->host;
	int r = place_prepare(&plan->place, host, &plan->prepare);

	if (r == 0)
		r = plan_shield(vm, plan, err);
	if (r == 0)
		r = place_release(&plan->place, host, &plan->release);
	return r == -ENOMEM ? err_set(err, ENOMEM, "out of memory") : r;
}

static bool asked_for_isolation(const struct spec *spec)
{
	return spec->cpus.isolate == ISOLATE_SHIELD ||
	       (spec->cpus.isolate == ISOLATE_AUTO && spec->shield.count > 0);
}

static void list_obstacles(struct vm *vm, struct api_plan *plan)
{
	const struct place_plan *place = &plan->place;
	bool rt = plan->spec.cpus.policy == SPEC_POLICY_FIFO ||
		  plan->spec.cpus.policy == SPEC_POLICY_RR;

	if (vm->sup->host.cg_mode == CG_MODE_NONE)
		cannot(plan, "cgroups: %s; affinities only", vm->sup->host.cg_reason);
	if (asked_for_isolation(&plan->spec) && !place->isolated)
		cannot(plan, "isolation: %s", place->isolate_reason);
	if (rt && place->policy == SCHED_CLASS_OTHER)
		cannot(plan, "%s", place->policy_reason);
	if (place->place_reason[0] && vm->sup->host.cg_mode != CG_MODE_NONE)
		strlist_add(&plan->warnings, place->place_reason);
	if (plan->spec.accel == ACCEL_AUTO && !vm->kvm)
		strlist_add(
			&plan->warnings, "accel = \"auto\" comes to tcg: KVM does not work here");
}

/* vm_check does what `run` does first; the VM is none, and nothing of it is left. */
static int make_plan(struct supervisor *sup, struct api_plan *plan, struct err *err)
{
	struct vm vm = { .sup = sup,
		.spec = plan->spec,
		.as_unit = sup->host.units,
		.dirfd = -1,
		.iofd = -1,
		.pidfd = -1 };
	int r = vm_check(&vm, err);

	plan->place = vm.plan;
	free(vm.pci.items);
	plan->argv = vm.argv;
	plan->kvm = vm.kvm;
	plan->cg_mode = sup->host.cg_mode;
	if (r == 0)
		r = plan_actions(&vm, plan, err);
	if (r == 0)
		list_obstacles(&vm, plan);
	return r;
}

int api_plan(const char *file, const struct api_options *options, struct api_plan *ret_plan,
	struct err *err)
{
	struct supervisor sup = { .root.fd = -1, .run_fd = -1 };
	int r;

	*ret_plan = (struct api_plan){ 0 };
	list_init(&sup.vms);
	r = config_load_vm(file, &ret_plan->spec, err);
	if (r == 0)
		r = read_host(&sup, &ret_plan->spec, options, err);
	if (r == 0)
		r = make_plan(&sup, ret_plan, err);
	cgroups_close(sup.cgroups);
	root_close(&sup.root);
	if (r < 0)
		api_plan_free(ret_plan);
	return r;
}

void api_plan_free(struct api_plan *plan)
{
	spec_free(&plan->spec);
	actions_free(&plan->prepare);
	actions_free(&plan->release);
	strlist_free(&plan->argv);
	strlist_free(&plan->cannot);
	strlist_free(&plan->warnings);
}
