// SPDX-License-Identifier: GPL-2.0-only
#include "harness/held.h"

bool held_in_scene(const struct cell *cell, const struct scene *scene, uint32_t group)
{
	const struct scene_group *g = &scene->groups[group];

	if (g->is_stopped)
		return false;
	for (uint32_t c = g->cgroup; c != PLAN_NONE; c = cell->cgroups[c].parent) {
		if (scene->cgroups[c].is_frozen)
			return true;
	}
	return g->is_paused;
}

enum held held_in_window(const struct cell *cell, const struct cell_window *window, uint32_t group)
{
	uint32_t held = 0;

	if (!window->turn_count)
		return held_in_scene(cell, &window->scene, group) ? HELD_THROUGHOUT : HELD_NEVER;
	for (uint32_t i = 0; i < window->turn_count; i++)
		held += held_in_scene(cell, &window->turns[i].scene, group);
	if (!held)
		return HELD_NEVER;
	return held == window->turn_count ? HELD_THROUGHOUT : HELD_PARTLY;
}
