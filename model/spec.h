/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include "base/cpuset.h"
#include "base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPEC_NAME_SIZE = 33, SPEC_VCPUS_MAX = 255 };

enum spec_accel { ACCEL_KVM, ACCEL_TCG, ACCEL_AUTO };
enum spec_hugepages { HUGEPAGES_OFF, HUGEPAGES_2M, HUGEPAGES_1G };
enum spec_isolate { ISOLATE_AUTO, ISOLATE_SHIELD, ISOLATE_OFF };
enum spec_policy { SPEC_POLICY_AUTO, SPEC_POLICY_FIFO, SPEC_POLICY_RR, SPEC_POLICY_OTHER };
enum spec_on_drift { ON_DRIFT_REPAIR, ON_DRIFT_REPORT, ON_DRIFT_RESTART };
enum spec_on_poweroff { ON_POWEROFF_STOP, ON_POWEROFF_RESTART, ON_POWEROFF_HOST_POWEROFF };
enum spec_on_reboot { ON_REBOOT_RESET, ON_REBOOT_RESTART };
enum spec_on_panic { ON_PANIC_WAIT, ON_PANIC_RESTART, ON_PANIC_STOP };
enum spec_on_crash { ON_CRASH_RESTART, ON_CRASH_STOP };
enum spec_host_sleep { HOST_SLEEP_BLOCK, HOST_SLEEP_ALLOW };
enum spec_rt_throttle { RT_THROTTLE_AUTO, RT_THROTTLE_KEEP };
enum spec_on_hang { ON_HANG_REPORT, ON_HANG_RESTART };

/* The four lists whose groups QEMU gets as JSON. */
enum spec_list { SPEC_DEVICES, SPEC_BLOCKDEVS, SPEC_NETDEVS, SPEC_OBJECTS, SPEC_LISTS };

/* A bit for each thing that was said. What is not said has the documented default in place. */
enum spec_said {
	SAID_USER = 1 << 0,
	SAID_CPU = 1 << 1,
	SAID_MEMORY_LOCK = 1 << 2,
	SAID_VCPU = 1 << 3, /* cpus.vcpu names CPUs (not "auto") */
	SAID_EMULATOR = 1 << 4,
	SAID_IOTHREAD = 1 << 5,
	SAID_SHIELD = 1 << 6,
	SAID_METRICS = 1 << 7,
	SAID_RUN_DIR = 1 << 8,
	SAID_PRIORITY = 1 << 9,
};

/* One group of devices, blockdevs, netdevs or objects. */
struct spec_group {
	char *json; /* one JSON object, values with the types they had in the file, keys in file order */
	int line; /* of its opening brace */
};

struct spec_groups {
	struct spec_group *items;
	size_t count;
};

/* Everything the operator asked for of one VM. Owns all it points to: spec_free. */
struct spec {
	char name[SPEC_NAME_SIZE];
	char *file; /* as given by the caller, for messages */
	char *text; /* the file's text as read: kept in vm.json */
	unsigned said;

	bool autostart; /* once per boot, by the daemon */
	enum spec_accel accel;
	char *binary;
	char *user;         /* NULL: as the supervisor itself (only when it is not root) */
	struct strlist env; /* "NAME=value" */
	char *machine, *cpu,
		*smp;            /* as QEMU writes them; cpu NULL: host under kvm, max under tcg */
	unsigned vcpus, maxcpus; /* from smp */
	struct {
		uint64_t size; /* bytes */
		bool lock;
		enum spec_hugepages hugepages;
	} memory;
	struct {
		int *vcpu; /* host CPU of vCPU 0, 1, ...; NULL with "auto" */
		size_t vcpu_count;
		struct cpuset emulator, iothread; /* empty: the rest */
		enum spec_isolate isolate;
		enum spec_policy policy;
		int priority;                                             /* 1..99 */
		int line_vcpu, line_emulator, line_iothread, line_policy; /* 0: not said */
	} cpus;
	struct spec_groups lists[SPEC_LISTS];
	bool vfio; /* it gets PCI devices of the host */
	struct strlist args;
	int line_args;

	enum spec_on_drift on_drift;
	enum spec_on_poweroff on_poweroff;
	enum spec_on_reboot on_reboot;
	enum spec_on_panic on_panic;
	enum spec_on_crash on_crash;
	enum spec_on_hang on_hang;
	struct {
		uint64_t delay_ns, max_delay_ns, interval_ns;
		unsigned burst;
	} restart;
	struct {
		uint64_t powerdown_ns, press_every_ns, host_shutdown_ns, quit_ns, term_ns;
		unsigned presses;
	} stop;
	struct {
		uint64_t tick_ns, stall_ns;
	} latency;
	struct strlist shield; /* cgroups, relative to the hierarchy's root: "system.slice" */
	int line_shield;

	char *run_dir;        /* NULL: not said */
	char *metrics_listen; /* "127.0.0.1:9848"; NULL: no metrics */
	enum spec_host_sleep host_sleep;
	enum spec_rt_throttle rt_throttle;
};

/* All defaults of design §5; file, name and the lists empty. 0 or -ENOMEM. */
int spec_init(struct spec *spec);
void spec_free(struct spec *spec);

/* Adds a copy of json to the list. 0 or -ENOMEM. */
int spec_add_group(struct spec *spec, enum spec_list list, const char *json, int line);

/* "devices", "blockdevs", "netdevs", "objects". */
const char *spec_list_name(enum spec_list list);

/* [a-z0-9][a-z0-9_-]{0,31} */
bool spec_name_valid(const char *name);

#endif
