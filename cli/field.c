/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/text.h"

const char *field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

bool field_number(const json_t *object, const char *key, double *ret_number)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_number(value))
		*ret_number = json_number_value(value);
	return json_is_number(value);
}

double field_number_or(const json_t *object, const char *key, double otherwise)
{
	field_number(object, key, &otherwise);
	return otherwise;
}

bool field_is_false(const json_t *object, const char *key)
{
	return json_is_false(json_object_get(object, key));
}
