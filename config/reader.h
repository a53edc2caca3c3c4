/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "config/text.h"
#include "model/spec.h"

#include <libconfig.h>

/* What every read function gets. */
struct reader {
	const struct conf_text *text;
	void *target;      /* what is filled in */
	struct spec *spec; /* the same where it is a VM's; else NULL */
	struct err *err;
	config_setting_t *root;
};

struct key;

/* Puts one setting into the spec. 0, -EINVAL in words, or -ENOMEM. */
typedef int key_read_fn(struct reader *reader, const struct key *key, config_setting_t *setting);

/* One key that a file may hold. */
struct key {
	const char *name;
	key_read_fn *read;
	size_t offset;       /* of its field in what is filled in */
	const void *detail;  /* as `read` wants it: names, bounds, a table of keys */
	unsigned said;       /* enum spec_said */
	const char *example; /* a value that works, as it stands in a file */
};

struct key_table {
	const char *name; /* "memory"; NULL: the file itself */
	const struct key *keys;
	size_t count;
};

/* Bounds of a number, a size or a duration; in the unit of the field. */
struct bounds {
	uint64_t min, max;
};

extern const struct key_table conf_file_keys, conf_host_keys;
extern const char *const conf_rt_throttles[]; /* enum spec_rt_throttle */
extern const char *const conf_host_sleeps[];  /* enum spec_host_sleep */

enum { SETTING_PATH = 128 };

/* "memory.size", "devices.file.filename". `path` has SETTING_PATH bytes. */
const char *setting_path(const config_setting_t *setting, char *path);
int setting_line(const config_setting_t *setting);

/* Line of a key given by its path, 0 if it is not in the file. */
int reader_line(const struct reader *reader, const char *path);

/* conf_fail for a setting. */
int setting_fail(struct reader *reader, const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* setting_fail with the words and the fix of an inner error. */
int setting_fail_by(
	struct reader *reader, const config_setting_t *setting, const struct err *inner);

/* "needs text, found true"; the fix is the key with its example. */
int setting_fail_type(struct reader *reader, const struct key *key, const config_setting_t *setting,
	const char *needed);

/* The setting's text, NULL if it is of another type. Never NULL for an empty text. */
const char *setting_text(const config_setting_t *setting);

/* The text of element `i` of a list; NULL if it is of another type. */
const char *element_text(const config_setting_t *list, unsigned i);

/* conf_fail for an element of a top-level list, with the line of that element. */
int element_fail(struct reader *reader, const config_setting_t *list, unsigned i,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

bool setting_is_list(const config_setting_t *setting); /* ( ) or [ ] */

int reader_no_memory(struct reader *reader);

/* The field of the key in what is filled in. */
static inline void *key_field(const struct reader *reader, const struct key *key)
{
	return (char *)reader->target + key->offset;
}

/* Scans and reads a whole file; `check` (may be NULL) sees it while it is still there. */
int conf_read_text(
	struct reader *reader, const struct key_table *keys, int (*check)(struct reader *reader));

/* Reads every setting of a group by its table; an unknown key is an error. */
int read_table(struct reader *reader, const struct key_table *table, const config_setting_t *group);

key_read_fn read_block;    /* detail: struct key_table */
key_read_fn read_text;     /* any text but the empty one */
key_read_fn read_path;     /* an absolute one */
key_read_fn read_user;     /* name or number */
key_read_fn read_bool;     /* true, false */
key_read_fn read_choice;   /* detail: NULL-terminated names, the field is an enum */
key_read_fn read_count;    /* detail: bounds; unsigned */
key_read_fn read_duration; /* detail: bounds, ns; uint64_t */
key_read_fn read_size;     /* detail: bounds, bytes; uint64_t */
key_read_fn read_smp;      /* smp, vcpus, maxcpus */
key_read_fn read_cpus;     /* struct cpuset */
key_read_fn read_vcpu;     /* "auto" or CPUs in order */
key_read_fn read_env;
key_read_fn read_args;
key_read_fn read_shield;
key_read_fn read_listen;
key_read_fn read_groups; /* detail: struct group_rule */

/* A list whose groups QEMU gets as JSON, and the keys that each must have. */
struct group_rule {
	enum spec_list list;
	const char *needs[3]; /* NULL-terminated */
};

/* What single keys cannot know: numbers that must fit each other, defaults that follow others. */
int conf_check_spec(struct reader *reader);

#endif
