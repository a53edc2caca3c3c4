/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "host/child.h"
#include "host/kvm_guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#define DEADLINE_NS   (1 * NS_PER_SEC)
/* The guest's loop takes about 1 ms where the CPU runs it, and 300 ms and more where software does. */
#define LOOP_LIMIT_NS (100 * NS_PER_MS)

enum step { STEP_OPEN, STEP_VERSION, STEP_CREATE, STEP_MEMORY, STEP_VCPU, STEP_RUN, STEP_HALTED };

struct result {
	enum step step; /* that failed */
	int error;
	unsigned exit_reason;
	char milestone; /* the guest's last letter, 0: none */
	uint64_t loop_ns;
};

struct machine {
	int kvm, vm, vcpu;
	struct kvm_run *run;
};

static int fail(struct result *result, enum step step, int error)
{
	result->step = step;
	result->error = error;
	return -error;
}

static uint64_t cpu_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

static int create(struct machine *m, struct result *result)
{
	int version = ioctl(m->kvm, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION)
		return fail(result, STEP_VERSION, version < 0 ? errno : EPROTO);
	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0);
	if (m->vm < 0)
		return fail(result, STEP_CREATE, errno);
	/* Intel before "unrestricted guest" needs room of its own below 4 GB for real mode; others
	 * take it or do not know it. */
	uint64_t identity = 0xfeffc000;
	ioctl(m->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	ioctl(m->vm, KVM_SET_TSS_ADDR, 0xfeffd000ul);
	return 0;
}

static int add_memory(const struct machine *m, struct result *result)
{
	uint8_t *memory =
		mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return fail(result, STEP_MEMORY, errno);
	memcpy(memory + GUEST_ADDRESS, kvm_guest_code, kvm_guest_length);
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_MEMORY,
		.userspace_addr = (uintptr_t)memory };
	if (ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return fail(result, STEP_MEMORY, errno);
	return 0;
}

static int add_vcpu(struct machine *m, struct result *result)
{
	struct kvm_sregs special;
	struct kvm_regs regs = { .rip = GUEST_ADDRESS, .rflags = 2 };
	int size = ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	m->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	if (size < 0 || m->vcpu < 0)
		return fail(result, STEP_VCPU, errno);
	m->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	if (m->run == MAP_FAILED || ioctl(m->vcpu, KVM_GET_SREGS, &special) < 0)
		return fail(result, STEP_VCPU, errno);
	special.cs.base = 0;
	special.cs.selector = 0;
	if (ioctl(m->vcpu, KVM_SET_SREGS, &special) < 0 || ioctl(m->vcpu, KVM_SET_REGS, &regs) < 0)
		return fail(result, STEP_VCPU, errno);
	return 0;
}

/* The next letter the guest writes: 0 for one as awaited. */
static int run_to(const struct machine *m, char letter, struct result *result)
{
	int r;

	do {
		r = ioctl(m->vcpu, KVM_RUN, 0);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	result->exit_reason = r < 0 ? 0 : m->run->exit_reason;
	if (r < 0)
		return fail(result, STEP_RUN, errno);
	if (m->run->exit_reason != KVM_EXIT_IO || m->run->io.port != GUEST_PORT)
		return fail(result, STEP_RUN, EPROTO);
	char said = *((char *)m->run + m->run->io.data_offset);
	if (said != letter)
		return fail(result, STEP_RUN, EPROTO);
	result->milestone = letter;
	return 0;
}

static int run_guest(const struct machine *m, struct result *result)
{
	if (run_to(m, 'R', result) < 0 || run_to(m, 'P', result) < 0 || run_to(m, 'S', result) < 0)
		return -EPROTO;
	uint64_t before = cpu_time_ns();
	if (run_to(m, 'L', result) < 0)
		return -EPROTO;
	result->loop_ns = cpu_time_ns() - before;
	if (ioctl(m->vcpu, KVM_RUN, 0) < 0 || m->run->exit_reason != KVM_EXIT_HLT)
		return fail(result, STEP_RUN, EPROTO);
	if (result->loop_ns > LOOP_LIMIT_NS)
		return fail(result, STEP_RUN, ETIME);
	result->step = STEP_HALTED;
	return 0;
}

/* In a child: what it opens and maps goes with it. */
static void try_kvm(void *context, void *reply)
{
	const struct root *root = context;
	struct result *result = reply;
	struct machine m = { .kvm = root_open_file(root, "dev/kvm", O_RDWR | O_NONBLOCK) };

	if (m.kvm < 0) {
		fail(result, STEP_OPEN, -m.kvm);
		return;
	}
	if (create(&m, result) == 0 && add_memory(&m, result) == 0 && add_vcpu(&m, result) == 0)
		run_guest(&m, result);
}

struct vendor {
	const char *module, *flag, *name;
};

/* What /proc/cpuinfo says of its first CPU. */
static const struct vendor *read_vendor(const struct root *root, bool *ret_has_flag)
{
	static const struct vendor intel = { "kvm_intel", " vmx", "VT-x" };
	static const struct vendor amd = { "kvm_amd", " svm", "AMD-V" };
	char text[8192];

	/* Longer on most hosts; the first CPU comes first. */
	root_read(root, "proc/cpuinfo", text, sizeof(text));
	const struct vendor *vendor = strstr(text, "GenuineIntel") ? &intel : &amd;
	const char *flags = strstr(text, "\nflags");
	const char *end = flags ? strchrnul(flags + 1, '\n') : NULL;
	const char *at = flags ? strstr(flags, vendor->flag) : NULL;

	*ret_has_flag = at && at < end && strchr(" \n", at[strlen(vendor->flag)]);
	return vendor;
}

static int no_device(const struct root *root, int error, struct err *err)
{
	bool has_flag;
	const struct vendor *vendor = read_vendor(root, &has_flag);
	char module[32] = "sys/module/";

	strcat(module, vendor->module);
	err_set(err, error, "there is no KVM here: /dev/kvm: %s", strerror(error));
	if (!has_flag) {
		err_why(err,
			"the CPU shows no%s flag: %s is off in the firmware, or this is itself a "
			"VM "
			"without nested virtualisation",
			vendor->flag, vendor->name);
		err_fix(err, "switch %s on in the firmware's setup, or use accel = \"tcg\"",
			vendor->name);
	} else if (root_exists(root, module)) {
		err_why(err, "the module %s is loaded, but the device is missing: a container?",
			vendor->module);
		err_fix(err, "hand /dev/kvm into the container, or use accel = \"tcg\"");
	} else {
		err_why(err, "the module %s is not loaded", vendor->module);
		err_fix(err, "modprobe %s; if that fails, %s is off in the firmware (see dmesg)",
			vendor->module, vendor->name);
	}
	return -error;
}

static int cannot_open(const struct root *root, int error, struct err *err)
{
	if (error != EACCES && error != EPERM)
		return no_device(root, error, err);
	err_set(err, error, "/dev/kvm may not be opened: %s", strerror(error));
	if (error == EACCES) {
		err_why(err, "it is for the group kvm, and this process is not in it");
		err_fix(err, "usermod -aG kvm USER, and log in again");
	} else {
		err_why(err, "the devices cgroup or a security module is against it");
	}
	return -error;
}

static const char *where_it_stopped(const struct result *result)
{
	if (result->error == ETIME)
		return "a loop of a million turns takes a hundred times too long";
	switch (result->milestone) {
	case 0:
		return "a guest stops at its first instruction";
	case 'R':
		return "a guest stops on its way from real to protected mode";
	case 'P':
		return "a guest stops at its first SSE2 instruction";
	case 'S':
		return "a guest stops in a plain loop";
	default:
		return "a guest does not halt";
	}
}

static int opens_only(const struct root *root, const struct result *result, struct err *err)
{
	int code = result->error == ETIMEDOUT ? ETIMEDOUT : EIO;

	err_set(err, code, "/dev/kvm opens but does not run guests");
	if (root_exists(root, "sys/module/kvm_pvm"))
		err_why(err,
			"%s: this is kvm_pvm, which runs only guests made for it and interprets "
			"all "
			"others",
			where_it_stopped(result));
	else if (result->error == ETIMEDOUT)
		err_why(err, "a guest of a hundred bytes did not end within a second");
	else
		err_why(err, "%s (KVM's exit reason %u, %s)", where_it_stopped(result),
			result->exit_reason, strerror(result->error));
	err_fix(err, "use accel = \"tcg\" here; in a VM, have nested virtualisation switched on");
	return -code;
}

static int cannot_create(const struct result *result, struct err *err)
{
	static const char *const what[] = {
		[STEP_VERSION] = "is no KVM device of a known version",
		[STEP_CREATE] = "cannot create a VM",
		[STEP_MEMORY] = "cannot give a VM its memory",
		[STEP_VCPU] = "cannot create a vCPU",
	};

	err_set(err, result->error, "/dev/kvm %s: %s", what[result->step], strerror(result->error));
	if (result->step == STEP_CREATE && result->error == EBUSY) {
		err_why(err,
			"another hypervisor (VirtualBox, VMware) holds the CPUs' virtualisation");
		err_fix(err, "stop it, and unload its modules");
	}
	return -result->error;
}

int host_kvm_works(const struct root *root, struct err *err)
{
	struct root copy = *root;
	struct result result = { .step = STEP_RUN };
	int r = child_ask(try_kvm, &copy, &result, sizeof(result), DEADLINE_NS);

	if (r == -ETIMEDOUT || r == -ECHILD) {
		result.error = -r;
		return opens_only(root, &result, err);
	}
	if (r < 0)
		return err_set(err, -r, "cannot try KVM: %s", strerror(-r));
	if (result.step == STEP_HALTED)
		return 0;
	if (result.step == STEP_OPEN)
		return cannot_open(root, result.error, err);
	return result.step == STEP_RUN ? opens_only(root, &result, err)
				       : cannot_create(&result, err);
}
