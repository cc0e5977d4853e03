/* SPDX-License-Identifier: GPL-2.0-only */
/* The scenario model as data: for each struct of ktstr/scenario.h its members, with kind and place.
 * Reading scenario files, printing scenarios as files and their documentation are three walks over
 * this one table, so a member that has a row here exists everywhere.
 *
 * To add a member: add it to the struct of the public header, and a row to its table in schema.c
 * (a unit test compares the tables with the structs' sizes). */
#pragma once

#include "harness/schema_forms.h"

#include <stddef.h>

enum field_kind {
	FIELD_TEXT,	/* const char * */
	FIELD_UNSIGNED, /* unsigned */
	FIELD_INT,	/* int */
	FIELD_BOOL,	/* bool */
	FIELD_TEXTS,	/* const char *const *, ended by NULL */
	FIELD_RECORD,	/* a struct inside this one */
	FIELD_RECORDS,	/* const struct *, ended by a record that is all zero */
};

struct schema;

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	const struct schema *record; /* of FIELD_RECORD and FIELD_RECORDS */
	enum form_id form;	     /* of FIELD_TEXT, or of each of FIELD_TEXTS */
	unsigned least;		     /* of FIELD_UNSIGNED: 0 would be "not given" */
	const char *help;
};

struct schema {
	const char *name; /* what one record is called in messages: "cgroup" */
	size_t bytes;
	const char
		*required; /* the key without which a record is none; NULL: every key is optional */
	const struct field *fields;
	size_t field_count;
};

extern const struct schema schema_scenario;

/* The field of that key, or NULL. */
const struct field *schema_field(const struct schema *s, const char *key);

/* "name, cpuset, weight": the keys, for messages. @text has @size bytes; returns @text. */
const char *schema_keys(const struct schema *s, char *text, size_t size);
