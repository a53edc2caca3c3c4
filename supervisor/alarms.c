/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/vm.h"

#include <string.h>

static struct alarm *find_alarm(struct vm *vm, const char *kind)
{
	for (size_t i = 0; i < VM_ALARMS; i++)
		if (strcmp(vm->alarms[i].kind, kind) == 0)
			return &vm->alarms[i];
	return NULL;
}

bool vm_has_alarm(struct vm *vm, const char *kind)
{
	return find_alarm(vm, kind) != NULL;
}

void vm_alarm(
	struct vm *vm, const char *kind, const char *what, const char *reason, const char *fix)
{
	struct alarm *alarm = find_alarm(vm, kind);
	bool known = alarm != NULL;

	if (!alarm)
		alarm = find_alarm(vm, "");
	if (!alarm)
		return;
	if (!known)
		alarm->since = clock_wall_seconds();
	snprintf(alarm->kind, sizeof(alarm->kind), "%s", kind);
	snprintf(alarm->what, sizeof(alarm->what), "%s", what);
	snprintf(alarm->reason, sizeof(alarm->reason), "%s", reason);
	snprintf(alarm->fix, sizeof(alarm->fix), "%s", fix);
	if (!known)
		log_warning(vm->spec.name, "%s%s%s%s%s", what, reason[0] ? ": " : "", reason,
			fix[0] ? "; " : "", fix);
}

void vm_alarm_clear(struct vm *vm, const char *kind)
{
	struct alarm *alarm = find_alarm(vm, kind);

	if (!alarm)
		return;
	log_notice(vm->spec.name, "over: %s", alarm->what);
	*alarm = (struct alarm){ 0 };
}

void vm_alarms_forget(struct vm *vm)
{
	static const char *const kinds[] = { "failed", "guest-panic", "io-error", "internal-error",
		"memory", "config-changed", "qmp-socket", "cpu-offline", "not-held" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct alarm *alarm = find_alarm(vm, kinds[i]);

		if (alarm)
			*alarm = (struct alarm){ 0 };
	}
}
