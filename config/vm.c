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

/* The scanner has words for all it knows: what libconfig still finds is rare. */
static int fail_syntax(const struct conf_text *text, const config_t *config, struct err *err)
{
	const char *words = config_error_text(config);
	int line = config_error_line(config);

	conf_fail(text, err, line > 0 ? line : 1, NULL, "%s", words ? words : "syntax error");
	conf_why_line(text, err, line > 0 ? line : 1);
	err_fix(err, "a setting is KEY = VALUE; text needs double quotes");
	return -EINVAL;
}

/* A comment on a last line that has no newline is a syntax error for libconfig 1.5. */
static bool read_string(config_t *config, const struct conf_text *text)
{
	struct strbuf bytes AUTO_STRBUF = { 0 };

	strbuf_add_bytes(&bytes, text->bytes, text->length);
	strbuf_add(&bytes, "\n");
	return !bytes.failed && config_read_string(config, bytes.text);
}

static int read_spec(const struct conf_text *text, struct spec *spec, struct err *err)
{
	struct reader reader = { .text = text, .spec = spec, .err = err };
	config_t config;
	int r = conf_scan(text, err);

	if (r < 0)
		return r;
	config_init(&config);
	if (!read_string(&config, text)) {
		r = fail_syntax(text, &config, err);
	} else {
		reader.root = config_root_setting(&config);
		r = read_table(&reader, &conf_file_keys, reader.root);
		if (r == 0)
			r = conf_check_spec(&reader);
	}
	config_destroy(&config);
	return r;
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
