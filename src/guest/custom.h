/* SPDX-License-Identifier: GPL-2.0-only */
/* The test author's functions (ktstr/custom.h), found by name in their linker section. */
#pragma once

#include "base/buf.h"

#include <ktstr/custom.h>

/* NULL: there is none of that name. */
const struct ktstr_work_record *custom_find(const char *name);
/* Append the names of all, with commas. */
void custom_names(struct buf *out);
