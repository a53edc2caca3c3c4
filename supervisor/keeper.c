/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/keeper.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/control.h"
#include "supervisor/journal.h"
#include "supervisor/lease.h"
#include "supervisor/rundir.h"
#include "supervisor/throttle.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_NS NS_PER_SEC

/* `name` in `dirfd` is what `fd` is open on. */
static bool same_file(int dirfd, const char *name, int fd)
{
	struct stat there, here;

	return fstatat(dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &here) == 0 &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

static bool is_there(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Written to the new journal as it was in the old one: what must be given back if we die. */
static void write_journal(struct supervisor *sup, const struct vm *vm)
{
	struct action action;
	struct err err;

	for (size_t i = 0; i < vm->done.count; i++)
		if (action_parse(vm->done.items[i], &action, NULL) == 0 &&
			journal_add(sup->run_fd, vm->spec.name, &action, &err) < 0)
			log_err(vm->spec.name, &err);
}

static void reopen_vm(struct vm *vm, struct err *err)
{
	int dirfd, iofd;
	int r = rundir_open_vm(
		vm->sup->run_fd, vm->spec.name, vm->user.uid, vm->user.gid, &dirfd, &iofd, err);

	if (r < 0) {
		log_err(vm->spec.name, err);
		return;
	}
	close(vm->dirfd);
	close(vm->iofd);
	vm->dirfd = dirfd;
	vm->iofd = iofd;
	counters_move(vm->counters, dirfd);
	vm_save(vm);
	log_warning(vm->spec.name, "its files in the run directory were wiped away: written anew");
}

static void keep_vm(struct vm *vm)
{
	struct err err = { 0 };

	if (vm->autostarted)
		rundir_note_autostart(vm->sup->run_fd, vm->spec.name, vm->sup->boot_id);
	if (vm->dirfd < 0 || !vm_is_up(vm))
		return;
	if (!same_file(vm->sup->run_fd, vm->spec.name, vm->dirfd))
		reopen_vm(vm, &err);
	else if (!is_there(vm->dirfd, "vm.json") || vm_has_alarm(vm, "state-file"))
		vm_save(vm);
	if (!vm_lives(vm) || vm->fresh)
		return;
	if (!is_there(vm->iofd, "qmp.sock"))
		vm_alarm(vm, "qmp-socket", "the socket of QEMU's monitor was removed", "",
			"this supervisor's connection goes on; the next one will see the VM "
			"without QMP, until the VM is started anew");
}

static void reopen_run_dir(struct supervisor *sup)
{
	struct err err = { 0 };
	bool made;
	int fd = rundir_open(sup->run_dir, &made, &err);

	if (fd < 0) {
		if (!sup->run_dir_lost)
			log_err(NULL, &err);
		sup->run_dir_lost = true;
		return;
	}
	sup->run_dir_lost = false;
	close(sup->run_fd);
	sup->run_fd = sup->history.run_fd = fd;
	log_warning(NULL, "run directory %s was wiped away: made anew", sup->run_dir);
}

static void keep_records(struct supervisor *sup)
{
	bool journal = is_there(sup->run_fd, "journal");

	list_for_each (link, &sup->vms)
		if (!journal)
			write_journal(sup, list_entry(link, struct vm, link));
	if (sup->lifted && (!journal || !is_there(sup->run_fd, "lease")))
		throttle_write_again(sup);
}

static void look(struct supervisor *sup)
{
	struct err err = { 0 };

	if (!same_file(AT_FDCWD, sup->run_dir, sup->run_fd))
		reopen_run_dir(sup);
	if (sup->run_dir_lost)
		return;
	if (!same_file(sup->run_fd, RUN_LOCK, sup->run_lock_fd)) {
		cleanup_close(&sup->run_lock_fd);
		int r = supervisor_lock_run_dir(sup, &err);
		if (r < 0 && !sup->run_lock_lost)
			log_err(NULL, &err);
		sup->run_lock_lost = r < 0;
	}
	keep_records(sup);
	lease_check(sup, clock_now_ns());
	if (!is_there(sup->run_fd, "control.sock") && control_rebind(sup->control, &err) < 0)
		log_err(NULL, &err);
	list_for_each (link, &sup->vms)
		keep_vm(list_entry(link, struct vm, link));
}

static uint64_t keeper_deadline(void *source)
{
	return ((struct supervisor *)source)->look_at;
}

static void keeper_process(void *source, short revents, uint64_t now_ns)
{
	struct supervisor *sup = source;

	(void)revents;
	if (now_ns < sup->look_at)
		return;
	sup->look_at = now_ns + LOOK_NS;
	look(sup);
}

static const struct source_ops keeper_source = { .fd = loop_no_fd,
	.events = loop_no_events,
	.deadline_ns = keeper_deadline,
	.process = keeper_process };

int keeper_start(struct supervisor *sup)
{
	sup->look_at = clock_now_ns() + LOOK_NS;
	sup->keeper_source = loop_add(sup->loop, &keeper_source, sup);
	return sup->keeper_source ? 0 : -ENOMEM;
}
