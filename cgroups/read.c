/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/num.h"
#include "cgroups/private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

bool cg_has_file(const struct cgroups *cgroups, const char *group, const char *file)
{
	char path[GROUP_FILE_PATH];

	return group_file(group, file, path) == 0 && root_exists(&cgroups->tree, path);
}

bool cg_exists(const struct cgroups *cgroups, const char *group)
{
	return root_exists(&cgroups->tree, group[0] ? group : ".");
}

int cg_write(const struct cgroups *cgroups, const char *group, const char *file, const char *value)
{
	char path[GROUP_FILE_PATH];
	int r = group_file(group, file, path);

	return r < 0 ? r : root_write(&cgroups->tree, path, value[0] ? value : "\n");
}

ssize_t cgroups_read(
	struct cgroups *cgroups, const char *group, const char *file, char *value, size_t size)
{
	char path[GROUP_FILE_PATH];
	int r = group_file(group_tidy(group), file, path);

	value[0] = '\0';
	if (cgroups->cpuset.mode == CG_MODE_NONE)
		return -ENOTSUP;
	if (r < 0)
		return r;
	return strncmp(file, "cpuset.", 7) == 0 ? root_read_once(&cgroups->tree, path, value, size)
						: root_read(&cgroups->tree, path, value, size);
}

int cg_read_list(struct cgroups *cgroups, const char *group, const char *file, struct cpuset *ret)
{
	char text[CPUSET_TEXT];
	ssize_t n = cgroups_read(cgroups, group, file, text, sizeof(text));

	return n < 0 ? (int)n : cpuset_parse(text, ret);
}

static int read_membership(const struct cgroups *cgroups, pid_t tid,
	const struct hierarchy *hierarchy, char *group, size_t size)
{
	char text[16384], path[32];

	snprintf(path, sizeof(path), "proc/%d/cgroup", (int)tid);
	ssize_t n = root_read_once(&cgroups->root, path, text, sizeof(text));

	if (n == -ENOENT)
		return -ESRCH;
	return n < 0 ? (int)n : hierarchy_group_of(hierarchy, text, group, size);
}

int cgroups_of_thread(struct cgroups *cgroups, pid_t tid, char *group, size_t size)
{
	if (cgroups->cpuset.mode == CG_MODE_NONE)
		return -ENOTSUP;
	return read_membership(cgroups, tid, &cgroups->cpuset, group, size);
}

pid_t cg_process_of(const struct cgroups *cgroups, pid_t tid)
{
	char text[8192];
	ssize_t n = root_readf(&cgroups->root, text, sizeof(text), "proc/%d/status", (int)tid);
	const char *line = n < 0 ? NULL : strstr(text, "\nTgid:\t");
	int tgid;

	if (n == -ENOENT || n == -ESRCH)
		return -ESRCH;
	if (n < 0)
		return (pid_t)n;
	return line && sscanf(line, "\nTgid:\t%d", &tgid) == 1 ? tgid : -EINVAL;
}

static int append(pid_t **ids, size_t *count, pid_t id)
{
	/* Doubled at each power of two, from 16 on. */
	bool full = *count == 0 || (*count >= 16 && (*count & (*count - 1)) == 0);
	size_t room = *count < 16 ? 16 : 2 * *count;
	pid_t *grown = full ? realloc(*ids, room * sizeof(**ids)) : *ids;

	if (!grown)
		return -ENOMEM;
	*ids = grown;
	grown[(*count)++] = id;
	return 0;
}

static FILE *open_stream(const struct root *root, const char *path, int *ret_error)
{
	AUTO_CLOSE int fd = root_open_file(root, path, O_RDONLY);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	*ret_error = fd < 0 ? fd : -errno;
	if (file)
		take_fd(&fd);
	return file;
}

int cg_read_ids(struct cgroups *cgroups, const char *group, const char *file, pid_t **ret_ids,
	size_t *ret_count)
{
	AUTO_FREE pid_t *ids = NULL;
	AUTO_FREE char *line = NULL;
	char path[GROUP_FILE_PATH];
	size_t count = 0, size = 0;
	int error, r = group_file(group, file, path);

	if (r < 0)
		return r;
	AUTO_FILE FILE *stream = open_stream(&cgroups->tree, path, &error);
	if (!stream)
		return error;
	while (r == 0 && getline(&line, &size, stream) >= 0) {
		long id;

		line[strcspn(line, "\n")] = '\0';
		r = num_parse_long(line, 0, INT_MAX, &id);
		if (r == 0)
			r = append(&ids, &count, (pid_t)id);
	}
	if (r == 0 && ferror(stream))
		r = -errno;
	if (r < 0)
		return r;
	*ret_ids = TAKE(ids);
	*ret_count = count;
	return 0;
}

int cgroups_threads(struct cgroups *cgroups, const char *group, pid_t **ret_tids, size_t *ret_count)
{
	const char *file = cgroups->cpuset.mode == CG_MODE_V1 ? "tasks" : "cgroup.threads";

	if (cgroups->cpuset.mode == CG_MODE_NONE)
		return -ENOTSUP;
	return cg_read_ids(cgroups, group_tidy(group), file, ret_tids, ret_count);
}

bool cg_is_threaded(struct cgroups *cgroups, const char *group)
{
	char type[64];

	return cgroups_read(cgroups, group, "cgroup.type", type, sizeof(type)) > 0 &&
	       strcmp(type, "threaded") == 0;
}

int cg_children(const struct cgroups *cgroups, const char *group, struct strlist *ret_names)
{
	AUTO_CLOSE int fd =
		root_open_file(&cgroups->tree, group[0] ? group : ".", O_RDONLY | O_DIRECTORY);
	AUTO_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (fd < 0)
		return fd;
	if (!dir)
		return -errno;
	take_fd(&fd);
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			r = strlist_add(ret_names, entry->d_name);
	return r;
}

int cgroups_effective_cpus(struct cgroups *cgroups, const char *group, struct cpuset *ret_cpus)
{
	const char *file = cgroups->cpuset.mode == CG_MODE_V1 ? "cpuset.effective_cpus"
							      : "cpuset.cpus.effective";
	char at[MODEL_PATH];
	int r;

	group = group_tidy(group);
	if (cgroups->cpuset.mode == CG_MODE_NONE)
		return -ENOTSUP;
	if (!group_valid(group))
		return -EINVAL;
	if (!cg_exists(cgroups, group))
		return -ENOENT;
	snprintf(at, sizeof(at), "%s", group);
	/* A v2 group without the controller has what its nearest ancestor with it has. */
	do
		r = cg_read_list(cgroups, at, file, ret_cpus);
	while (r == -ENOENT && group_parent(at, at));
	return r;
}

static int own_task(struct cgroups *cgroups, const char *group, pid_t *ret_pid)
{
	AUTO_FREE pid_t *tids = NULL;
	size_t count = 0;
	int r = cgroups_threads(cgroups, group, &tids, &count);

	/* A "domain invalid" group can hold nothing, and says so. */
	if (r == -EOPNOTSUPP)
		return 0;
	if (r < 0 || count == 0)
		return r;
	pid_t process = cg_process_of(cgroups, tids[0]);
	*ret_pid = process > 0 ? process : tids[0];
	return 1;
}

static int busy(struct cgroups *cgroups, const char *group, pid_t *ret_pid)
{
	AUTO_STRLIST struct strlist names = { 0 };
	char child[MODEL_PATH];
	int r = own_task(cgroups, group, ret_pid);

	if (r != 0)
		return r;
	r = cg_children(cgroups, group, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (!group_child(group, names.items[i], child))
			return -ENAMETOOLONG;
		r = busy(cgroups, child, ret_pid);
		if (r == -ENOENT) /* removed meanwhile */
			r = 0;
	}
	return r;
}

int cgroups_busy(struct cgroups *cgroups, const char *group, pid_t *ret_pid)
{
	if (cgroups->cpuset.mode == CG_MODE_NONE)
		return -ENOTSUP;
	return busy(cgroups, group_tidy(group), ret_pid);
}

int cgroups_rt_budget(
	struct cgroups *cgroups, pid_t pid, char *group, size_t size, long *ret_runtime_us)
{
	const struct hierarchy *cpu = &cgroups->cpu;
	char path[PATH_MAX];

	if (cpu->mode != CG_MODE_V1)
		return -ENOENT;
	int r = read_membership(cgroups, pid, cpu, group, size);
	if (r < 0)
		return r;
	int n = snprintf(path, sizeof(path), "%s/%s/cpu.rt_runtime_us", cpu->dir, group);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return root_read_long(&cgroups->root, path, ret_runtime_us);
}

int cgroups_prior(struct cgroups *cgroups, struct action *action)
{
	char prior[sizeof(action->prior)];
	ssize_t r = 0;

	if (action->kind == ACTION_CG_SET)
		r = cgroups_read(cgroups, action->group, action->file, prior, sizeof(prior));
	else if (action->kind == ACTION_CG_ATTACH)
		r = cgroups_of_thread(cgroups, action->tid, prior, sizeof(prior));
	else
		return 0;
	if (r < 0)
		return (int)r;
	snprintf(action->prior, sizeof(action->prior), "%s", prior);
	action->prior_known = true;
	return 0;
}
