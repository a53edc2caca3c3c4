/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of interface io.vfiosup. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/control.h"
#include "supervisor/host_down.h"
#include "supervisor/status.h"
#include "supervisor/vm.h"

#include <errno.h>
#include <string.h>

#define QMP_LIMIT_NS (30 * NS_PER_SEC)

static const char interface[] =
	"# Virtual machines under vfio-sup's care\n"
	"interface io.vfiosup\n\n"
	"method Status(vm: ?string) -> (name: ?string, state: ?string, host: ?object, "
	"vms: ?[]object)\n"
	"method Start(vm: string) -> (step: ?string, done: ?bool, ok: ?bool, words: ?string)\n"
	"method Stop(vm: string, force: ?bool) -> (step: ?string, done: ?bool, ok: ?bool, "
	"words: ?string)\n"
	"method HostShutdown() -> (step: ?string, waiting: ?string, left: ?int, done: ?bool, "
	"ok: ?bool, words: ?string)\n"
	"method Kill(vm: string) -> (words: string)\n"
	"method Reset(vm: string) -> (words: string)\n"
	"method Pause(vm: string) -> (words: string)\n"
	"method Resume(vm: string) -> (words: string)\n"
	"method Qmp(vm: string, command: string, arguments: ?object) -> (result: object)\n\n"
	"error NoSuchVm (vm: string)\n"
	"error Failed (words: string)\n";

/* As https://varlink.org/Service gives it. */
static const char service_interface[] =
	"interface org.varlink.service\n\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, "
	"interfaces: []string)\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

static void failed(struct control_call *call, const char *words)
{
	control_error(call, "io.vfiosup.Failed", json_pack("{s:s}", "words", words));
}

static void done(struct control_call *call, const char *words)
{
	control_reply(call, json_pack("{s:s}", "words", words), false);
}

/* A client that waits for what it asked for. */
struct waiter {
	struct vm_watcher watcher;
	struct control_call *call;
};

static void waiter_gone(void *arg)
{
	struct waiter *waiter = arg;

	list_remove(&waiter->watcher.link);
	free(waiter);
}

static void waiter_tell(struct vm_watcher *watcher, bool finished, bool ok, const char *words)
{
	struct waiter *waiter = (struct waiter *)watcher;

	if (finished)
		control_reply(waiter->call,
			json_pack("{s:b, s:b, s:s}", "done", true, "ok", ok, "words", words),
			false);
	else
		control_reply(waiter->call, json_pack("{s:s}", "step", words), true);
}

static bool wait_for(struct vm *vm, struct control_call *call)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));

	if (!waiter) {
		failed(call, "out of memory");
		return false;
	}
	waiter->watcher.tell = waiter_tell;
	waiter->call = call;
	list_add(&vm->watchers, &waiter->watcher.link);
	control_on_gone(call, waiter_gone, waiter);
	return true;
}

static void stop(struct vm *vm, struct control_call *call, json_t *parameters)
{
	bool force = json_is_true(json_object_get(parameters, "force"));

	if (!vm_is_up(vm)) {
		done(call, "it does not run");
		return;
	}
	if (wait_for(vm, call))
		vm_stop(vm, force);
}

static void command_came(void *arg, enum qmp_outcome outcome, json_t *result, const char *words)
{
	struct waiter *waiter = arg;
	struct control_call *call = waiter->call;

	if (call) {
		control_on_gone(call, NULL, NULL);
		if (outcome != QMP_OK)
			failed(call, words);
		else if (waiter->watcher.tell)
			done(call, "done");
		else
			control_reply(call, json_pack("{s:O}", "result", result), false);
	}
	free(waiter);
}

/* The client left before QEMU answered. */
static void command_gone(void *arg)
{
	((struct waiter *)arg)->call = NULL;
}

/* Sends a command; its result is the reply, or only "done". */
static void command(
	struct vm *vm, struct control_call *call, const char *name, json_t *arguments, bool result)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));

	if (!waiter) {
		json_decref(arguments);
		failed(call, "out of memory");
		return;
	}
	waiter->call = call;
	waiter->watcher.tell = result ? NULL : waiter_tell;
	int r = qmp_send(
		vm->qmp, name, arguments, QMP_LIMIT_NS, clock_now_ns(), command_came, waiter);
	if (r < 0) {
		free(waiter);
		failed(call, r == -ENOTCONN ? "there is no QMP connection" : strerror(-r));
		return;
	}
	if (waiter->call)
		control_on_gone(call, command_gone, waiter);
}

static void start(struct vm *vm, struct control_call *call, json_t *parameters)
{
	(void)parameters;
	switch (vm->phase) {
	case VM_ASLEEP:
		command(vm, call, "system_wakeup", NULL, false);
		break;
	case VM_PAUSED:
		command(vm, call, "cont", NULL, false);
		break;
	case VM_BACKOFF:
	case VM_FAILED:
	case VM_STOPPED:
		if (vm->sup->host_down) {
			failed(call, "the host goes down: nothing is started any more (if it does "
				     "not: systemctl restart vfio-sup)");
			return;
		}
		if (!wait_for(vm, call))
			return;
		vm->stop_asked = false;
		vm->restart_at = CLOCK_NEVER;
		vm_event(vm, LIFE_START);
		break;
	default:
		done(call, "it runs already");
	}
}

static void raw_qmp(struct vm *vm, struct control_call *call, json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "command"));
	json_t *arguments = json_object_get(parameters, "arguments");

	if (!name)
		control_error(call, "org.varlink.service.InvalidParameter",
			json_pack("{s:s}", "parameter", "command"));
	else
		command(vm, call, name, json_is_object(arguments) ? json_incref(arguments) : NULL,
			true);
}

static void status(struct vm *vm, struct control_call *call, json_t *parameters)
{
	(void)parameters;
	control_reply(call, status_vm(vm), false);
}

static void kill_vm(struct vm *vm, struct control_call *call, json_t *parameters)
{
	(void)parameters;
	done(call, "killed");
	vm->stop_asked = true;
	vm_kill(vm);
}

static void reset(struct vm *vm, struct control_call *call, json_t *parameters)
{
	(void)parameters;
	command(vm, call, "system_reset", NULL, false);
}

static void pause_vm(struct vm *vm, struct control_call *call, json_t *parameters)
{
	(void)parameters;
	command(vm, call, "stop", NULL, false);
}

static void resume(struct vm *vm, struct control_call *call, json_t *parameters)
{
	(void)parameters;
	command(vm, call, "cont", NULL, false);
}

/* What is asked of one VM. */
static const struct method {
	const char *name;
	void (*call)(struct vm *vm, struct control_call *call, json_t *parameters);
} methods[] = {
	{ "Status", status },
	{ "Start", start },
	{ "Stop", stop },
	{ "Kill", kill_vm },
	{ "Reset", reset },
	{ "Pause", pause_vm },
	{ "Resume", resume },
	{ "Qmp", raw_qmp },
};

static void no_vm(struct supervisor *sup, struct control_call *call, const char *name)
{
	for (size_t i = 0; i < sup->bad_words.count; i++)
		if (strcmp(sup->bad_vms.items[i], name) == 0) {
			failed(call, sup->bad_words.items[i]);
			return;
		}
	control_error(call, "io.vfiosup.NoSuchVm", json_pack("{s:s}", "vm", name));
}

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

static void not_found(struct control_call *call, const char *method)
{
	control_error(
		call, "org.varlink.service.MethodNotFound", json_pack("{s:s}", "method", method));
}

static void call_service(struct control_call *call, const char *method, json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "interface"));

	if (strcmp(method, "GetInfo") == 0)
		control_reply(call,
			json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "vfio-sup", "product",
				"vfio-sup", "version", VERSION, "url", "", "interfaces",
				"org.varlink.service", "io.vfiosup"),
			false);
	else if (strcmp(method, "GetInterfaceDescription") != 0)
		not_found(call, method);
	else if (name && strcmp(name, "io.vfiosup") == 0)
		control_reply(call, json_pack("{s:s}", "description", interface), false);
	else if (name && strcmp(name, "org.varlink.service") == 0)
		control_reply(call, json_pack("{s:s}", "description", service_interface), false);
	else
		control_error(call, "org.varlink.service.InterfaceNotFound",
			json_pack("{s:s}", "interface", name ? name : ""));
}

void method_call(struct supervisor *sup, struct control_call *call, const char *method,
	json_t *parameters, bool more)
{
	static const char ours[] = "io.vfiosup.", service[] = "org.varlink.service.";
	const char *name = json_string_value(json_object_get(parameters, "vm"));

	(void)more;
	if (strncmp(method, service, strlen(service)) == 0) {
		call_service(call, method + strlen(service), parameters);
		return;
	}
	if (strncmp(method, ours, strlen(ours)) != 0) {
		control_error(call, "org.varlink.service.InterfaceNotFound",
			json_pack("{s:s}", "interface", method));
		return;
	}
	if (strcmp(method + strlen(ours), "HostShutdown") == 0) {
		host_down_call(sup, call);
		return;
	}
	const struct method *found = find_method(method + strlen(ours));
	struct vm *vm = name ? vm_find(sup, name) : NULL;

	if (!found)
		not_found(call, method);
	else if (vm)
		found->call(vm, call, parameters);
	else if (!name && found->call == status)
		control_reply(call, status_all(sup), false);
	else if (name)
		no_vm(sup, call, name);
	else
		control_error(call, "org.varlink.service.InvalidParameter",
			json_pack("{s:s}", "parameter", "vm"));
}
