// SPDX-License-Identifier: GPL-2.0-only
#include "harness/held.h"

#include "base/util.h"

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

uint64_t held_in_window_ns(const struct cell *cell, const struct cell_window *window,
			   const struct telemetry *t, uint32_t group)
{
	const struct window_data *data = telemetry_window(t, window);
	enum held held = held_in_window(cell, window, group);
	uint64_t sum_ns = data->turns.between_ns;

	if (held != HELD_PARTLY)
		return held == HELD_NEVER ? 0 : grown(data->begin_ns, data->end_ns);
	for (uint32_t i = 0; i < window->turn_count; i++) {
		if (held_in_scene(cell, &window->turns[i].scene, group))
			sum_ns += data->turns.ns[i];
	}
	return sum_ns;
}

uint64_t held_before_window_ns(const struct cell *cell, const struct cell_window *window,
			       const struct telemetry *t, uint32_t group)
{
	uint64_t since_ns = t->windows[0].begin_ns;

	if (!window->scene.groups[group].was_held)
		return 0;
	for (const struct cell_window *w = window; w-- > cell->windows;) {
		const struct window_data *data = telemetry_window(t, w);
		enum held held = held_in_window(cell, w, group);

		since_ns = held == HELD_NEVER ? data->end_ns : data->begin_ns;
		if (held != HELD_THROUGHOUT)
			break;
	}
	return grown(since_ns, telemetry_window(t, window)->begin_ns);
}
