/* SPDX-License-Identifier: GPL-2.0-only */
/* Where our files live, and directories made on the way there.
 * Source: XDG Base Directory Specification 0.8. */
#pragma once

#include "base/buf.h"

enum xdg_kind { XDG_CACHE, XDG_STATE };

/* Append the path of @name in our directory of that kind: $XDG_STATE_HOME/ktstr/NAME, or
 * ~/.local/state/ktstr/NAME. A variable that is no absolute path counts as unset. 0, or -ENOENT
 * with words that name the variables to set. Makes nothing. */
int xdg_path(enum xdg_kind kind, const char *name, struct buf *ret) must_check;

/* Make the directory and those above it, mode 0777 less the umask. 0 also if it is there already; else a negative errno with
 * words that name the part that could not be made. */
int make_dirs(const char *path) must_check;

/* make_dirs() for the directory that @path lies in. */
int make_parents(const char *path) must_check;
