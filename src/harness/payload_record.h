/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of payloads when a run is over, in words, lines and JSON. */
#pragma once

#include "base/buf.h"
#include "harness/telemetry.h"

/* Read a metric of payload @i. As metric_read(). */
int payload_metric(const struct telemetry *t, uint32_t i, const struct ktstr_metric *m,
		   double *ret) must_check;

/* Append "fio: exit 0 after 3.2 s, iops 1234 IOPS": its end, and the metrics that can be read. */
void payload_words(const struct telemetry *t, uint32_t i, struct buf *out);

/* Append "fio stderr: ..." lines: the last of what it wrote, a few. */
void payload_last_lines(const struct telemetry *t, uint32_t i, struct buf *out);

/* Append the JSON array of all payloads; nothing if there are none. */
void payloads_json(const struct telemetry *t, struct buf *out);
