/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows the end of a VM. */
#include "base/cleanup.h"
#include "plan/life.h"

enum exit_reason life_classify(const struct life_evidence *evidence)
{
	if (!evidence->ran && !evidence->asked_stop)
		return EXIT_REASON_START_FAILED;
	if (evidence->asked_stop)
		return EXIT_REASON_HOST_STOP;
	if (evidence->cause != EXIT_REASON_NONE)
		return evidence->cause;
	/* "I don't know" is no crash, and starts nothing again. */
	if (!evidence->shutdown_seen)
		return evidence->blind && !evidence->signalled ? EXIT_REASON_HOST_SIGNAL
							       : EXIT_REASON_CRASH;
	if (evidence->guest_reset)
		return EXIT_REASON_GUEST_RESET;
	if (evidence->guest_panic)
		return EXIT_REASON_GUEST_PANIC;
	if (evidence->by_guest)
		return EXIT_REASON_GUEST_SHUTDOWN;
	return evidence->host_signal ? EXIT_REASON_HOST_SIGNAL : EXIT_REASON_HOST_STOP;
}

static unsigned recent_restarts(const struct life_memory *memory, uint64_t since_ns)
{
	unsigned recent = 0;

	for (unsigned i = 0; i < memory->count; i++)
		recent += memory->starts_ns[i] >= since_ns;
	return recent;
}

static void remember(struct life_memory *memory, uint64_t now_ns)
{
	memory->starts_ns[memory->next] = now_ns;
	memory->next = (memory->next + 1) % ARRAY_SIZE(memory->starts_ns);
	if (memory->count < ARRAY_SIZE(memory->starts_ns))
		memory->count++;
}

static enum life_verdict restart_counted(const struct spec *spec, const struct life_exit *end,
	struct life_memory *memory, uint64_t *ret_delay_ns)
{
	uint64_t interval = spec->restart.interval_ns;
	uint64_t since = end->now_ns > interval ? end->now_ns - interval : 0;

	if (recent_restarts(memory, since) >= spec->restart.burst)
		return LIFE_VERDICT_GIVE_UP;
	if (memory->delay_ns == 0 || end->ran_ns >= interval)
		memory->delay_ns = spec->restart.delay_ns;
	else
		memory->delay_ns *= 2;
	if (memory->delay_ns > spec->restart.max_delay_ns)
		memory->delay_ns = spec->restart.max_delay_ns;
	remember(memory, end->now_ns);
	*ret_delay_ns = memory->delay_ns;
	return LIFE_VERDICT_RESTART_LATER;
}

static enum life_verdict after_poweroff(const struct spec *spec)
{
	switch (spec->on_poweroff) {
	case ON_POWEROFF_RESTART:
		return LIFE_VERDICT_RESTART_NOW;
	case ON_POWEROFF_HOST_POWEROFF:
		return LIFE_VERDICT_POWER_OFF_HOST;
	case ON_POWEROFF_STOP:
		break;
	}
	return LIFE_VERDICT_END;
}

enum life_verdict life_after_exit(const struct spec *spec, const struct life_exit *end,
	struct life_memory *memory, uint64_t *ret_delay_ns)
{
	bool again = false;

	if (end->asked_stop)
		return LIFE_VERDICT_END;
	switch (end->reason) {
	case EXIT_REASON_GUEST_SHUTDOWN:
		/* One that powers off as soon as it runs would be started without end. */
		if (spec->on_poweroff == ON_POWEROFF_RESTART &&
			end->ran_ns < spec->restart.delay_ns)
			return restart_counted(spec, end, memory, ret_delay_ns);
		return after_poweroff(spec);
	case EXIT_REASON_GUEST_RESET:
		return spec->on_reboot == ON_REBOOT_RESTART ? LIFE_VERDICT_RESTART_NOW
							    : LIFE_VERDICT_END;
	case EXIT_REASON_GUEST_PANIC:
		/* `wait` comes here only when its ten minutes are over. */
		again = spec->on_panic == ON_PANIC_RESTART ||
			(spec->on_panic == ON_PANIC_WAIT && spec->on_crash == ON_CRASH_RESTART);
		break;
	case EXIT_REASON_CRASH:
		again = spec->on_crash == ON_CRASH_RESTART;
		break;
	case EXIT_REASON_HANG:
	case EXIT_REASON_BREACH:
	case EXIT_REASON_DRIFT:
		again = true; /* ended only where the config said restart */
		break;
	case EXIT_REASON_START_FAILED:
		if (!end->started_before)
			return LIFE_VERDICT_GIVE_UP;
		again = spec->on_crash == ON_CRASH_RESTART;
		break;
	case EXIT_REASON_NONE:
	case EXIT_REASON_HOST_STOP:
	case EXIT_REASON_HOST_SIGNAL:
	case EXIT_REASONS:
		break;
	}
	return again ? restart_counted(spec, end, memory, ret_delay_ns) : LIFE_VERDICT_END;
}
