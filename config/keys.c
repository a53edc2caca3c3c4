/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/reader.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <stddef.h>

/* A key joins when its work makes it true; until then it is an unknown key. */

#define MINUTES   (60 * NS_PER_SEC)
#define HOURS     (60 * MINUTES)
#define AT(field) offsetof(struct spec, field)

static const char *const accels[] = {
	[ACCEL_KVM] = "kvm", [ACCEL_TCG] = "tcg", [ACCEL_AUTO] = "auto", NULL
};
static const char *const hugepages[] = {
	[HUGEPAGES_OFF] = "off", [HUGEPAGES_2M] = "2M", [HUGEPAGES_1G] = "1G", NULL
};
static const char *const isolates[] = {
	[ISOLATE_AUTO] = "auto", [ISOLATE_SHIELD] = "shield", [ISOLATE_OFF] = "off", NULL
};
static const char *const policies[] = { [SPEC_POLICY_AUTO] = "auto",
	[SPEC_POLICY_FIFO] = "fifo",
	[SPEC_POLICY_RR] = "rr",
	[SPEC_POLICY_OTHER] = "other",
	NULL };
static const char *const on_drifts[] = { [ON_DRIFT_REPAIR] = "repair",
	[ON_DRIFT_REPORT] = "report",
	[ON_DRIFT_RESTART] = "restart",
	NULL };
static const char *const on_poweroffs[] = { [ON_POWEROFF_STOP] = "stop",
	[ON_POWEROFF_RESTART] = "restart",
	[ON_POWEROFF_HOST_POWEROFF] = "host-poweroff",
	NULL };
static const char *const on_reboots[] = {
	[ON_REBOOT_RESET] = "reset", [ON_REBOOT_RESTART] = "restart", NULL
};
static const char *const on_panics[] = {
	[ON_PANIC_WAIT] = "wait", [ON_PANIC_RESTART] = "restart", [ON_PANIC_STOP] = "stop", NULL
};
static const char *const on_crashes[] = {
	[ON_CRASH_RESTART] = "restart", [ON_CRASH_STOP] = "stop", NULL
};
static const char *const on_hangs[] = {
	[ON_HANG_REPORT] = "report", [ON_HANG_RESTART] = "restart", NULL
};

const char *const conf_host_sleeps[] = {
	[HOST_SLEEP_BLOCK] = "block", [HOST_SLEEP_ALLOW] = "allow", NULL
};

const char *const conf_rt_throttles[] = {
	[RT_THROTTLE_AUTO] = "auto", [RT_THROTTLE_KEEP] = "keep", NULL
};

static const struct bounds memory_bounds = { 1ull << 20, 1ull << 46 };
static const struct bounds priority_bounds = { 1, 99 };
static const struct bounds times_bounds = { 1, 64 }; /* as many as life_memory remembers */
static const struct bounds press_bounds = { 1, 20 };
static const struct bounds delay_bounds = { 100 * NS_PER_MS, 1 * HOURS };
static const struct bounds long_bounds = { 1 * NS_PER_SEC, 24 * HOURS };
static const struct bounds rung_bounds = { 100 * NS_PER_MS, 1 * HOURS };
static const struct bounds tick_bounds = { 1 * NS_PER_MS, 1 * NS_PER_SEC };
static const struct bounds stall_bounds = { 1 * NS_PER_US, 10 * NS_PER_SEC };

static const struct key memory_keys[] = {
	{ "size", read_size, AT(memory.size), &memory_bounds, 0, "\"8G\"" },
	{ "lock", read_bool, AT(memory.lock), NULL, SAID_MEMORY_LOCK, "true" },
	{ "hugepages", read_choice, AT(memory.hugepages), hugepages, 0, "\"off\"" },
};

static const struct key cpus_keys[] = {
	{ "vcpu", read_vcpu, 0, NULL, 0, "\"2,3\"" },
	{ "emulator", read_cpus, AT(cpus.emulator), NULL, SAID_EMULATOR, "\"0-1\"" },
	{ "iothread", read_cpus, AT(cpus.iothread), NULL, SAID_IOTHREAD, "\"0-1\"" },
	{ "isolate", read_choice, AT(cpus.isolate), isolates, 0, "\"auto\"" },
	{ "policy", read_choice, AT(cpus.policy), policies, 0, "\"auto\"" },
	{ "priority", read_count, AT(cpus.priority), &priority_bounds, SAID_PRIORITY, "1" },
};

static const struct key restart_keys[] = {
	{ "delay", read_duration, AT(restart.delay_ns), &delay_bounds, 0, "\"1s\"" },
	{ "max_delay", read_duration, AT(restart.max_delay_ns), &delay_bounds, 0, "\"60s\"" },
	{ "burst", read_count, AT(restart.burst), &times_bounds, 0, "5" },
	{ "interval", read_duration, AT(restart.interval_ns), &long_bounds, 0, "\"10min\"" },
};

static const struct key stop_keys[] = {
	{ "powerdown", read_duration, AT(stop.powerdown_ns), &long_bounds, 0, "\"180s\"" },
	{ "presses", read_count, AT(stop.presses), &press_bounds, 0, "3" },
	{ "press_every", read_duration, AT(stop.press_every_ns), &rung_bounds, 0, "\"25s\"" },
	{ "host_shutdown", read_duration, AT(stop.host_shutdown_ns), &long_bounds, 0, "\"20min\"" },
	{ "quit", read_duration, AT(stop.quit_ns), &rung_bounds, 0, "\"10s\"" },
	{ "term", read_duration, AT(stop.term_ns), &rung_bounds, 0, "\"10s\"" },
};

static const struct key latency_keys[] = {
	{ "tick", read_duration, AT(latency.tick_ns), &tick_bounds, 0, "\"10ms\"" },
	{ "stall", read_duration, AT(latency.stall_ns), &stall_bounds, 0, "\"1ms\"" },
};

static const struct key metrics_keys[] = {
	{ "listen", read_listen, AT(metrics_listen), NULL, SAID_METRICS, "\"127.0.0.1:9848\"" },
};

#define TABLE(keys_name, keys)                                                                     \
	{                                                                                          \
		keys_name, keys, ARRAY_SIZE(keys)                                                  \
	}

static const struct key_table memory_table = TABLE("memory", memory_keys);
static const struct key_table cpus_table = TABLE("cpus", cpus_keys);
static const struct key_table restart_table = TABLE("restart", restart_keys);
static const struct key_table stop_table = TABLE("stop", stop_keys);
static const struct key_table latency_table = TABLE("latency", latency_keys);
static const struct key_table metrics_table = TABLE("metrics", metrics_keys);

static const struct group_rule devices_rule = { SPEC_DEVICES, { "driver" } };
static const struct group_rule blockdevs_rule = { SPEC_BLOCKDEVS, { "driver", "node-name" } };
static const struct group_rule netdevs_rule = { SPEC_NETDEVS, { "type", "id" } };
static const struct group_rule objects_rule = { SPEC_OBJECTS, { "qom-type", "id" } };

static const struct key file_keys[] = {
	{ "autostart", read_bool, AT(autostart), NULL, 0, "true" },
	{ "accel", read_choice, AT(accel), accels, 0, "\"kvm\"" },
	{ "binary", read_path, AT(binary), NULL, 0, "\"/usr/bin/qemu-system-x86_64\"" },
	{ "user", read_user, AT(user), NULL, SAID_USER, "\"vfio-sup-qemu\"" },
	{ "env", read_env, 0, NULL, 0, "( \"NAME=value\" )" },
	{ "machine", read_text, AT(machine), NULL, 0, "\"pc-q35-7.2\"" },
	{ "cpu", read_text, AT(cpu), NULL, SAID_CPU, "\"host,migratable=no\"" },
	{ "smp", read_smp, AT(smp), NULL, 0, "\"2,sockets=1,cores=2,threads=1\"" },
	{ "memory", read_block, 0, &memory_table, 0, "{ size = \"8G\"; }" },
	{ "cpus", read_block, 0, &cpus_table, 0, "{ vcpu = \"2,3\"; }" },
	{ "devices", read_groups, 0, &devices_rule, 0, "( { driver = \"virtio-rng-pci\"; } )" },
	{ "blockdevs", read_groups, 0, &blockdevs_rule, 0,
		"( { node-name = \"system\"; driver = \"null-co\"; } )" },
	{ "netdevs", read_groups, 0, &netdevs_rule, 0, "( { id = \"net0\"; type = \"user\"; } )" },
	{ "objects", read_groups, 0, &objects_rule, 0,
		"( { id = \"io0\"; qom-type = \"iothread\"; } )" },
	{ "args", read_args, AT(args), NULL, 0, "\"-rtc base=localtime\"" },
	{ "on_drift", read_choice, AT(on_drift), on_drifts, 0, "\"repair\"" },
	{ "on_poweroff", read_choice, AT(on_poweroff), on_poweroffs, 0, "\"stop\"" },
	{ "on_reboot", read_choice, AT(on_reboot), on_reboots, 0, "\"reset\"" },
	{ "on_panic", read_choice, AT(on_panic), on_panics, 0, "\"wait\"" },
	{ "on_crash", read_choice, AT(on_crash), on_crashes, 0, "\"restart\"" },
	{ "on_hang", read_choice, AT(on_hang), on_hangs, 0, "\"report\"" },
	{ "restart", read_block, 0, &restart_table, 0, "{ delay = \"1s\"; burst = 5; }" },
	{ "stop", read_block, 0, &stop_table, 0, "{ powerdown = \"180s\"; }" },
	{ "latency", read_block, 0, &latency_table, 0, "{ tick = \"10ms\"; }" },
	{ "shield", read_shield, AT(shield), NULL, SAID_SHIELD, "( \"system.slice\" )" },
	{ "run_dir", read_path, AT(run_dir), NULL, SAID_RUN_DIR, "\"/run/vfio-sup\"" },
	{ "metrics", read_block, 0, &metrics_table, 0, "{ listen = \"127.0.0.1:9848\"; }" },
	{ "host_sleep", read_choice, AT(host_sleep), conf_host_sleeps, 0, "\"block\"" },
	{ "rt_throttle", read_choice, AT(rt_throttle), conf_rt_throttles, 0, "\"auto\"" },
};

const struct key_table conf_file_keys = TABLE(NULL, file_keys);
