/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's docs/devel/qapi-code-gen.rst, "Client JSON Protocol introspection". */
#include "qmp/schema.h"

#include <string.h>

static json_t *find_entity(json_t *schema, const char *name)
{
	json_t *entity;
	size_t i;

	json_array_foreach(schema, i, entity)
	{
		const char *other = json_string_value(json_object_get(entity, "name"));

		if (name && other && strcmp(name, other) == 0)
			return entity;
	}
	return NULL;
}

static const char *text_of(json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static bool ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && strcmp(name + length - tail, end) == 0;
}

/* Introspection folds all integers into "int"; what is counted in bytes shows in the name. */
static enum prop_kind kind_of(json_t *schema, const char *type, const char *name)
{
	json_t *entity = find_entity(schema, type);
	const char *meta = text_of(entity, "meta-type");
	const char *json_type = text_of(entity, "json-type");

	if (strcmp(meta, "enum") == 0)
		return PROP_STRING;
	if (strcmp(meta, "builtin") != 0)
		return PROP_OTHER;
	if (strcmp(json_type, "boolean") == 0)
		return PROP_BOOL;
	if (strcmp(json_type, "string") == 0)
		return PROP_STRING;
	if (strcmp(json_type, "int") == 0)
		return ends_with(name, "size") || ends_with(name, "offset") ? PROP_SIZE
									    : PROP_NUMBER;
	return strcmp(json_type, "number") == 0 ? PROP_NUMBER : PROP_OTHER;
}

static int add_members(json_t *schema, json_t *object, const char *owner, struct props *props)
{
	json_t *member;
	size_t i;

	json_array_foreach(json_object_get(object, "members"), i, member)
	{
		const char *name = text_of(member, "name");

		if (props_add(props, owner, name, kind_of(schema, text_of(member, "type"), name)) <
			0)
			return -1;
	}
	return 0;
}

int schema_add(json_t *schema, const char *command, bool (*wanted)(void *arg, const char *owner),
	void *arg, struct props *props)
{
	json_t *entity = find_entity(schema, command);
	json_t *object = find_entity(schema, text_of(entity, "arg-type"));
	json_t *tag = NULL, *variant, *value;
	size_t i;

	json_array_foreach(json_object_get(object, "members"), i,
		value) if (strcmp(text_of(value, "name"), text_of(object, "tag")) == 0) tag =
		find_entity(schema, text_of(value, "type"));
	/* A case without members of its own is no variant: the tag's values are the whole list. */
	json_array_foreach(json_object_get(tag, "values"), i, value)
	{
		const char *owner = json_string_value(value);
		size_t j;

		if (!owner || !wanted(arg, owner))
			continue;
		if (props_add_owner(props, owner) < 0 ||
			add_members(schema, object, owner, props) < 0)
			return -1;
		json_array_foreach(json_object_get(object, "variants"), j,
			variant) if (strcmp(text_of(variant, "case"), owner) == 0 &&
				     add_members(schema,
					     find_entity(schema, text_of(variant, "type")), owner,
					     props) < 0) return -1;
	}
	return 0;
}
