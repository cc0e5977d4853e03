/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom the scenario itself keeps from running: workers in a frozen cgroup (freeze), or stopped by a signal
 * (signal STOP). Nobody is to blame for how long they wait meanwhile, nor for what they were due when they go
 * on. A fault (fault.h) is no part of any scene: it holds nobody back here. */
#pragma once

#include "harness/cell.h"
#include "harness/telemetry.h"

enum held { HELD_NEVER, HELD_PARTLY, HELD_THROUGHOUT };

/* With the settings of @scene. */
bool held_in_scene(const struct cell *cell, const struct scene *scene, uint32_t group);

/* Is the entry held back while the window is open? Partly: by operations of its loop. */
enum held held_in_window(const struct cell *cell, const struct cell_window *window, uint32_t group);

/* For how long at most, as the clock of the loop's turns has it: what an operation took may be either. */
uint64_t held_in_window_ns(const struct cell *cell, const struct cell_window *window,
			   const struct telemetry *t, uint32_t group);

/* For how long it was held back until shortly before the window began, at most; 0: it was not. */
uint64_t held_before_window_ns(const struct cell *cell, const struct cell_window *window,
			       const struct telemetry *t, uint32_t group);
