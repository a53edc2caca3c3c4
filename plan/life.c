/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan/life.h"

#define GO(phase, ...)                                                                             \
	{                                                                                          \
		.next = (phase), .effects = 0 __VA_ARGS__, .valid = true                           \
	}

static const struct life_step table[VM_PHASES][LIFE_EVENTS] = {
	[VM_STOPPED] = {
		[LIFE_START] = GO(VM_PREPARING, | LIFE_PREPARE),
		[LIFE_FOUND] = GO(VM_ADOPTING, | LIFE_ADOPT),
		[LIFE_ENDED] = GO(VM_STOPPED, | LIFE_RELEASE),
		[LIFE_RETRY] = GO(VM_BACKOFF),
		[LIFE_GAVE_UP] = GO(VM_FAILED, | LIFE_RELEASE),
	},
	[VM_PREPARING] = {
		[LIFE_PREPARED] = GO(VM_STARTING, | LIFE_SPAWN),
		[LIFE_FAILURE] = GO(VM_STOPPED, | LIFE_DECIDE),
		[LIFE_STOP] = GO(VM_STOPPED, | LIFE_DECIDE),
	},
	[VM_STARTING] = {
		[LIFE_SPAWNED] = GO(VM_STARTING, | LIFE_ADOPT),
		[LIFE_PLACED] = GO(VM_RUNNING),
		[LIFE_FAILURE] = GO(VM_STOPPING, | LIFE_KILL),
		[LIFE_STOP] = GO(VM_STOPPING, | LIFE_KILL),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE),
	},
	[VM_ADOPTING] = {
		[LIFE_PLACED] = GO(VM_RUNNING),
		[LIFE_FAILURE] = GO(VM_DEGRADED, | LIFE_RECONNECT | LIFE_ALARM),
		[LIFE_QMP_LOST] = GO(VM_DEGRADED, | LIFE_RECONNECT | LIFE_ALARM),
		[LIFE_STOP] = GO(VM_STOPPING, | LIFE_BEGIN_STOP),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE),
	},
	[VM_RUNNING] = {
		[LIFE_QMP_LOST] = GO(VM_DEGRADED, | LIFE_RECONNECT | LIFE_ALARM),
		[LIFE_HUNG] = GO(VM_UNRESPONSIVE, | LIFE_ALARM),
		[LIFE_PAUSE] = GO(VM_PAUSED),
		[LIFE_SUSPEND] = GO(VM_ASLEEP),
		[LIFE_STOP] = GO(VM_STOPPING, | LIFE_BEGIN_STOP),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE),
	},
	[VM_DEGRADED] = {
		[LIFE_QMP_BACK] = GO(VM_RUNNING, | LIFE_CLEAR),
		[LIFE_STOP] = GO(VM_STOPPING, | LIFE_BEGIN_STOP | LIFE_CLEAR),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE | LIFE_CLEAR),
	},
	[VM_UNRESPONSIVE] = {
		[LIFE_ANSWERED] = GO(VM_RUNNING, | LIFE_CLEAR),
		[LIFE_QMP_LOST] = GO(VM_DEGRADED, | LIFE_RECONNECT | LIFE_ALARM),
		[LIFE_STOP] = GO(VM_STOPPING, | LIFE_BEGIN_STOP | LIFE_CLEAR),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE | LIFE_CLEAR),
	},
	[VM_PAUSED] = {
		[LIFE_QMP_LOST] = GO(VM_DEGRADED, | LIFE_RECONNECT | LIFE_ALARM),
		[LIFE_HUNG] = GO(VM_UNRESPONSIVE, | LIFE_ALARM),
		[LIFE_RESUME] = GO(VM_RUNNING),
		[LIFE_STOP] = GO(VM_STOPPING, | LIFE_BEGIN_STOP),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE),
	},
	[VM_ASLEEP] = {
		[LIFE_QMP_LOST] = GO(VM_DEGRADED, | LIFE_RECONNECT | LIFE_ALARM),
		[LIFE_HUNG] = GO(VM_UNRESPONSIVE, | LIFE_ALARM),
		[LIFE_WAKE] = GO(VM_RUNNING),
		[LIFE_RESUME] = GO(VM_RUNNING),
		[LIFE_STOP] = GO(VM_STOPPING, | LIFE_BEGIN_STOP),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE),
	},
	[VM_STOPPING] = {
		[LIFE_STOP_GIVEN_UP] = GO(VM_RUNNING, | LIFE_END_STOP),
		[LIFE_EXITED] = GO(VM_STOPPED, | LIFE_DECIDE),
	},
	[VM_BACKOFF] = {
		[LIFE_START] = GO(VM_PREPARING, | LIFE_PREPARE),
		[LIFE_STOP] = GO(VM_STOPPED, | LIFE_RELEASE),
	},
	[VM_FAILED] = {
		[LIFE_START] = GO(VM_PREPARING, | LIFE_PREPARE),
		[LIFE_STOP] = GO(VM_STOPPED, | LIFE_RELEASE),
	},
};

struct life_step life_next(enum vm_phase phase, enum life_event event)
{
	return table[phase][event];
}

const char *life_event_name(enum life_event event)
{
	static const char *const names[LIFE_EVENTS] = {
		[LIFE_START] = "start",
		[LIFE_FOUND] = "found",
		[LIFE_PREPARED] = "prepared",
		[LIFE_SPAWNED] = "spawned",
		[LIFE_FAILURE] = "failure",
		[LIFE_PLACED] = "placed",
		[LIFE_QMP_LOST] = "qmp-lost",
		[LIFE_QMP_BACK] = "qmp-back",
		[LIFE_HUNG] = "hung",
		[LIFE_ANSWERED] = "answered",
		[LIFE_PAUSE] = "pause",
		[LIFE_RESUME] = "resume",
		[LIFE_SUSPEND] = "suspend",
		[LIFE_WAKE] = "wake",
		[LIFE_STOP] = "stop",
		[LIFE_STOP_GIVEN_UP] = "stop-given-up",
		[LIFE_EXITED] = "exited",
		[LIFE_ENDED] = "ended",
		[LIFE_RETRY] = "retry",
		[LIFE_GAVE_UP] = "gave-up",
	};

	return names[event];
}

bool life_has_process(enum vm_phase phase)
{
	return table[phase][LIFE_EXITED].valid;
}
