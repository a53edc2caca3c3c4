/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/role.h"
#include "base/num.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* What follows `prefix` in comm, NULL if comm does not begin so. */
static const char *after(const char *comm, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(comm, prefix, n) == 0 ? comm + n : NULL;
}

/* "0/KVM" -> 0; -1 if it is none. */
static int vcpu_index(const char *text)
{
	char digits[12];
	size_t n = strspn(text, "0123456789");
	long index;

	if (n == 0 || n >= sizeof(digits) || text[n] != '/')
		return -1;
	snprintf(digits, sizeof(digits), "%.*s", (int)n, text);
	return num_parse_long(digits, 0, INT_MAX, &index) == 0 ? (int)index : -1;
}

pid_t role_of_kernel_thread(const char *comm, enum role *ret_role)
{
	const char *vhost = after(comm, "vhost-");
	const char *pit = after(comm, "kvm-pit/");
	const char *digits = vhost ? vhost : pit;
	long pid;

	if (!digits || num_parse_long(digits, 1, INT_MAX, &pid) < 0)
		return 0;
	*ret_role = vhost ? ROLE_VHOST : ROLE_KVM_PIT;
	return (pid_t)pid;
}

static enum role role_of_comm(const char *comm, int *ret_index)
{
	const char *cpu = after(comm, "CPU ");
	int index = cpu ? vcpu_index(cpu) : -1;

	if (index >= 0) {
		*ret_index = index;
		return ROLE_VCPU;
	}
	if (after(comm, "ALL CPUs/")) { /* TCG with thread=single */
		*ret_index = 0;
		return ROLE_VCPU;
	}
	if (strcmp(comm, "IO mon_iothread") == 0) /* the monitor's own, no object of the VM's */
		return ROLE_UNKNOWN;
	if (after(comm, "IO "))
		return ROLE_IOTHREAD;
	if (strcmp(comm, "worker") == 0 || after(comm, "iou-"))
		return ROLE_WORKER;
	return after(comm, "vhost-") ? ROLE_VHOST : ROLE_UNKNOWN;
}

void role_from_name(pid_t pid, struct thread *thread)
{
	thread->index = -1;
	thread->id[0] = '\0';
	if (thread->tid == pid) {
		thread->role = ROLE_MAIN;
		return;
	}
	thread->role = role_of_comm(thread->comm, &thread->index);
	if (thread->role == ROLE_IOTHREAD && strlen(thread->comm) < COMM_SIZE - 1)
		snprintf(thread->id, sizeof(thread->id), "%s", after(thread->comm, "IO "));
}
