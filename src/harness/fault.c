// SPDX-License-Identifier: GPL-2.0-only
#include "harness/fault.h"

#include "base/str.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char work_verb[] = "work ";

/* Cut the spaces off both ends, in place. */
static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " ");
	len = strlen(s);
	while (len && s[len - 1] == ' ')
		s[--len] = '\0';
	return s;
}

/* "work WORKERS WORK" */
static int add_work(struct fault *f, char *rest)
{
	char *space = strchr(rest, ' ');

	if (!space || space == rest)
		return err_new(-EINVAL, "expected work WORKERS WORK");
	*space = '\0';
	f->works[f->work_count].workers = rest;
	f->works[f->work_count++].work = trim(space + 1);
	return 0;
}

static int add_op(struct fault *f, char *op)
{
	op = trim(op);
	if (!*op)
		return err_new(-EINVAL, "an operation is empty");
	if (f->op_count + f->work_count == FAULT_OPS_MAX)
		return err_new(-EINVAL, "more than %d operations", FAULT_OPS_MAX);
	if (str_starts_with(op, work_verb))
		return add_work(f, trim(op + sizeof(work_verb) - 1));
	f->ops[f->op_count++] = op;
	return 0;
}

static bool is_word(const char *s)
{
	const char *start = s;

	while (isalnum((unsigned char)*s) || *s == '_' || *s == '-')
		s++;
	return s > start && !*s;
}

/* "SCENARIO/NAME: OPS", cut up in @f's storage. */
static int cut(struct fault *f)
{
	char *ops = strchr(f->storage, ':'), *name, *save = NULL;
	int r = 0;

	if (ops)
		*ops++ = '\0';
	name = strchr(f->storage, '/');
	if (name)
		*name++ = '\0';
	if (!ops || !name || !is_word(f->storage) || !is_word(name))
		return err_new(-EINVAL, "expected SCENARIO/NAME: OPERATION; ...");
	f->scenario = f->storage;
	f->name = name;
	for (char *op = strtok_r(ops, ";", &save); op && r == 0; op = strtok_r(NULL, ";", &save))
		r = add_op(f, op);
	if (r == 0 && f->op_count + f->work_count == 0)
		return err_new(-EINVAL, "it has no operation");
	return r;
}

int fault_parse(const char *text, struct fault *ret)
{
	struct fault f = { .text = text, .storage = strdup(text) };
	int r = f.storage ? cut(&f) : err_new(-ENOMEM, "out of memory");

	if (r < 0) {
		fault_deinit(&f);
		return err_prefix(r, "fault \"%s\": ", text);
	}
	*ret = f;
	return 0;
}

void fault_deinit(struct fault *f)
{
	free(f->storage);
	*f = FAULT_NULL;
}

const char *fault_work(const struct fault *f, const char *workers)
{
	for (unsigned i = 0; i < f->work_count; i++) {
		if (strcmp(f->works[i].workers, workers) == 0)
			return f->works[i].work;
	}
	return NULL;
}
