/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A QEMU process becomes ours: its threads are named, placed, read back, and only then it runs. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "config/config.h"
#include "supervisor/journal.h"
#include "supervisor/record.h"
#include "supervisor/throttle.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define ASK_LIMIT_NS     (5 * NS_PER_SEC)
#define FRESH_LIMIT_NS   (600 * NS_PER_SEC) /* QEMU is still setting up; should it fail, it exits */
#define PLACE_LIMIT_NS   (2 * NS_PER_SEC)   /* then the guest runs, and what is open is said */
#define PLACE_AGAIN_NS   (10 * NS_PER_MS)
#define CONNECT_AGAIN_NS (3 * NS_PER_MS)

static bool coming_up(const struct vm *vm)
{
	return vm->phase == VM_STARTING || vm->phase == VM_ADOPTING;
}

bool vm_connect_again(struct vm *vm, int r, uint64_t now_ns)
{
	/* As a unit: its socket is bound before, and nobody but QEMU listens there. */
	if (r != -ECONNREFUSED || !vm->fresh || !vm->as_unit || !coming_up(vm) ||
		now_ns >= vm->connect_until)
		return false;
	vm->reconnect_at = now_ns + CONNECT_AGAIN_NS;
	return true;
}

void vm_adopt(struct vm *vm)
{
	struct err err = { 0 };
	uint64_t now = clock_now_ns();

	/* One that is left from an earlier QEMU. */
	qmp_disconnect(vm->qmp, "another QEMU");
	vm->place_until = now + PLACE_LIMIT_NS;
	vm->connect_until = now + FRESH_LIMIT_NS;
	int r = qmp_connect(vm->qmp, vm->iofd, "qmp.sock", vm->identity.pid, now, &err);
	if (r == 0)
		return;
	if (vm_connect_again(vm, r, now))
		return;
	vm->failure = err;
	vm_event(vm, LIFE_FAILURE);
}

static void fail(struct vm *vm, const char *what, const char *words)
{
	if (!coming_up(vm))
		return;
	err_set(&vm->failure, EIO, "%s: %s", what, words);
	vm_event(vm, LIFE_FAILURE);
}

/* TCG with thread=single runs all vCPUs on one thread: it cannot be on two CPUs. */
static bool share_a_thread(const struct vm *vm)
{
	for (size_t i = 1; i < vm->named_vcpus; i++)
		if (vm->named[i].tid == vm->named[0].tid)
			return true;
	return false;
}

/* Puts what QMP has just named in place of the vCPUs, or of the iothreads; the others stay. */
static int set_named(struct vm *vm, bool vcpus, const struct qmp_thread *found, size_t count)
{
	size_t others = vcpus ? vm->named_count - vm->named_vcpus : vm->named_vcpus;
	struct qmp_thread *named = calloc(count + others + 1, sizeof(*named));

	if (!named)
		return -ENOMEM;
	if (others > 0)
		memcpy(named + (vcpus ? count : 0), vm->named + (vcpus ? vm->named_vcpus : 0),
			others * sizeof(*named));
	memcpy(named + (vcpus ? 0 : others), found, count * sizeof(*named));
	free(vm->named);
	vm->named = named;
	vm->named_count = count + others;
	if (vcpus)
		vm->named_vcpus = count;
	return 0;
}

static int take_threads(
	struct vm *vm, bool vcpus, enum qmp_outcome outcome, json_t *result, const char *words)
{
	static struct qmp_thread found[SPEC_VCPUS_MAX];
	int n = -EIO;

	if (outcome == QMP_OK)
		n = vcpus ? qmp_parse_cpus(result, found, ARRAY_SIZE(found))
			  : qmp_parse_iothreads(result, found, ARRAY_SIZE(found));
	if (n >= 0)
		n = set_named(vm, vcpus, found, (size_t)n);
	if (n < 0)
		fail(vm, vcpus ? "query-cpus-fast" : "query-iothreads",
			words[0] ? words : strerror(-n));
	return n;
}

static void take_iothreads(void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct vm *vm = arg;

	if (outcome != QMP_LOST && take_threads(vm, false, outcome, result, words) == 0)
		vm_try_place(vm, clock_now_ns());
}

static void take_cpus(void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct vm *vm = arg;

	if (outcome == QMP_LOST || take_threads(vm, true, outcome, result, words) < 0)
		return;
	if (share_a_thread(vm) && cpuset_count(&vm->plan.vcpus) > 1)
		fail(vm, "placement",
			"QEMU runs several vCPUs on one thread (thread=single), and a CPU each is "
			"planned; take it out of args");
}

void vm_ask_threads(struct vm *vm)
{
	uint64_t now = clock_now_ns(), limit = vm->fresh ? FRESH_LIMIT_NS : ASK_LIMIT_NS;

	/* Answers come in the order of the questions. */
	if (qmp_send(vm->qmp, "query-cpus-fast", NULL, limit, now, take_cpus, vm) < 0 ||
		qmp_send(vm->qmp, "query-iothreads", NULL, limit, now, take_iothreads, vm) < 0)
		fail(vm, "QMP", "the question cannot be sent");
}

static void on_placed(struct vm *vm)
{
	/* The guest's first I/O makes worker threads: soon. */
	vm->slow_at = clock_now_ns() + 50 * NS_PER_MS;
	vm_event(vm, LIFE_PLACED);
	vm_tell(vm, true, true, "%s runs, pid %d", vm->spec.name, (int)vm->identity.pid);
}

static void on_cont(void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct vm *vm = arg;

	(void)result;
	if (outcome == QMP_LOST)
		return;
	/* No answer yet is no refusal: the guest may run already, and the heartbeat will judge. */
	if (outcome == QMP_ERROR) {
		fail(vm, "cont", words);
		return;
	}
	vm->cont_ns = clock_now_ns();
	vm->evidence.ran = true;
	vm->fresh = false;
	/* exe is what it is now, also behind a wrapper script. */
	process_identify(&vm->sup->root, vm->identity.pid, &vm->identity);
	vm_save(vm);
	on_placed(vm);
}

void vm_try_place(struct vm *vm, uint64_t now_ns)
{
	/* `fresh`: QMP was lost on the way, and is back. */
	if (!coming_up(vm) && !(vm->fresh && vm->phase == VM_RUNNING))
		return;
	throttle_keep(vm->sup);
	unsigned left = vm_reconcile(vm, true);
	if (left > 0 && now_ns < vm->place_until) {
		vm->place_at = now_ns + PLACE_AGAIN_NS;
		return;
	}
	vm->placed_ns = clock_now_ns();
	/* The worst wait is this QEMU's; the sums go on. */
	for (unsigned i = 0; vm->fresh && i < vm->counters->vcpus; i++)
		vm->counters->vcpu[i].max_wait_ns = vm->counters->vcpu[i].seen_tid =
			vm->counters->vcpu[i].ahead_ns = 0;
	vm_track(vm);
	if (!vm->fresh)
		on_placed(vm);
	else if (qmp_send(vm->qmp, "cont", NULL, ASK_LIMIT_NS, now_ns, on_cont, vm) < 0)
		fail(vm, "cont", "it cannot be sent");
}

/* What its first supervisor did for it is ours to give back. */
static void take_over(struct vm *vm)
{
	struct actions done = { 0 };
	size_t bad = 0;

	journal_read(vm->sup->run_fd, vm->spec.name, &done, &bad);
	for (size_t i = 0; i < done.count; i++)
		vm_note_done(vm, &done.items[i]);
	actions_free(&done);
	if (bad > 0)
		log_warning(vm->spec.name, "%zu lines of the journal cannot be read", bad);
	supervisor_keep_off(vm->sup);
	vm_watch_process(vm);
	if (vm->as_unit)
		vm_make_unit_groups(vm);
	else
		vm_put_up_shield(vm);
}

/* 1: the process that was written down, and no other, held by a pidfd and asked again behind it. 0: it is
 * gone for certain. -errno: nobody can tell. */
static int find_process(struct vm *vm, const struct record *record, struct err *err)
{
	const struct process_identity *was = &record->identity;
	struct process_identity now;

	/* Its supervisor died between the order to systemd and the pid. */
	if (was->pid <= 0)
		return record->unit ? vm_find_unit(vm, err) : 0;
	int r = process_identify(&vm->sup->root, was->pid, &now);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	if (now.start_ticks != was->start_ticks || strcmp(now.boot_id, was->boot_id) != 0)
		return 0; /* the pid is another's by now */
	if (!process_same(was, &now))
		return -ESTALE; /* it has become another program */
	vm->identity = now;
	vm->pidfd = process_pidfd(now.pid);
	if (vm->pidfd < 0)
		return vm->pidfd == -ESRCH ? 0 : vm->pidfd;
	r = process_identify(&vm->sup->root, now.pid, &now);
	return r == 0 && process_same(was, &now) ? 1 : 0;
}

/* vm.json is lost; does somebody listen on the monitor's socket all the same? */
static bool monitor_answers(int dirfd)
{
	AUTO_CLOSE int io = openat(dirfd, "io", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int fd = io < 0 ? -1 : sock_connect_at(io, "qmp.sock");

	return fd >= 0 || fd == -EAGAIN;
}

/* It goes on as it was started; what the file says now is for the next start. */
static int take_old_spec(struct vm *vm, const struct record *record, struct err *err)
{
	struct spec old;

	if (strcmp(record->config_text, vm->spec.text) == 0)
		return 0;
	int r = config_parse_vm(
		record->config_path, record->config_text, strlen(record->config_text), &old, err);
	if (r < 0)
		return r;
	vm->pending = vm->spec;
	vm->spec = old;
	return 0;
}

static int adopt_record(struct vm *vm, const struct record *record, struct err *err)
{
	int r = take_old_spec(vm, record, err);

	vm->as_unit = record->unit;
	if (r == 0)
		r = vm_check_running(vm, err);
	if (r == 0)
		r = vm_open(vm, err);
	if (r < 0)
		return r;
	vm->since = record->since;
	vm->kvm = record->kvm;
	vm->restarts = record->restarts;
	vm->evidence.ran = record->running;
	vm->fresh = !record->running;
	take_over(vm);
	return 0;
}

/* vm.json is gone; the unit's name says all the same whose QEMU it is. What it was started from nobody knows:
 * the file stands for it. */
static int adopt_unit(struct vm *vm, struct err *err)
{
	struct record record = { .since = clock_wall_seconds(),
		.running = true,
		.kvm = vm->spec.accel == ACCEL_KVM,
		.unit = true,
		.config_path = vm->spec.file,
		.config_text = vm->spec.text };
	char group[MODEL_PATH];
	pid_t pid;

	if (!vm->sup->host.units ||
		cgroups_busy(vm->sup->cgroups, place_unit_group(vm->spec.name, group), &pid) != 1)
		return 0;
	int r = vm_find_unit(vm, err);
	if (r == 1 && adopt_record(vm, &record, err) < 0)
		r = -err->code;
	vm->foreign = r < 0;
	vm->maybe_fresh = r == 1;
	if (r == 1)
		log_warning(vm->spec.name,
			"vm.json is gone; pid %d is its QEMU by the name of its unit. Whether its "
			"file is what it was started from cannot be told",
			(int)vm->identity.pid);
	else
		vm_drop_process(vm);
	return r;
}

static int no_record(struct vm *vm, int dirfd, int r, struct err *err)
{
	int found = adopt_unit(vm, err);

	if (found != 0)
		return found;
	if (dirfd < 0 || !monitor_answers(dirfd)) {
		if (r != -ENOENT)
			log_warning(vm->spec.name,
				"vm.json cannot be trusted (%s): set aside as vm.json.bad",
				strerror(-r));
		return 0;
	}
	vm->foreign = true;
	err_set(err, EBUSY, "%s: a QEMU answers on its monitor, and there is no vm.json to be read",
		vm->spec.name);
	err_fix(err, "end that QEMU, or wait for it, then start the VM again");
	return -EBUSY;
}

int vm_find_running(struct vm *vm, struct err *err)
{
	AUTO_CLOSE int dirfd = openat(
		vm->sup->run_fd, vm->spec.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct record record;
	int r = dirfd < 0 ? -ENOENT : record_read(dirfd, &record);

	if (r < 0)
		return no_record(vm, dirfd, r, err);
	r = find_process(vm, &record, err);
	if (r < 0 && !err->code)
		err_set(err, -r, "whether pid %d is %s's QEMU cannot be told: %s",
			(int)record.identity.pid, vm->spec.name, strerror(-r));
	else if (r == 1 && adopt_record(vm, &record, err) < 0)
		r = err_prefix(err, "QEMU runs, pid %d, and cannot be taken over",
			(int)record.identity.pid);
	vm->found_stop = record.stopping;
	vm->found_force = record.force;
	vm->found_cause = (enum exit_reason)record.cause;
	vm->found_start = r == 0 && record.starting && !record.stopping &&
			  strcmp(record.identity.boot_id, vm->sup->boot_id) == 0;
	if (vm->found_start)
		vm->restarts = record.restarts;
	record_free(&record);
	vm->foreign = r < 0;
	if (r != 1)
		vm_drop_process(vm);
	return r;
}

void vm_take_over(struct vm *vm)
{
	log_notice(vm->spec.name, "taking over QEMU, pid %d", (int)vm->identity.pid);
	vm_event(vm, LIFE_FOUND);
	vm_save(vm);
	/* Somebody wanted it to end, and that did not die with the supervisor. */
	vm_take_up_intent(vm, vm->found_stop, vm->found_force, vm->found_cause);
}

void vm_start_again(struct vm *vm)
{
	if (vm->sup->host_down)
		return;
	log_notice(vm->spec.name, "it was to be started when its last supervisor ended");
	vm_event(vm, LIFE_RETRY);
	vm->restart_at = clock_now_ns() + vm->spec.restart.delay_ns;
}
