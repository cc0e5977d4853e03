/* SPDX-License-Identifier: GPL-2.0-only */
/* The settings in force at one moment, changed by operations while a cell is compiled, and copied
 * for each window. */
#pragma once

#include "harness/cell.h"

/* Arrays for the plan's tables, all zero. 0 or -ENOMEM. */
int scene_init(struct scene *s, const struct plan *plan) must_check;
int scene_copy(const struct scene *s, const struct plan *plan, struct scene *ret) must_check;
void scene_deinit(struct scene *s);
