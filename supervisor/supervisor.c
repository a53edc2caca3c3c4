/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/supervisor.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cgroups/units.h"
#include "host/host.h"
#include "host/process.h"
#include "host/threads.h"
#include "supervisor/control.h"
#include "supervisor/inhibit.h"
#include "supervisor/keeper.h"
#include "supervisor/lock.h"
#include "supervisor/rundir.h"
#include "supervisor/throttle.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

static const char host_lock[] = "vfio-sup.lock";

static void name_self(char words[64])
{
	snprintf(words, 64, "vfio-sup, pid %d", getpid());
}

int supervisor_lock_run_dir(struct supervisor *sup, struct err *err)
{
	char holder[160], words[64];

	name_self(words);
	int fd = lock_take(sup->run_fd, RUN_LOCK, words, holder, sizeof(holder));

	if (fd == -EWOULDBLOCK) {
		err_set(err, EWOULDBLOCK, "another supervisor works in %s: %s", sup->run_dir,
			holder[0] ? holder : "it has not said who it is");
		err_fix(err,
			"`vfio-sup --run-dir %s status` asks it; another VM can have a "
			"--run-dir of its own",
			sup->run_dir);
		return fd;
	}
	if (fd < 0)
		return err_set(
			err, -fd, "cannot lock %s/%s: %s", sup->run_dir, RUN_LOCK, strerror(-fd));
	sup->run_lock_fd = fd;
	return 0;
}

/* Who has it may change what is the host's; without it a VM's own threads are placed all the same. */
static void take_host_lock(struct supervisor *sup)
{
	struct host_state *host = &sup->host;
	char holder[160], words[64];

	name_self(words);

	sup->lock_dir_fd = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = sup->lock_dir_fd < 0
			 ? -errno
			 : lock_take(sup->lock_dir_fd, host_lock, words, holder, sizeof(holder));

	sup->host_lock_fd = fd < 0 ? -1 : fd;
	host->host_owner = fd >= 0;
	if (fd == -EWOULDBLOCK)
		snprintf(host->host_holder, sizeof(host->host_holder), "%s",
			holder[0] ? holder : "another supervisor");
	else if (fd < 0)
		snprintf(host->host_holder, sizeof(host->host_holder), "nobody: /run/%s: %s",
			host_lock, strerror(-fd));
}

static void read_cgroup_facts(struct supervisor *sup)
{
	struct host_state *host = &sup->host;

	host->cg_mode = cgroups_mode(sup->cgroups);
	snprintf(host->cg_reason, sizeof(host->cg_reason), "%.255s", cgroups_reason(sup->cgroups));
	if (cgroups_rt_budget(sup->cgroups, getpid(), host->rt_group, sizeof(host->rt_group),
		    &host->rt_group_runtime_us) < 0)
		host->rt_group_runtime_us = LONG_MIN;
}

int supervisor_read_host(struct supervisor *sup, struct err *err)
{
	struct host_state host = sup->host;
	int r = host_read(&sup->root, &host, err);

	if (r < 0)
		return r;
	/* We have moved off the vCPUs' CPUs ourselves, and KVM was asked already. */
	if (host.units)
		host.allowed = host.online;
	else if (!cpuset_empty(&sup->allowed))
		host.allowed = sup->allowed;
	throttle_as_before(sup, &host);
	host.kvm_works = sup->host.kvm_works;
	memcpy(host.kvm_reason, sup->host.kvm_reason, sizeof(host.kvm_reason));
	sup->host = host;
	return 0;
}

static void read_boot_id(struct supervisor *sup)
{
	struct process_identity self;

	if (process_identify(&sup->root, getpid(), &self) == 0)
		memcpy(sup->boot_id, self.boot_id, sizeof(sup->boot_id));
}

int supervisor_open(struct supervisor *sup, const char *run_dir, const char *root, struct err *err)
{
	*sup = (struct supervisor){ .root.fd = -1,
		.run_dir = run_dir,
		.run_fd = -1,
		.run_lock_fd = -1,
		.lock_dir_fd = -1,
		.host_lock_fd = -1,
		.wake_fd = -1,
		.signal_fd = -1 };
	list_init(&sup->vms);
	int r = root_open(&sup->root, root);
	if (r < 0)
		return err_set(err, -r, "cannot open %s: %s", root, strerror(-r));
	r = sup->run_fd = rundir_open(run_dir, &sup->run_dir_made, err);
	if (r >= 0)
		r = supervisor_lock_run_dir(sup, err);
	if (r >= 0)
		r = cgroups_open(&sup->root, &sup->cgroups, err);
	if (r >= 0)
		r = supervisor_read_host(sup, err);
	if (r < 0) {
		supervisor_close(sup);
		return r;
	}
	sup->allowed = sup->host.allowed;
	sup->history.run_fd = sup->run_fd;
	log_keep(history_keep, &sup->history);
	sup->host.units = units_here(&sup->root);
	/* As a unit QEMU does not share our confinement, be it a shield that we put up ourselves. */
	if (sup->host.units)
		sup->host.allowed = sup->host.online;
	read_boot_id(sup);
	take_host_lock(sup);
	read_cgroup_facts(sup);
	throttle_find(sup);
	return 0;
}

static int wake_fd(void *source)
{
	return ((struct supervisor *)source)->wake_fd;
}

static short wake_events(void *source)
{
	(void)source;
	return POLLIN;
}

/* What the watch thread found may need the slow tick's means: do not wait a second for them. */
static void wake_process(void *source, short revents, uint64_t now_ns)
{
	struct supervisor *sup = source;
	uint64_t count;

	(void)revents;
	if (read(sup->wake_fd, &count, sizeof(count)) < 0)
		return;
	list_for_each (link, &sup->vms) {
		struct vm *vm = list_entry(link, struct vm, link);

		vm_news(vm, now_ns);
	}
}

static const struct source_ops wake_source = { .fd = wake_fd,
	.events = wake_events,
	.deadline_ns = loop_no_deadline,
	.process = wake_process };

int supervisor_start(
	struct supervisor *sup, const char *metrics, enum spec_host_sleep sleep, struct err *err)
{
	sup->loop = loop_new();
	sup->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!sup->loop || sup->wake_fd < 0)
		return err_set(err, ENOMEM, "cannot make the event loop");
	sup->wake_source = loop_add(sup->loop, &wake_source, sup);
	sup->inhibit = sleep == HOST_SLEEP_BLOCK ? inhibit_new(sup->loop) : NULL;
	int r = watch_start(&sup->root, sup->wake_fd, &sup->watch);
	if (r < 0)
		return err_set(err, -r, "cannot start the watch thread: %s", strerror(-r));
	if (keeper_start(sup) < 0)
		return err_set(err, ENOMEM, "out of memory");
	r = control_open(sup, &sup->control, err);
	if (r == 0 && metrics) {
		r = http_open(metrics, page_write, sup, &sup->http, err);
		if (r == 0)
			sup->http_source = loop_add(sup->loop, &http_source, sup->http);
	}
	return r;
}

int supervisor_open_signals(
	struct supervisor *sup, const int *signals, size_t count, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	sup->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return sup->signal_fd < 0 ? err_set(err, errno, "signalfd: %s", strerror(errno)) : 0;
}

void supervisor_close(struct supervisor *sup)
{
	control_close(sup->control);
	if (sup->loop) {
		loop_remove(sup->loop, sup->http_source);
		loop_remove(sup->loop, sup->wake_source);
		loop_remove(sup->loop, sup->keeper_source);
		loop_remove(sup->loop, sup->signal_source);
	}
	log_keep(NULL, NULL);
	inhibit_free(sup->inhibit);
	strlist_free(&sup->bad_vms);
	strlist_free(&sup->bad_words);
	http_close(sup->http);
	watch_stop(sup->watch);
	loop_free(sup->loop);
	cgroups_close(sup->cgroups);
	lock_drop(sup->lock_dir_fd, host_lock, sup->host_lock_fd);
	lock_drop(sup->run_fd, RUN_LOCK, sup->run_lock_fd);
	if (sup->run_dir_made && sup->run_fd >= 0)
		rundir_unmake(sup->run_fd, sup->run_dir);
	int *const fds[] = { &sup->lock_dir_fd, &sup->run_fd, &sup->wake_fd, &sup->signal_fd };
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		cleanup_close(fds[i]);
	root_close(&sup->root);
}

enum action_result supervisor_act(
	struct supervisor *sup, const struct action *action, struct err *err)
{
	switch (action->kind) {
	case ACTION_CG_CREATE:
	case ACTION_CG_REMOVE:
	case ACTION_CG_SET:
	case ACTION_CG_ATTACH:
		return cgroups_act(sup->cgroups, action, err);
	default:
		return host_act(&sup->root, action, err);
	}
}

void supervisor_guard_sleep(struct supervisor *sup)
{
	char words[INHIBIT_WORDS];
	size_t count = 0, at = 0;

	if (!sup->inhibit)
		return;
	list_for_each (link, &sup->vms)
		count++;
	AUTO_FREE struct inhibit_vm *vms = calloc(count + 1, sizeof(*vms));
	if (!vms)
		return;
	list_for_each (link, &sup->vms) {
		const struct vm *vm = list_entry(link, struct vm, link);

		vms[at++] = (struct inhibit_vm){
			.name = vm->spec.name, .lives = vm_lives(vm), .vfio = vm->spec.vfio
		};
	}
	inhibit_want(sup->inhibit, inhibit_words(vms, count, words));
}

void supervisor_keep_off(struct supervisor *sup)
{
	struct cpuset mine = sup->allowed;
	struct threads threads = { 0 };

	list_for_each (link, &sup->vms) {
		const struct vm *vm = list_entry(link, struct vm, link);

		if (vm_lives(vm))
			mine = cpuset_minus(&mine, &vm->plan.vcpus);
	}
	if (cpuset_empty(&mine) ||
		host_threads_read(&sup->root, getpid(), false, &threads, NULL) < 0)
		return;
	for (size_t i = 0; i < threads.count; i++)
		host_fix_affinity(threads.items[i].tid, &mine);
	free(threads.items);
}
