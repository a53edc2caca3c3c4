/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/cpu_flags.h"
#include "base/cleanup.h"

#include <stddef.h>
#include <string.h>

static bool same_name(const char *item, const char *flag, size_t length)
{
	if (strlen(flag) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (item[i] != flag[i] && !(item[i] == '_' && flag[i] == '-'))
			return false;
	return true;
}

static bool is_on(const char *cpu, const char *flag)
{
	const char *item = cpu + strcspn(cpu, ",");
	bool on = false;

	for (; *item == ','; item += strcspn(item, ",")) {
		item++;
		char sign = *item == '+' || *item == '-' ? *item : '\0';
		const char *name = item + (sign != '\0');
		size_t length = strcspn(name, ",=");

		if (!same_name(name, flag, length))
			continue;
		const char *value = name[length] == '=' ? name + length + 1 : "on";
		on = sign != '-' && strncmp(value, "off", 3) != 0 && strncmp(value, "no", 2) != 0 &&
		     strncmp(value, "false", 5) != 0;
	}
	return on;
}

static const struct {
	const char *flag, *needs;
} rules[] = {
	{ "hv-synic", "hv-vpindex" },
	{ "hv-stimer", "hv-synic" },
	{ "hv-stimer", "hv-time" },
	{ "hv-tlbflush", "hv-vpindex" },
	{ "hv-ipi", "hv-vpindex" },
};

bool cpu_flags_complete(const char *cpu, const char **ret_flag, const char **ret_needs)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules) && !is_on(cpu, "hv-passthrough"); i++) {
		if (is_on(cpu, rules[i].flag) && !is_on(cpu, rules[i].needs)) {
			*ret_flag = rules[i].flag;
			*ret_needs = rules[i].needs;
			return false;
		}
	}
	return true;
}
