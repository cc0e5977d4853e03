// SPDX-License-Identifier: GPL-2.0-only
#include "harness/jobs.h"

#include "harness/payload_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_place(const struct ktstr_record *a, const struct ktstr_record *b)
{
	bool is_file = registry_is_file(a->file);
	int order = is_file - registry_is_file(b->file);

	if (!order && is_file)
		order = strcmp(a->file, b->file);
	if (!order && is_file)
		order = (a->line > b->line) - (a->line < b->line);
	return order ? order : strcmp(a->name, b->name);
}

static int by_machine(const void *a, const void *b)
{
	const struct job *left = a, *right = b;
	const struct ktstr_scenario *l = left->record->scenario, *r = right->record->scenario;
	int order = strcmp(l->topology ? l->topology : "", r->topology ? r->topology : "");

	if (!order)
		order = scenario_has_payloads(l) - scenario_has_payloads(r);
	if (!order)
		order = strcmp(l->disks ? l->disks[0] : "", r->disks ? r->disks[0] : "");
	/* Faults behind what is honest, each in its place. */
	if (!order && (!left->fault || !right->fault))
		order = !!left->fault - !!right->fault;
	if (!order)
		order = by_place(left->record, right->record);
	if (!order && left->fault)
		order = (left->fault > right->fault) - (left->fault < right->fault);
	return order;
}

int jobs_list(const struct registry *chosen, const struct run_options *options, struct job **ret,
	      size_t *count_ret)
{
	struct job *jobs = calloc(chosen->count + options->fault_count + 1, sizeof(*jobs));
	size_t n = 0;

	if (!jobs)
		return err_new(-ENOMEM, "out of memory for %zu scenarios", chosen->count);
	for (size_t i = 0; i < chosen->count; i++) {
		jobs[n++].record = chosen->records[i];
		for (unsigned k = 0; k < options->fault_count; k++) {
			const struct fault *f = &options->faults[k];

			if (strcmp(f->scenario, chosen->records[i]->name) == 0)
				jobs[n++] = (struct job){ chosen->records[i], f };
		}
	}
	qsort(jobs, n, sizeof(*jobs), by_machine);
	*ret = jobs;
	*count_ret = n;
	return 0;
}
