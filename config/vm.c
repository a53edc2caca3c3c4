/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config.h"
#include "config/file.h"
#include "config/reader.h"
#include "config/scan.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A name near to `base` that is valid: small letters, what else is not allowed as '-'. */
static void valid_name(const char *base, size_t length, char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < length && n < SPEC_NAME_SIZE - 1; i++) {
		char c = (char)tolower((unsigned char)base[i]);
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (letter || n > 0)
			name[n++] = letter || c == '_' ? c : '-';
	}
	name[n] = '\0';
	if (n == 0)
		strcpy(name, "vm");
}

static int set_name(const char *path, struct spec *spec, struct err *err)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t length = strlen(base);
	char name[SPEC_NAME_SIZE];

	if (length > 5 && strcmp(base + length - 5, ".conf") == 0)
		length -= 5;
	if (length < sizeof(name)) {
		memcpy(name, base, length);
		name[length] = '\0';
		if (spec_name_valid(name)) {
			memcpy(spec->name, name, length + 1);
			return 0;
		}
	}
	valid_name(base, length, name);
	err_set(err, EINVAL, "%.200s: \"%.*s\" cannot be the name of a VM", path,
		length > 64 ? 64 : (int)length, base);
	err_why(err, "the file's name is the VM's name, and that is [a-z0-9][a-z0-9_-]{0,31}");
	err_fix(err, "rename the file, for example to %s.conf", name);
	return -EINVAL;
}

static int read_spec(const struct conf_text *text, struct spec *spec, struct err *err)
{
	struct reader reader = { .text = text, .target = spec, .spec = spec, .err = err };

	return conf_read_text(&reader, &conf_file_keys, conf_check_spec);
}

static int fill_spec(
	const char *path, const char *bytes, size_t length, struct spec *spec, struct err *err)
{
	spec->file = strdup(path);
	spec->text = malloc(length + 1);
	if (!spec->file || !spec->text)
		return err_set(err, ENOMEM, "%s: out of memory", path);
	memcpy(spec->text, bytes, length);
	spec->text[length] = '\0';
	struct conf_text text = { .path = path, .bytes = spec->text, .length = length };

	int r = set_name(path, spec, err);
	return r < 0 ? r : read_spec(&text, spec, err);
}

int config_parse_vm(
	const char *path, const char *text, size_t length, struct spec *ret_spec, struct err *err)
{
	struct spec spec;

	*ret_spec = (struct spec){ 0 };
	if (length > CONF_FILE_MAX)
		return err_set(err, EFBIG, "%s: larger than 1 MiB", path);
	if (spec_init(&spec) < 0)
		return err_set(err, ENOMEM, "%s: out of memory", path);
	int r = fill_spec(path, text, length, &spec, err);
	if (r < 0)
		spec_free(&spec);
	else
		*ret_spec = spec;
	return r;
}

int config_load_vm(const char *path, struct spec *ret_spec, struct err *err)
{
	char *text AUTO_FREE = NULL;
	size_t length = 0;

	*ret_spec = (struct spec){ 0 };
	int r = conf_read_file(path, &text, &length, err);
	return r < 0 ? r : config_parse_vm(path, text, length, ret_spec, err);
}
