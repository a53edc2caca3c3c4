/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/host_down.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>

#define TELL_NS  (10 * NS_PER_SEC)
#define GRACE_NS (30 * NS_PER_SEC) /* from SIGKILL to the end of a process with much memory */

/* One client that waits for all of them. */
struct host_down {
	struct supervisor *sup;
	struct control_call *call;
	struct list waiting; /* waiting_vm.link */
	struct loop_source *source;
	uint64_t tell_at, hope_until;
};

struct waiting_vm {
	struct vm_watcher watcher;
	struct list link; /* host_down.waiting */
	struct host_down *down;
	struct vm *vm;
};

void host_down_begin(struct supervisor *sup)
{
	sup->host_down = true;
	list_for_each (link, &sup->vms) {
		struct vm *vm = list_entry(link, struct vm, link);

		if (vm_is_up(vm))
			vm_insist(vm, true);
	}
}

static void forget(struct waiting_vm *waiting)
{
	list_remove(&waiting->watcher.link);
	list_remove(&waiting->link);
	free(waiting);
}

static void say(struct host_down *down, const struct vm *vm, const char *words)
{
	size_t length = strlen(vm->spec.name);
	bool named = strncmp(words, vm->spec.name, length) == 0 && words[length] == ' ';

	control_reply(down->call,
		json_pack("{s:s++}", "step", named ? "" : vm->spec.name, named ? "" : ": ", words),
		true);
}

static void vm_told(struct vm_watcher *watcher, bool finished, bool ok, const char *words)
{
	struct waiting_vm *waiting = (struct waiting_vm *)watcher;

	(void)ok;
	say(waiting->down, waiting->vm, words);
	if (finished && !vm_lives(waiting->vm))
		forget(waiting);
}

static int wait_for(struct host_down *down, struct vm *vm)
{
	struct waiting_vm *waiting = calloc(1, sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	*waiting = (struct waiting_vm){ .watcher.tell = vm_told, .down = down, .vm = vm };
	list_add(&vm->watchers, &waiting->watcher.link);
	list_add(&down->waiting, &waiting->link);
	return 0;
}

static uint64_t down_deadline(void *source)
{
	const struct host_down *down = source;

	return list_empty(&down->waiting) ? 0 : down->tell_at;
}

static void add_names(const struct host_down *down, struct strbuf *names)
{
	list_for_each (link, &down->waiting) {
		const struct waiting_vm *waiting = list_entry(link, struct waiting_vm, link);

		strbuf_addf(names, "%s%s", names->length > 0 ? ", " : "", waiting->vm->spec.name);
	}
}

static uint64_t longest_ns(const struct host_down *down, uint64_t now_ns)
{
	uint64_t longest = 0;

	list_for_each (link, &down->waiting) {
		const struct vm *vm = list_entry(link, struct waiting_vm, link)->vm;
		uint64_t left = stop_left_ns(&vm->ladder, &vm->spec, now_ns);

		if (left > longest)
			longest = left;
	}
	return longest;
}

static void finish(struct host_down *down, bool ok, const char *words)
{
	control_reply(down->call,
		json_pack("{s:b, s:b, s:s}", "done", true, "ok", ok, "words", words), false);
}

static void give_up(struct host_down *down)
{
	AUTO_STRBUF struct strbuf words = { 0 };

	add_names(down, &words);
	strbuf_add(&words, " has not ended, not even by SIGKILL: the host does not let go of QEMU");
	log_error(NULL, "%s", words.failed ? "out of memory" : words.text);
	finish(down, false, words.failed ? "out of memory" : words.text);
}

static void say_who(struct host_down *down, uint64_t now_ns)
{
	AUTO_STRBUF struct strbuf names = { 0 };
	uint64_t left = longest_ns(down, now_ns);

	down->tell_at = now_ns + TELL_NS;
	if (left > 0 || down->hope_until == 0)
		down->hope_until = now_ns + left + GRACE_NS;
	if (now_ns >= down->hope_until) {
		give_up(down);
		return;
	}
	add_names(down, &names);
	if (!names.failed)
		control_reply(down->call,
			json_pack("{s:s, s:I}", "waiting", names.text, "left",
				(json_int_t)((down->hope_until - now_ns) / NS_PER_SEC)),
			true);
}

static void down_process(void *source, short revents, uint64_t now_ns)
{
	struct host_down *down = source;

	(void)revents;
	if (list_empty(&down->waiting))
		finish(down, true, "no VM runs any more");
	else if (now_ns >= down->tell_at)
		say_who(down, now_ns);
}

static const struct source_ops down_source = { .fd = loop_no_fd,
	.events = loop_no_events,
	.deadline_ns = down_deadline,
	.process = down_process };

/* The client has left, or knows all: what was begun goes on. */
static void client_gone(void *arg)
{
	struct host_down *down = arg;

	list_for_each (link, &down->waiting)
		forget(list_entry(link, struct waiting_vm, link));
	loop_remove(down->sup->loop, down->source);
	free(down);
}

static struct host_down *new_wait(struct supervisor *sup, struct control_call *call)
{
	struct host_down *down = calloc(1, sizeof(*down));

	if (!down)
		return NULL;
	*down = (struct host_down){ .sup = sup, .call = call };
	list_init(&down->waiting);
	down->source = loop_add(sup->loop, &down_source, down);
	if (!down->source) {
		free(down);
		return NULL;
	}
	control_on_gone(call, client_gone, down);
	return down;
}

void host_down_call(struct supervisor *sup, struct control_call *call)
{
	struct host_down *down = new_wait(sup, call);
	int r = down ? 0 : -ENOMEM;

	log_notice(NULL, "the host goes down: stopping all VMs");
	list_for_each (link, &sup->vms)
		if (r == 0 && vm_is_up(list_entry(link, struct vm, link)))
			r = wait_for(down, list_entry(link, struct vm, link));
	/* Who is waited for is one thing, their end another. */
	host_down_begin(sup);
	if (r < 0)
		control_error(call, "io.vfiosup.Failed",
			json_pack("{s:s}", "words", "out of memory: the VMs are being stopped"));
}
