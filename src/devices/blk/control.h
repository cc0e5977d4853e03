/* SPDX-License-Identifier: GPL-2.0-only */
/* A unix socket beside a running disk (disk option control=PATH), on which one line is one command and
 * one line its answer, in the words of virtio-qtest:
 *
 *	throttle LIST|none	OK		the limits change now, without a windfall
 *	counters		OK {...}	as reports have them
 *	faults			OK [...]	the firings logged
 *
 * Anything else: FAIL and why. One client at a time, the next waits; one that sends no line in
 * BLK_CONTROL_LINE_MAX bytes, or does not read its answers, is left. */
#pragma once

#include "base/err.h"

struct blk;
struct blk_control;

enum { BLK_CONTROL_LINE_MAX = 4096 };

/* Listen on @path, which must outlive the result, for @blk. 0, or a negative errno with words. */
int blk_control_start(struct blk *blk, const char *path, struct blk_control **ret) must_check;

/* End the thread, remove the socket. NULL is fine. Returns NULL. */
struct blk_control *blk_control_stop(struct blk_control *c);
