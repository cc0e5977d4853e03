/* SPDX-License-Identifier: GPL-2.0-only */
/* How texts of the scenario model are written: each form with its grammar in words, and its check as
 * far as that needs no machine. The grammar is printed by `ktstr show --keys` and in ktstr(1).
 *
 * To add a form: an entry of enum form_id, and a row of the table in schema_forms.c. */
#pragma once

#include <stddef.h>

enum form_id {
	FORM_ANY, /* any text */
	FORM_AFFINITY,
	FORM_CGROUP,
	FORM_CLAIM,
	FORM_COMMIT,
	FORM_COUNT,
	FORM_CPUSET,
	FORM_DISK,
	FORM_DURATION,
	FORM_FEATURE,
	FORM_HOLD,
	FORM_KERNEL,
	FORM_LIMIT,
	FORM_MAX,
	FORM_MEMORY_POLICY,
	FORM_NAME,
	FORM_NODES,
	FORM_OPERATION,
	FORM_POLICY,
	FORM_SIZE,
	FORM_TASK,
	FORM_TIMEOUT,
	FORM_TOPOLOGY,
	FORM_WORK,
	FORM_IDS,
};

struct value_form {
	const char *name; /* "duration" */
	const char *help;
	/* 0 or -EINVAL with words that begin with the value in quotes; NULL: compiling checks it. */
	int (*check)(const char *text);
};

const struct value_form *schema_form(enum form_id id);
