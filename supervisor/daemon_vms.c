/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to VMs, and back to what runs already. */
#include "base/cleanup.h"
#include "base/log.h"
#include "config/config.h"
#include "supervisor/daemon.h"
#include "supervisor/giveback.h"
#include "supervisor/record.h"
#include "supervisor/rundir.h"
#include "supervisor/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* "mediapc" of "mediapc.conf" into `name`; false for anything that is no VM file. */
static bool vm_of_file(const char *file, char name[SPEC_NAME_SIZE])
{
	size_t length = strlen(file);

	if (length <= 5 || length - 5 >= SPEC_NAME_SIZE || strcmp(file + length - 5, ".conf") != 0)
		return false;
	memcpy(name, file, length - 5);
	name[length - 5] = '\0';
	return spec_name_valid(name);
}

static void take_file(struct vm *vm, struct spec *spec)
{
	vm_alarm_clear(vm, "config");
	if (strcmp(vm->spec.text, spec->text) == 0) {
		spec_take_now(&vm->spec, spec); /* an earlier change may have been taken back */
		spec_free(&vm->pending);
		spec_free(spec);
		return;
	}
	spec_take_now(&vm->spec, spec);
	spec_free(&vm->pending);
	vm->pending = *spec;
	vm->checked = false;
	log_notice(vm->spec.name, "%s has changed%s", vm->pending.file,
		vm_lives(vm) ? ": `vfio-sup status` says what waits for the next start" : "");
}

/* Whoever asks for this VM is told that it is not a slip of his pen. */
static void note_bad(struct daemon *daemon, const char *name, const struct err *err)
{
	struct supervisor *sup = &daemon->sup;
	AUTO_STRBUF struct strbuf words = { 0 };

	log_err(NULL, err);
	strbuf_addf(&words, "%s%s%s", err->text, err->fix[0] ? "; fix: " : "", err->fix);
	if (words.failed || strlist_add(&sup->bad_vms, name) < 0)
		return;
	strlist_add(&sup->bad_words, words.text);
}

static void read_vm(struct daemon *daemon, const char *file)
{
	AUTO_STRBUF struct strbuf path = { 0 };
	char name[SPEC_NAME_SIZE];
	struct err err = { 0 };
	struct spec spec;

	strbuf_addf(&path, "%s/vms/%s", daemon->config_dir, file);
	if (path.failed)
		return;
	struct vm *vm = vm_of_file(file, name) ? vm_find(&daemon->sup, name) : NULL;
	if (config_load_vm(path.text, &spec, &err) < 0) {
		if (vm)
			vm_alarm(vm, "config", err.text, err.why, err.fix);
		else
			note_bad(daemon, name, &err);
		return;
	}
	if (vm)
		take_file(vm, &spec);
	else if (vm_new(&daemon->sup, &spec, &vm, &err) < 0)
		log_err(name, &err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_files(int dirfd, bool directories, struct strlist *files)
{
	AUTO_CLOSE int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	char name[SPEC_NAME_SIZE];
	int r = 0;

	if (!dir)
		return -errno;
	take_fd(&fd); /* the stream's now */
	while (r == 0 && (entry = readdir(dir)))
		if (directories ? spec_name_valid(entry->d_name) : vm_of_file(entry->d_name, name))
			r = strlist_add(files, entry->d_name);
	if (files->count > 0)
		qsort(files->items, files->count, sizeof(*files->items), by_name);
	return r;
}

static bool listed(const struct strlist *files, const char *vm)
{
	char name[SPEC_NAME_SIZE];

	for (size_t i = 0; i < files->count; i++)
		if (vm_of_file(files->items[i], name) && strcmp(name, vm) == 0)
			return true;
	return false;
}

/* Files that are gone: a VM that runs goes on, the others are forgotten. */
static void forget_gone(struct daemon *daemon, const struct strlist *files)
{
	list_for_each (link, &daemon->sup.vms) {
		struct vm *vm = list_entry(link, struct vm, link);

		if (listed(files, vm->spec.name))
			continue;
		if (vm_is_up(vm))
			vm_alarm(vm, "config", "its file is gone", "",
				"it goes on as it was started; put the file back to start it "
				"again");
		else
			vm_free(vm);
	}
}

void daemon_read_vms(struct daemon *daemon)
{
	AUTO_STRLIST struct strlist files = { 0 };
	AUTO_STRBUF struct strbuf path = { 0 };

	strbuf_addf(&path, "%s/vms", daemon->config_dir);
	AUTO_CLOSE int dirfd =
		path.failed ? -1 : open(path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || list_files(dirfd, false, &files) < 0) {
		log_warning(NULL, "no VM files: %s/vms: %s", daemon->config_dir, strerror(errno));
		return;
	}
	strlist_free(&daemon->sup.bad_vms);
	strlist_free(&daemon->sup.bad_words);
	for (size_t i = 0; i < files.count; i++)
		read_vm(daemon, files.items[i]);
	forget_gone(daemon, &files);
}

static void find_one(struct vm *vm)
{
	struct err err = { 0 };
	int r = vm_find_running(vm, &err);

	if (r < 0)
		vm_alarm(vm, "not-adopted", err.text, err.why, err.fix);
	if (r == 1)
		vm_take_over(vm);
	else if (r == 0 && vm->found_start)
		vm_start_again(vm);
}

/* A QEMU whose file is gone or bad: its vm.json has the text it was started from. */
static void find_without_file(struct daemon *daemon, const char *name)
{
	AUTO_CLOSE int dirfd =
		openat(daemon->sup.run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct record record;
	struct spec spec;
	struct err err = { 0 };
	struct vm *vm;

	if (dirfd < 0 || vm_find(&daemon->sup, name) || record_read(dirfd, &record) < 0)
		return;
	int r = config_parse_vm(
		record.config_path, record.config_text, strlen(record.config_text), &spec, &err);
	record_free(&record);
	if (r == 0 && strcmp(spec.name, name) != 0) {
		spec_free(&spec);
		return;
	}
	if (r < 0 || vm_new(&daemon->sup, &spec, &vm, &err) < 0) {
		log_err(name, &err);
		return;
	}
	find_one(vm);
	if (vm_lives(vm))
		vm_alarm(vm, "config", "its file is gone or cannot be read", "",
			"it goes on as it was started");
	else
		vm_free(vm);
}

void daemon_find_vms(struct daemon *daemon)
{
	AUTO_STRLIST struct strlist names = { 0 };

	list_for_each (link, &daemon->sup.vms)
		find_one(list_entry(link, struct vm, link));
	if (list_files(daemon->sup.run_fd, true, &names) == 0)
		for (size_t i = 0; i < names.count; i++)
			find_without_file(daemon, names.items[i]);
	give_back_leftovers(&daemon->sup, NULL);
	throttle_keep(&daemon->sup);
}

/* Whether it was started since boot: /run is empty then, and the file says which boot it means. */
static bool started_before(struct vm *vm)
{
	struct supervisor *sup = vm->sup;
	int r = rundir_note_autostart(sup->run_fd, vm->spec.name, sup->boot_id);

	if (r < 0)
		log_warning(
			vm->spec.name, "cannot write down that it was started: %s", strerror(-r));
	vm->autostarted = true;
	return r != 0;
}

void daemon_autostart(struct daemon *daemon)
{
	list_for_each (link, &daemon->sup.vms) {
		struct vm *vm = list_entry(link, struct vm, link);

		if (!vm->spec.autostart)
			continue;
		/* One that runs already has been started, too. */
		bool before = started_before(vm);
		if (!before && vm->phase == VM_STOPPED)
			vm_event(vm, LIFE_START);
	}
}
