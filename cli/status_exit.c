/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/status_text.h"
#include "cli/text.h"
#include "base/cleanup.h"

#include <string.h>

/* The states of design §6. What is not here is not known, and that is never "not running". */
static const struct {
	const char *state;
	int exit;  /* where nothing is odd */
	bool runs; /* where something odd makes it 1 */
} states[] = {
	{ "running", CLI_OK, true },
	{ "asleep", CLI_OK, true },
	{ "paused", CLI_OK, true },
	{ "stopping", CLI_OK, true },
	{ "degraded", CLI_FAILED, true },
	{ "unresponsive", CLI_FAILED, true },
	{ "adopting", CLI_FAILED, true },
	{ "stopped", CLI_NOT_RUNNING, false },
	{ "preparing", CLI_NOT_RUNNING, false },
	{ "starting", CLI_NOT_RUNNING, false },
	{ "backoff", CLI_NOT_RUNNING, false },
	{ "failed", CLI_NOT_RUNNING, false },
};

size_t status_odd_count(const json_t *vm)
{
	const json_t *drift = json_object_get(vm, "drift");

	return json_array_size(json_object_get(drift, "open")) +
	       json_array_size(json_object_get(drift, "unfixable")) +
	       json_array_size(json_object_get(vm, "alarms"));
}

bool status_runs(const json_t *vm)
{
	const char *state = field_text(vm, "state");

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i].state, state) == 0)
			return states[i].runs;
	return true;
}

int status_vm_exit(const json_t *vm)
{
	const char *state = field_text(vm, "state");

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strcmp(states[i].state, state) != 0)
			continue;
		return states[i].runs && status_odd_count(vm) > 0 ? CLI_FAILED : states[i].exit;
	}
	return CLI_FAILED;
}

int status_overview_exit(const json_t *overview)
{
	const json_t *vms = json_object_get(overview, "vms");
	int worst = json_is_array(vms) ? CLI_OK : CLI_FAILED;

	for (size_t i = 0; i < json_array_size(vms); i++) {
		const json_t *vm = json_array_get(vms, i);
		const char *state = field_text(vm, "state");

		if (status_vm_exit(vm) == CLI_FAILED || strcmp(state, "failed") == 0 ||
			strcmp(state, "backoff") == 0)
			worst = CLI_FAILED;
	}
	return worst;
}
