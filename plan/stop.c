/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stop ladder: power button, quit, TERM, KILL. */
#include "base/clock.h"
#include "plan/life.h"

void stop_begin(struct stop_ladder *ladder, bool force, enum stop_rung first, uint64_t now_ns)
{
	*ladder = (struct stop_ladder){
		.rung = first, .force = force, .rung_since_ns = now_ns, .next_press_ns = now_ns
	};
}

static void climb(struct stop_ladder *ladder, uint64_t now_ns)
{
	if (ladder->rung < STOP_KILL)
		ladder->rung++;
	ladder->rung_since_ns = now_ns;
	ladder->done = false;
}

void stop_hurry(struct stop_ladder *ladder, uint64_t now_ns)
{
	ladder->force = true;
	climb(ladder, now_ns);
}

static enum stop_do powerdown(
	struct stop_ladder *ladder, const struct spec *spec, bool qmp, uint64_t now_ns)
{
	if (!qmp || ladder->presses >= spec->stop.presses || now_ns < ladder->next_press_ns)
		return STOP_DO_NOTHING;
	/* Once for each press: some go back to sleep by that very button. */
	if (ladder->asleep && ladder->wakes <= ladder->presses) {
		ladder->wakes++;
		ladder->next_press_ns = now_ns + STOP_WAKE_NS;
		ladder->rung_since_ns += STOP_WAKE_NS;
		return STOP_DO_WAKE;
	}
	ladder->presses++;
	ladder->next_press_ns = now_ns + spec->stop.press_every_ns;
	return STOP_DO_PRESS;
}

static uint64_t rung_limit(const struct stop_ladder *ladder, const struct spec *spec)
{
	switch (ladder->rung) {
	case STOP_POWERDOWN:
		return ladder->rung_since_ns + (ladder->host_shutdown ? spec->stop.host_shutdown_ns
								      : spec->stop.powerdown_ns);
	case STOP_QUIT:
		return ladder->rung_since_ns + spec->stop.quit_ns;
	case STOP_TERM:
		return ladder->rung_since_ns + spec->stop.term_ns;
	case STOP_NONE:
	case STOP_KILL:
		break;
	}
	return CLOCK_NEVER;
}

uint64_t stop_left_ns(const struct stop_ladder *ladder, const struct spec *spec, uint64_t now_ns)
{
	uint64_t limit = rung_limit(ladder, spec), left = 0;

	if (limit == CLOCK_NEVER)
		return 0;
	if (limit > now_ns)
		left = limit - now_ns;
	if (ladder->rung < STOP_QUIT)
		left += spec->stop.quit_ns;
	if (ladder->rung < STOP_TERM)
		left += spec->stop.term_ns;
	return left;
}

static enum stop_do once(struct stop_ladder *ladder, enum stop_do what)
{
	if (ladder->done)
		return STOP_DO_NOTHING;
	ladder->done = true;
	return what;
}

static enum stop_do on_rung(
	struct stop_ladder *ladder, const struct spec *spec, bool qmp, uint64_t now_ns)
{
	switch (ladder->rung) {
	case STOP_POWERDOWN:
		return powerdown(ladder, spec, qmp, now_ns);
	case STOP_QUIT:
		return once(ladder, STOP_DO_QUIT);
	case STOP_TERM:
		return once(ladder, STOP_DO_TERM);
	case STOP_KILL:
		return once(ladder, STOP_DO_KILL);
	case STOP_NONE:
		break;
	}
	return STOP_DO_NOTHING;
}

enum stop_do stop_next(struct stop_ladder *ladder, const struct spec *spec, bool qmp,
	uint64_t now_ns, uint64_t *ret_deadline_ns)
{
	*ret_deadline_ns = CLOCK_NEVER;
	if (ladder->rung == STOP_POWERDOWN && !ladder->force && now_ns >= rung_limit(ladder, spec))
		return STOP_DO_GIVE_UP;
	while (ladder->rung != STOP_NONE &&
		(now_ns >= rung_limit(ladder, spec) ||
			(ladder->force && !qmp && ladder->rung == STOP_QUIT)))
		climb(ladder, now_ns);

	enum stop_do what = on_rung(ladder, spec, qmp, now_ns);

	*ret_deadline_ns = rung_limit(ladder, spec);
	if (ladder->rung == STOP_POWERDOWN && ladder->presses < spec->stop.presses &&
		ladder->next_press_ns < *ret_deadline_ns && qmp)
		*ret_deadline_ns = ladder->next_press_ns;
	return what;
}
