/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/user.h"
#include "base/cleanup.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_MAX = 1 << 20 };

/* The databases want a buffer of the caller's, which is too small until they say otherwise. */
static int grow(char **buffer, size_t *size)
{
	if (*size >= RECORD_MAX)
		return -ERANGE;
	char *larger = realloc(*buffer, *size ? *size * 4 : 1024);

	if (!larger)
		return -ENOMEM;
	*buffer = larger;
	*size = *size ? *size * 4 : 1024;
	return 0;
}

/* What the library's manual lists as ways to say "no such entry". */
static int not_found(int r)
{
	return r == 0 || r == ENOENT || r == ESRCH || r == EBADF || r == EPERM ? -ENOENT : -r;
}

/* By name, or by number where name is NULL. */
static int find_passwd(const char *name, uid_t uid, struct user *ret)
{
	AUTO_FREE char *buffer = NULL;
	size_t size = 0;
	struct passwd entry, *found = NULL;
	int r = ERANGE;

	while (r == ERANGE) {
		int grown = grow(&buffer, &size);
		if (grown < 0)
			return grown;
		r = name ? getpwnam_r(name, &entry, buffer, size, &found)
			 : getpwuid_r(uid, &entry, buffer, size, &found);
	}
	if (!found)
		return not_found(r);
	if (strlen(found->pw_name) >= sizeof(ret->name))
		return -ENAMETOOLONG;
	*ret = (struct user){ .uid = found->pw_uid, .gid = found->pw_gid };
	snprintf(ret->name, sizeof(ret->name), "%s", found->pw_name);
	return 0;
}

static int find_group(const char *name, gid_t *gid, char *ret_name, size_t name_size)
{
	AUTO_FREE char *buffer = NULL;
	size_t size = 0;
	struct group entry, *found = NULL;
	int r = ERANGE;

	while (r == ERANGE) {
		int grown = grow(&buffer, &size);
		if (grown < 0)
			return grown;
		r = name ? getgrnam_r(name, &entry, buffer, size, &found)
			 : getgrgid_r(*gid, &entry, buffer, size, &found);
	}
	if (!found)
		return not_found(r);
	*gid = found->gr_gid;
	if (ret_name)
		snprintf(ret_name, name_size, "%s", found->gr_name);
	return 0;
}

int user_find(const char *name, struct user *ret, struct err *err)
{
	gid_t kvm;
	int r = find_passwd(name, 0, ret);

	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return err_set(err, -r, "cannot look up user %s: %s", name, strerror(-r));
	err_set(err, ENOENT, "there is no user %s", name);
	err_fix(err,
		"%suseradd --system --no-create-home --shell /usr/sbin/nologin --groups kvm %s",
		find_group("kvm", &kvm, NULL, 0) == 0 ? "" : "groupadd --system kvm && ", name);
	return -ENOENT;
}

bool user_has_group(const char *name)
{
	gid_t gid;

	return find_group(name, &gid, NULL, 0) == 0;
}

int user_groups(const struct user *user, gid_t **ret_groups, size_t *ret_count)
{
	int count = 32;
	AUTO_FREE gid_t *groups = NULL;
	gid_t kvm;

	for (int tries = 0; tries < 4; tries++) {
		/* One more than asked for: room for kvm. */
		gid_t *larger = realloc(groups, ((size_t)count + 1) * sizeof(*groups));
		if (!larger)
			return -ENOMEM;
		groups = larger;
		if (getgrouplist(user->name, user->gid, groups, &count) < 0)
			continue;
		if (find_group("kvm", &kvm, NULL, 0) == 0)
			groups[count++] = kvm;
		*ret_groups = TAKE(groups);
		*ret_count = (size_t)count;
		return 0;
	}
	return -EAGAIN;
}

char *user_name_of(uid_t uid, char *text, size_t size)
{
	struct user user;

	if (find_passwd(NULL, uid, &user) == 0)
		snprintf(text, size, "%s", user.name);
	else
		snprintf(text, size, "%u", uid);
	return text;
}

char *group_name_of(gid_t gid, char *text, size_t size)
{
	if (find_group(NULL, &gid, text, size) < 0)
		snprintf(text, size, "%u", gid);
	return text;
}
