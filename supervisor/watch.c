/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/watch.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "supervisor/watch_tick.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

enum { SLOW_FACTOR = 10, THREAD_NICE = -15, REMOVE_WAIT_MS = 1000 };

struct watch {
	const struct root *root;
	pthread_t thread;
	int timer_fd, wake_fd;
	_Atomic bool stop;
	_Atomic uint64_t overruns, ticked_ns;
	_Atomic int used; /* slots at and beyond this were never taken */
	uint64_t tick_ns; /* of the timer; 0: disarmed */
	struct watch_slot slots[WATCH_SLOTS];
};

static void wake(struct watch *watch)
{
	uint64_t one = 1;

	/* A full eventfd is awake already. */
	if (write(watch->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void tick(struct watch *watch)
{
	uint64_t now = clock_now_ns();
	bool news = false;

	watch->ticked_ns = now;
	for (int i = 0; i < watch->used; i++) {
		struct watch_slot *slot = &watch->slots[i];
		enum slot_state state = atomic_load(&slot->state);

		if (state == SLOT_LEAVING)
			atomic_store(&slot->state, SLOT_LEFT);
		else if (state == SLOT_WATCHED && now + NS_PER_MS / 2 >= slot->next_ns)
			news |= watch_tick_slot(slot, now);
	}
	if (news)
		wake(watch);
}

static void *run(void *arg)
{
	struct watch *watch = arg;
	uint64_t expirations;

	/* The VM's smoothness hangs on it: ahead of ordinary tasks, where that is allowed. */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), THREAD_NICE);
	while (!watch->stop) {
		if (read(watch->timer_fd, &expirations, sizeof(expirations)) != sizeof(expirations))
			continue;
		if (expirations > 1)
			counter_add(&watch->overruns, expirations - 1);
		tick(watch);
	}
	return NULL;
}

static void arm(struct watch *watch, uint64_t first_ns, uint64_t tick_ns)
{
	struct itimerspec when = { 0 };

	if (tick_ns > 0) {
		when.it_interval.tv_sec = (time_t)(tick_ns / NS_PER_SEC);
		when.it_interval.tv_nsec = (long)(tick_ns % NS_PER_SEC);
	}
	when.it_value.tv_sec = (time_t)(first_ns / NS_PER_SEC);
	when.it_value.tv_nsec = (long)(first_ns % NS_PER_SEC);
	watch->tick_ns = tick_ns;
	timerfd_settime(watch->timer_fd, 0, &when, NULL);
}

/* The shortest tick that any slot asks for. */
static void rearm(struct watch *watch)
{
	uint64_t shortest = 0;

	for (int i = 0; i < watch->used; i++) {
		const struct watch_slot *slot = &watch->slots[i];
		uint64_t wanted = slot->every_ns;

		if (slot->state == SLOT_WATCHED && (shortest == 0 || wanted < shortest))
			shortest = wanted;
	}
	if (shortest != watch->tick_ns)
		arm(watch, shortest, shortest);
}

int watch_start(const struct root *root, int wake_fd, struct watch **ret_watch)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->root = root;
	watch->wake_fd = wake_fd;
	watch->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	int r = watch->timer_fd < 0 ? errno : pthread_create(&watch->thread, NULL, run, watch);
	if (r != 0) {
		if (watch->timer_fd >= 0)
			close(watch->timer_fd);
		free(watch);
		return -r;
	}
	*ret_watch = watch;
	return 0;
}

void watch_stop(struct watch *watch)
{
	if (!watch)
		return;
	watch->stop = true;
	arm(watch, 1, NS_PER_MS);
	pthread_join(watch->thread, NULL);
	close(watch->timer_fd);
	free(watch);
}

static int free_slot(struct watch *watch)
{
	for (int i = 0; i < WATCH_SLOTS; i++)
		if (watch->slots[i].state == SLOT_FREE)
			return i;
	return -ENOSPC;
}

int watch_add(struct watch *watch, const struct watch_order *order)
{
	int i = free_slot(watch);

	if (i < 0)
		return i;
	struct watch_slot *slot = &watch->slots[i];
	AUTO_CLOSE int schedstat = host_open_schedstat(watch->root, order->pid, order->tid);
	AUTO_CLOSE int stat = host_open_stat(watch->root, order->pid, order->tid);
	/* A kernel without CONFIG_SCHED_INFO has no schedstat: placement is watched all the same. */
	if (stat < 0)
		return stat;
	*slot = (struct watch_slot){ .order = *order,
		.schedstat_fd = take_fd(&schedstat),
		.stat_fd = take_fd(&stat),
		.every_ns = order->tick_ns };
	if (i >= watch->used)
		watch->used = i + 1;
	atomic_store(&slot->state, SLOT_WATCHED);
	rearm(watch);
	return i;
}

static void release(struct watch_slot *slot)
{
	if (slot->schedstat_fd >= 0)
		close(slot->schedstat_fd);
	close(slot->stat_fd);
	slot->state = SLOT_FREE;
}

void watch_remove(struct watch *watch, int i)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	uint64_t limit = clock_now_ns() + REMOVE_WAIT_MS * NS_PER_MS;

	if (i < 0)
		return;
	struct watch_slot *slot = &watch->slots[i];
	atomic_store(&slot->state, SLOT_LEAVING);
	arm(watch, 1, watch->tick_ns ? watch->tick_ns : NS_PER_MS);
	while (atomic_load(&slot->state) != SLOT_LEFT && clock_now_ns() < limit)
		nanosleep(&pause, NULL);
	/* One that is never let go of stays taken: it costs two descriptors, not the VM. */
	if (slot->state == SLOT_LEFT)
		release(slot);
	watch->tick_ns = 0;
	arm(watch, 0, 0);
	rearm(watch);
}

void watch_slow_down(struct watch *watch, int i, bool slow)
{
	if (i < 0)
		return;
	struct watch_slot *slot = &watch->slots[i];
	slot->every_ns = slot->order.tick_ns * (slow ? SLOW_FACTOR : 1);
	rearm(watch);
}

struct watch_view watch_see(const struct watch *watch, int i)
{
	const struct watch_slot *slot = &watch->slots[i];

	struct watch_view view = { .open = slot->open,
		.failing = slot->failing,
		.fighting = slot->fighting,
		.gone = slot->gone };

	for (int kind = 0; kind < WATCHED_KINDS; kind++)
		view.repaired[kind] = counter_read(&slot->repaired[kind]);
	return view;
}

uint64_t watch_take_worst(struct watch *watch, int i)
{
	return atomic_exchange(&watch->slots[i].worst_ns, 0);
}

bool watch_alive(const struct watch *watch, uint64_t now_ns)
{
	uint64_t last = counter_read(&watch->ticked_ns);

	return watch->tick_ns == 0 || last == 0 ||
	       now_ns < last + 10 * NS_PER_SEC + 10 * watch->tick_ns;
}

uint64_t watch_overruns(const struct watch *watch)
{
	return counter_read(&watch->overruns);
}
