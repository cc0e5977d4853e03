// SPDX-License-Identifier: GPL-2.0-only
#include "harness/scene.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int scene_init(struct scene *s, const struct plan *plan)
{
	const struct plan_header *h = &plan->header;

	*s = (struct scene){
		.cgroups = calloc(h->cgroup_count + 1, sizeof(*s->cgroups)),
		.groups = calloc(h->group_count + 1, sizeof(*s->groups)),
		.allowed = calloc(h->worker_count + 1, sizeof(*s->allowed)),
	};
	if (s->cgroups && s->groups && s->allowed)
		return 0;
	scene_deinit(s);
	return err_new(-ENOMEM, "out of memory for %u workers", h->worker_count);
}

int scene_copy(const struct scene *s, const struct plan *plan, struct scene *ret)
{
	const struct plan_header *h = &plan->header;
	int r = scene_init(ret, plan);

	if (r < 0)
		return err_trace(r);
	memcpy(ret->cgroups, s->cgroups, h->cgroup_count * sizeof(*s->cgroups));
	memcpy(ret->groups, s->groups, h->group_count * sizeof(*s->groups));
	memcpy(ret->allowed, s->allowed, h->worker_count * sizeof(*s->allowed));
	return 0;
}

void scene_deinit(struct scene *s)
{
	free(s->cgroups);
	free(s->groups);
	free(s->allowed);
	*s = (struct scene){ 0 };
}
