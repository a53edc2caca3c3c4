/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/stat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fields by their numbers in proc_pid_stat(5); the state is field 3. */
enum { FIELD_FLAGS = 9, FIELD_NICE = 19, FIELD_START = 22, FIELD_PRIORITY = 40, FIELD_POLICY = 41 };

static void keep_field(int field, const char *text, struct task_stat *stat)
{
	switch (field) {
	case FIELD_FLAGS:
		stat->flags = (unsigned)strtoul(text, NULL, 10);
		break;
	case FIELD_NICE:
		stat->nice = (int)strtol(text, NULL, 10);
		break;
	case FIELD_START:
		stat->start_ticks = strtoull(text, NULL, 10);
		break;
	case FIELD_PRIORITY:
		stat->priority = (int)strtol(text, NULL, 10);
		break;
	case FIELD_POLICY:
		stat->policy = (unsigned)strtoul(text, NULL, 10);
		break;
	default:
		break;
	}
}

int task_stat_parse(const char *text, struct task_stat *ret)
{
	struct task_stat stat = { 0 };
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')');

	if (!open || !close || close < open || close[1] != ' ' || close[2] <= ' ')
		return -EINVAL;
	snprintf(stat.comm, sizeof(stat.comm), "%.*s", (int)(close - open - 1), open + 1);
	stat.state = close[2];
	int field = 3;
	for (const char *at = strchr(close + 2, ' '); at; at = strchr(at + 1, ' '))
		keep_field(++field, at + 1, &stat);
	if (field < FIELD_POLICY)
		return -EINVAL;
	*ret = stat;
	return 0;
}

int task_stat_read(const struct root *root, const char *task, struct task_stat *ret)
{
	char text[1024], path[64];

	snprintf(path, sizeof(path), "%.50s/stat", task);
	ssize_t n = root_read_once(root, path, text, sizeof(text));

	if (n == -ENOENT)
		return -ESRCH;
	return n < 0 ? (int)n : task_stat_parse(text, ret);
}
