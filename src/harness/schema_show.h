/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference of scenario files, from the tables that they are read by: every key of every record,
 * the forms of values, and the rules that no table has. */
#pragma once

#include "base/buf.h"

/* Append it to @out: for a terminal; as a JSON object with records, forms and rules; as the section
 * SCENARIO FILES of a scdoc manual page. */
void schema_show_text(struct buf *out);
void schema_show_json(struct buf *out);
void schema_show_man(struct buf *out);
