/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/status.h"
#include "supervisor/daemon.h"
#include "supervisor/inhibit.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <string.h>

void status_thread_name(const struct thread *thread, char *name, size_t size)
{
	if (thread->role == ROLE_IOTHREAD && thread->id[0])
		snprintf(name, size, "%s", thread->id);
	else if (thread->index >= 0)
		snprintf(name, size, "%s %d", role_name(thread->role), thread->index);
	else if (thread->role == ROLE_UNKNOWN && thread->comm[0])
		snprintf(name, size, "%s", thread->comm);
	else
		snprintf(name, size, "%s", role_name(thread->role));
}

static json_t *cpus_json(const struct cpuset *cpus)
{
	char text[CPUSET_TEXT];

	return json_string(cpuset_format(cpus, text, sizeof(text)));
}

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

static void set_int(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_seconds(json_t *object, const char *key, uint64_t ns)
{
	json_object_set_new(object, key, json_real((double)ns / 1e9));
}

/* Wanted beside seen, of one thread. */
static json_t *thread_json(const struct vm *vm, const struct thread *seen, bool *ret_placed)
{
	const struct thread *known = threads_find(&vm->wanted.threads, seen->tid);
	struct placement wanted = known ? known->place : place_thread(&vm->plan, seen);
	struct cpuset online = vm->sup->host.online;
	struct cpuset want = cpuset_and(&wanted.cpus, &online);
	struct cpuset have = cpuset_and(&seen->place.cpus, &online);
	bool rt = wanted.policy == SCHED_CLASS_FIFO || wanted.policy == SCHED_CLASS_RR;
	bool placed = cpuset_equal(&want, &have) && wanted.policy == seen->place.policy &&
		      (!rt || wanted.priority == seen->place.priority) &&
		      (wanted.slot == SLOT_NONE || wanted.slot == seen->place.slot);
	json_t *json = json_object();
	char name[96], group[MODEL_PATH];

	status_thread_name(seen, name, sizeof(name));
	set_text(json, "name", name);
	set_int(json, "tid", (uint64_t)seen->tid);
	json_object_set_new(json, "cpus_wanted", cpus_json(&wanted.cpus));
	json_object_set_new(json, "cpus_actual", cpus_json(&seen->place.cpus));
	set_text(json, "policy_wanted", sched_class_name(wanted.policy));
	set_text(json, "policy_actual", sched_class_name(seen->place.policy));
	json_object_set_new(json, "priority_wanted", json_integer(wanted.priority));
	json_object_set_new(json, "priority_actual", json_integer(seen->place.priority));
	json_object_set_new(json, "nice_wanted", json_integer(wanted.nice));
	json_object_set_new(json, "nice_actual", json_integer(seen->place.nice));
	set_text(json, "cgroup", seen->cgroup);
	set_text(json, "cgroup_wanted",
		place_slot_group(&vm->plan, vm->sup->host.cg_mode, wanted.slot, group));
	json_object_set_new(json, "placed", json_boolean(placed));
	*ret_placed = placed;
	return json;
}

static void add_window(json_t *json, const struct tracked *tracked)
{
	json_object_set_new(
		json, "wait_share_10s", json_real(tracked ? window_share(&tracked->window) : 0));
	set_seconds(json, "worst_wait_10s_seconds", tracked ? window_worst(&tracked->window) : 0);
}

static json_t *vcpu_json(const struct vm *vm, const struct thread *seen)
{
	bool placed;
	json_t *json = thread_json(vm, seen, &placed);
	bool counted = seen->index >= 0 && (unsigned)seen->index < vm->counters->vcpus;
	static const struct latency_counters none;
	const struct latency_counters *latency = counted ? &vm->counters->vcpu[seen->index] : &none;

	json_object_set_new(json, "index", json_integer(seen->index));
	set_seconds(json, "run_seconds", counter_read(&latency->run_ns));
	set_seconds(json, "wait_seconds", counter_read(&latency->wait_ns));
	set_int(json, "stalls", counter_read(&latency->stalls));
	set_seconds(json, "max_wait_seconds", counter_read(&latency->max_wait_ns));
	set_seconds(json, "worst_wait_seconds", counter_read(&latency->max_wait_ns));
	add_window(json, vm_tracked(vm, seen->tid));
	return json;
}

static json_t *other_json(const struct vm *vm, const struct thread *seen)
{
	const struct tracked *tracked = vm_tracked(vm, seen->tid);
	bool placed;
	json_t *json = thread_json(vm, seen, &placed);

	set_text(json, "role", role_name(seen->role));
	set_text(json, "comm", seen->comm);
	set_seconds(json, "worst_wait_seconds", tracked ? tracked->worst_ns : 0);
	add_window(json, tracked);
	return json;
}

static void add_threads(const struct vm *vm, json_t *status)
{
	json_t *vcpus = json_array(), *threads = json_array();

	/* vCPUs in the order of their index, whatever their tids are. */
	for (int index = 0; index < (int)vm->counters->vcpus; index++)
		for (size_t i = 0; i < vm->seen.threads.count; i++) {
			const struct thread *thread = &vm->seen.threads.items[i];

			if (thread->role == ROLE_VCPU && thread->index == index)
				json_array_append_new(vcpus, vcpu_json(vm, thread));
		}
	for (size_t i = 0; i < vm->seen.threads.count; i++)
		if (vm->seen.threads.items[i].role != ROLE_VCPU)
			json_array_append_new(threads, other_json(vm, &vm->seen.threads.items[i]));
	json_object_set_new(status, "vcpus", vcpus);
	json_object_set_new(status, "threads", threads);
}

static void add_feels(const struct vm *vm, json_t *status)
{
	uint64_t worst = 0, worst_10s = 0, stalls = 0, last = 0;

	for (unsigned i = 0; i < vm->counters->vcpus; i++) {
		const struct latency_counters *latency = &vm->counters->vcpu[i];
		uint64_t most = counter_read(&latency->max_wait_ns);
		uint64_t when = counter_read(&latency->last_stall_s);

		worst = most > worst ? most : worst;
		last = when > last ? when : last;
		stalls += counter_read(&latency->stalls);
	}
	for (size_t i = 0; i < vm->tracked_count; i++) {
		uint64_t most = vm->tracked[i].slot >= 0 ? window_worst(&vm->tracked[i].window) : 0;

		worst_10s = most > worst_10s ? most : worst_10s;
	}
	json_t *feels = json_object();
	set_seconds(feels, "worst_wait_10s_seconds", worst_10s);
	set_seconds(feels, "worst_wait_seconds", worst);
	set_int(feels, "stalls", stalls);
	json_object_set_new(
		feels, "last_stall", last ? json_integer((json_int_t)last) : json_null());
	set_seconds(feels, "stall_limit_seconds", vm->spec.latency.stall_ns);
	json_object_set_new(status, "feels", feels);
}

static void add_isolation(const struct vm *vm, json_t *status)
{
	static const char *const wanted[] = {
		[ISOLATE_AUTO] = "auto", [ISOLATE_SHIELD] = "shield", [ISOLATE_OFF] = "off"
	};
	const struct place_plan *plan = &vm->plan;
	const char *actual = plan->shield ? "shield" : plan->isolated ? "boot" : "off";
	json_t *isolation = json_object();

	set_text(isolation, "wanted", wanted[vm->spec.cpus.isolate]);
	set_text(isolation, "actual", actual);
	json_object_set_new(isolation, "cpus", cpus_json(&plan->vcpus));
	set_text(isolation, "reason", plan->isolate_reason);
	json_object_set_new(isolation, "housekeeping", cpus_json(&plan->housekeeping));
	json_object_set_new(status, "isolation", isolation);
	set_text(status, "policy_reason", plan->policy_reason);
	set_text(status, "place_reason", plan->place_reason);
}

static void add_start(const struct vm *vm, json_t *status)
{
	json_t *start = json_object();
	/* Only a start that this supervisor has made was measured. */
	uint64_t from = vm->spawned_ns ? vm->spawned_ns : UINT64_MAX;

	set_seconds(start, "greeting_seconds", vm->greeting_ns > from ? vm->greeting_ns - from : 0);
	set_seconds(start, "placed_seconds", vm->placed_ns > from ? vm->placed_ns - from : 0);
	set_seconds(start, "cont_seconds", vm->cont_ns > from ? vm->cont_ns - from : 0);
	json_object_set_new(status, "start", start);
}

static json_t *stop_json(const struct vm *vm)
{
	static const char *const rungs[] = { [STOP_NONE] = "none",
		[STOP_POWERDOWN] = "powerdown",
		[STOP_QUIT] = "quit",
		[STOP_TERM] = "term",
		[STOP_KILL] = "kill" };

	json_t *stop = json_pack(
		"{s:s, s:i}", "rung", rungs[vm->ladder.rung], "presses", (int)vm->ladder.presses);
	const struct spec *spec = &vm->spec;
	uint64_t limit =
		vm->ladder.host_shutdown ? spec->stop.host_shutdown_ns : spec->stop.powerdown_ns;

	/* When the guest's time is up: then `quit`, or it is left alone. */
	if (stop && vm->ladder.rung == STOP_POWERDOWN) {
		uint64_t end = vm->ladder.rung_since_ns + limit, now = clock_now_ns();

		json_object_set_new(stop, "until",
			json_real(clock_wall_seconds() +
				  (end > now ? (double)(end - now) / 1e9 : 0)));
		json_object_set_new(stop, "force", json_boolean(vm->ladder.force));
	}
	return stop;
}

static void add_end(const struct vm *vm, json_t *status)
{
	set_int(status, "restarts", vm->restarts);
	json_object_set_new(status, "last_exit",
		vm->last_exit_at > 0
			? json_pack("{s:s, s:f}", "reason", exit_reason_name(vm->last_exit), "at",
				  vm->last_exit_at)
			: json_null());
	json_object_set_new(status, "stop", vm->phase == VM_STOPPING ? stop_json(vm) : json_null());
}

/* What has changed in the file and waits for the next start. */
static json_t *pending_json(const struct vm *vm)
{
	AUTO_STRLIST struct strlist keys = { 0 };
	json_t *list = json_array();

	if (vm->pending.text)
		spec_news(&vm->spec, &vm->pending, &keys);
	for (size_t i = 0; i < keys.count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s}", "kind", "config", "what", keys.items[i],
				"reason", "changed in the file, takes effect at the next start"));
	return list;
}

json_t *status_vm(struct vm *vm)
{
	json_t *status = json_object();

	/* What the kernel says now, not what it said at the last tick. */
	if (vm_lives(vm))
		vm_observe(vm, NULL);
	set_text(status, "name", vm->spec.name);
	set_text(status, "state", vm_phase_name(vm->phase));
	json_object_set_new(status, "since", json_real(vm->since));
	json_object_set_new(status, "state_since", json_real(vm->phase_since));
	json_object_set_new(
		status, "pid", vm_lives(vm) ? json_integer(vm->identity.pid) : json_null());
	set_text(status, "qemu", vm->version);
	set_text(status, "accel", vm->kvm ? "kvm" : "tcg");
	set_text(status, "user", vm->user.name);
	set_text(status, "unit", vm->plan.unit); /* of systemd's; "": forked by the supervisor */
	add_threads(vm, status);
	add_isolation(vm, status);
	json_object_set_new(status, "irqs", json_array());
	json_object_set_new(status, "devices", json_array());
	json_object_set_new(status, "drift", status_drift(vm));
	add_end(vm, status);
	json_object_set_new(status, "alarms", status_alarms(vm));
	json_object_set_new(status, "pending", pending_json(vm));
	add_feels(vm, status);
	add_start(vm, status);
	return status;
}

static json_t *sleep_json(const struct inhibit *inhibit)
{
	if (!inhibit)
		return json_pack(
			"{s:s, s:s, s:s}", "wanted", "allow", "inhibitor", "none", "reason", "");
	return json_pack("{s:s, s:s, s:s}", "wanted", "block", "inhibitor",
		inhibit_state_name(inhibit_state(inhibit)), "reason", inhibit_reason(inhibit));
}

static json_t *bad_files_json(const struct supervisor *sup)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sup->bad_words.count; i++)
		json_array_append_new(array, json_pack("{s:s, s:s}", "vm", sup->bad_vms.items[i],
						     "words", sup->bad_words.items[i]));
	return array;
}

json_t *status_all(struct supervisor *sup)
{
	static const char *const modes[] = {
		[CG_MODE_NONE] = "none", [CG_MODE_V1] = "v1", [CG_MODE_V2] = "v2"
	};
	const struct host_state *host = &sup->host;
	json_t *vms = json_array();
	char kernel[32];

	list_for_each (link, &sup->vms)
		json_array_append_new(vms, status_vm(list_entry(link, struct vm, link)));
	snprintf(kernel, sizeof(kernel), "%d.%d", host->kernel_major, host->kernel_minor);
	return json_pack("{s:{s:s, s:s, s:o, s:b, s:s, s:o, s:b}, s:o, s:o}", "host", "cgroups",
		modes[host->cg_mode], "kernel", kernel, "online", cpus_json(&host->online), "owner",
		host->host_owner, "holder", host->host_owner ? "" : host->host_holder, "sleep",
		sleep_json(sup->inhibit), "rt_throttle_lifted", sup->lifted, "vms", vms,
		"bad_files", bad_files_json(sup));
}
