/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/daemon.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "supervisor/api.h"
#include "supervisor/control.h"
#include "supervisor/host_down.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define EXTEND_NS   (60 * NS_PER_SEC)
#define PATIENCE_NS (5 * NS_PER_SEC)

static int daemon_fd(void *source)
{
	return ((struct daemon *)source)->sup.signal_fd;
}

static short daemon_events(void *source)
{
	(void)source;
	return POLLIN;
}

static struct vm *wants_power_off(const struct daemon *daemon)
{
	list_for_each (link, &daemon->sup.vms) {
		struct vm *vm = list_entry(link, struct vm, link);

		if (vm->power_off_host)
			return vm;
	}
	return NULL;
}

static bool any_runs(const struct daemon *daemon)
{
	list_for_each (link, &daemon->sup.vms)
		if (vm_is_up(list_entry(link, struct vm, link)))
			return true;
	return false;
}

/* Asked after each turn of the loop: who runs may have changed in any of them. */
static uint64_t daemon_deadline(void *source)
{
	const struct daemon *daemon = source;

	if (daemon->ending)
		return any_runs(daemon) ? daemon->extend_at : 0;
	bool news = wants_power_off(daemon) || daemon_who_runs(daemon) != daemon->told;

	return news ? 0 : daemon->watchdog_at;
}

/* One guest's wish does not end the others. */
static void power_off(struct daemon *daemon, struct vm *vm)
{
	vm->power_off_host = false;
	if (any_runs(daemon)) {
		vm_alarm(vm, "host-poweroff", "the host was not powered off: other VMs run", "",
			"stop them, then power off the host");
		return;
	}
	daemon->power_off = true;
	loop_stop(daemon->sup.loop);
}

static void tell_systemd(struct daemon *daemon, const char *state)
{
	AUTO_STRBUF struct strbuf text = { 0 };

	daemon->told = daemon_who_runs(daemon);
	daemon_status(daemon, &text);
	if (!text.failed)
		sd_notifyf(0, "%sSTATUS=%s", state, text.text);
}

static void reload(struct daemon *daemon)
{
	tell_systemd(daemon, "RELOADING=1\n");
	log_notice(NULL, "reading %s again", daemon->config_dir);
	daemon_read_vms(daemon);
	tell_systemd(daemon, "READY=1\n");
}

/* The VMs go on: whoever comes next takes them over. */
static void end(struct daemon *daemon)
{
	tell_systemd(daemon, "STOPPING=1\n");
	loop_stop(daemon->sup.loop);
}

/* systemd hears of us from within the loop, and only as long as the watch thread ticks. */
static void pet_watchdog(struct daemon *daemon, uint64_t now_ns)
{
	if (now_ns < daemon->watchdog_at)
		return;
	daemon->watchdog_at = now_ns + daemon->watchdog_ns / 3;
	if (watch_alive(daemon->sup.watch, now_ns))
		sd_notify(0, "WATCHDOG=1");
}

/* Until the last has ended; each has its own longest time, so this comes to an end. */
static void wait_for_all(struct daemon *daemon, uint64_t now_ns)
{
	AUTO_STRBUF struct strbuf text = { 0 };

	if (!any_runs(daemon)) {
		loop_stop(daemon->sup.loop);
		return;
	}
	if (now_ns < daemon->extend_at)
		return;
	daemon->extend_at = now_ns + EXTEND_NS / 6;
	daemon_status(daemon, &text);
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu\nSTATUS=%s", EXTEND_NS / NS_PER_US,
		text.failed ? "" : text.text);
}

static void daemon_process(void *source, short revents, uint64_t now_ns)
{
	struct daemon *daemon = source;
	struct signalfd_siginfo info;

	if ((revents & POLLIN) &&
		read(daemon->sup.signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(daemon);
		else
			end(daemon);
	}
	if (daemon->ending) {
		wait_for_all(daemon, now_ns);
		return;
	}
	pet_watchdog(daemon, now_ns);
	if (daemon_who_runs(daemon) != daemon->told)
		tell_systemd(daemon, "");
	struct vm *vm = wants_power_off(daemon);
	if (vm)
		power_off(daemon, vm);
}

static const struct source_ops daemon_source = { .fd = daemon_fd,
	.events = daemon_events,
	.deadline_ns = daemon_deadline,
	.process = daemon_process };

static void find_watchdog(struct daemon *daemon)
{
	uint64_t usec = 0;

	daemon->watchdog_at = CLOCK_NEVER;
	if (sd_watchdog_enabled(0, &usec) <= 0)
		return;
	daemon->watchdog_ns = usec * NS_PER_US;
	daemon->watchdog_at = 0;
}

static int bring_up(struct daemon *daemon, struct err *err)
{
	struct supervisor *sup = &daemon->sup;
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int r = supervisor_open_signals(sup, signals, ARRAY_SIZE(signals), err);

	if (r == 0 && daemon->ending)
		r = supervisor_start(sup, NULL, HOST_SLEEP_ALLOW, err);
	else if (r == 0)
		r = supervisor_start(
			sup, daemon->conf.metrics_listen, daemon->conf.host_sleep, err);
	if (r < 0)
		return r;
	control_set_groups(sup->control, daemon->conf.read, daemon->conf.operate);
	daemon->source = loop_add(sup->loop, &daemon_source, daemon);
	return daemon->source ? 0 : err_set(err, ENOMEM, "out of memory");
}

static void live(struct daemon *daemon)
{
	daemon_read_vms(daemon);
	daemon_find_vms(daemon);
	daemon_autostart(daemon);
	find_watchdog(daemon);
	tell_systemd(daemon, "READY=1\n");
	if (daemon->sup.http)
		log_info(NULL, "metrics at http://%s/metrics", http_address(daemon->sup.http));
	loop_run(daemon->sup.loop);
}

/* Those that could not be taken over have not been asked. */
static int left_alone(const struct daemon *daemon, struct err *err)
{
	list_for_each (link, &daemon->sup.vms) {
		const struct vm *vm = list_entry(link, struct vm, link);

		if (vm->foreign)
			return err_set(err, EBUSY,
				"%s runs and could not be taken over: it was not asked to power "
				"off",
				vm->spec.name);
	}
	return 0;
}

static int stop_all(struct daemon *daemon, struct err *err)
{
	daemon->sup.host_down = true;
	daemon_read_vms(daemon);
	daemon_find_vms(daemon);
	host_down_begin(&daemon->sup);
	loop_run(daemon->sup.loop);
	return left_alone(daemon, err);
}

static void let_go(struct daemon *daemon)
{
	loop_remove(daemon->sup.loop, daemon->source);
	control_close(TAKE(daemon->sup.control)); /* who waits there waits for a VM */
	list_for_each (link, &daemon->sup.vms)
		vm_free(list_entry(link, struct vm, link));
	supervisor_close(&daemon->sup);
}

/* Whoever has the run directory may only be giving something back there, or be on its way out. */
static int open_patiently(struct daemon *daemon, const struct api_options *options, struct err *err)
{
	const char *run_dir = options->run_dir ? options->run_dir : daemon->conf.run_dir;
	const struct timespec pause = { .tv_nsec = 100 * NS_PER_MS };
	uint64_t until = clock_now_ns() + PATIENCE_NS;
	int r;

	while ((r = supervisor_open(&daemon->sup, run_dir, options->root, err)) == -EWOULDBLOCK &&
		clock_now_ns() < until)
		nanosleep(&pause, NULL);
	return r;
}

static int run(struct daemon *daemon, const struct api_options *options, struct err *err)
{
	AUTO_STRBUF struct strbuf path = { 0 };

	strbuf_addf(&path, "%s/vfio-sup.conf", daemon->config_dir);
	int r = path.failed ? err_set(err, ENOMEM, "out of memory")
			    : config_load_host(path.text, &daemon->conf, err);
	if (r < 0)
		return r;
	if (log_is_journal())
		log_use_journal_priorities();
	r = open_patiently(daemon, options, err);
	if (r == 0) {
		daemon->sup.host.may_lift_rt =
			daemon->sup.host.host_owner && daemon->conf.rt_throttle == RT_THROTTLE_AUTO;
		r = bring_up(daemon, err);
		if (r == 0 && daemon->ending)
			r = stop_all(daemon, err);
		else if (r == 0)
			live(daemon);
		let_go(daemon);
	}
	host_conf_free(&daemon->conf);
	return r;
}

int api_daemon(const char *config_dir, const struct api_options *options, bool *ret_power_off,
	struct err *err)
{
	struct daemon daemon = { .config_dir = config_dir };
	int r = run(&daemon, options, err);

	*ret_power_off = daemon.power_off;
	return r;
}

int daemon_stop_all(const char *config_dir, const struct api_options *options, struct err *err)
{
	struct daemon daemon = { .config_dir = config_dir, .ending = true };

	return run(&daemon, options, err);
}
