/* SPDX-License-Identifier: GPL-2.0-only */
/* What a disk counts. Each queue has a set of its own, written by the queue's server alone, so that
 * counting costs plain loads and stores; a reader adds the sets up while they run. Nothing here is
 * ever reset. To add a counter: add a row, bump it. */
#pragma once

#include "base/counter.h"
#include "base/json.h"
#include "devices/blk/request.h"

/* Names are what counters and reports print. */
#define BLK_COUNTERS(X)                                                                              \
	X(BLK_READS_COMPLETED, "reads_completed")                                                    \
	X(BLK_WRITES_COMPLETED, "writes_completed")                                                  \
	X(BLK_FLUSHES_COMPLETED, "flushes_completed")                                                \
	X(BLK_DISCARDS_COMPLETED, "discards_completed")                                              \
	X(BLK_WRITE_ZEROES_COMPLETED, "write_zeroes_completed")                                      \
	X(BLK_GET_IDS_COMPLETED, "get_ids_completed")                                                \
	X(BLK_BYTES_READ, "bytes_read")	      /* payload, once, of requests answered OK */           \
	X(BLK_BYTES_WRITTEN, "bytes_written") /* the same */                                         \
	X(BLK_IO_ERRORS, "io_errors")	  /* answered IOERR, or dropped for want of a status */      \
	X(BLK_UNSUPPORTED, "unsupported") /* answered UNSUPP */                                      \
	X(BLK_CHAINS_DROPPED, "chains_dropped")                                                      \
	X(BLK_COMPLETIONS_DROPPED, "completions_dropped") /* by a drop-completion fault */           \
	X(BLK_SPURIOUS_INTERRUPTS, "spurious_interrupts") /* by a spurious-irq fault */              \
	X(BLK_THROTTLED, "throttled_count")		  /* requests that had to wait */            \
	X(BLK_HOST_RETRIES, "host_retries")		  /* short counts and EINTR */               \
	X(BLK_BATCHES, "batches")			  /* used.idx stores */                      \
	/* engine=uring: calls put into the ring, and those of them on registered buffers; queues  \
	 * that went live with guest memory registered, and those whose host refused that */ \
	X(BLK_RING_CALLS, "uring_calls")                                                             \
	X(BLK_RING_CALLS_REGISTERED, "uring_calls_registered")                                       \
	X(BLK_BUFFERS_REGISTERED_COUNT, "buffers_registered")                                        \
	X(BLK_BUFFERS_REFUSED, "buffers_refused")

#define X(id, name) id,
enum blk_counter { BLK_COUNTERS(X) BLK_COUNTER_COUNT };
#undef X

/* Time spans of a request, in nanoseconds of device time. */
#define BLK_SPANS(X)                                                                               \
	X(BLK_SPAN_QUEUE, "queue")	 /* start of the batch until it was taken off the ring */  \
	X(BLK_SPAN_THROTTLE, "throttle") /* until it was admitted */                               \
	X(BLK_SPAN_HOST, "host")	 /* until the host had done it */                          \
	X(BLK_SPAN_TOTAL, "total")	 /* off the ring until answered */

#define X(id, name) id,
enum blk_span { BLK_SPANS(X) BLK_SPAN_COUNT };
#undef X

/* Bucket 0 counts zeros, bucket b > 0 the values from 2^(b-1) to 2^b - 1. */
enum { BLK_LOG2_BUCKETS = 65 };

struct blk_counters {
	counter_t events[BLK_COUNTER_COUNT];
	counter_t refusals[BLK_REFUSAL_COUNT];
	counter_t currently_throttled; /* a gauge: requests waiting for the throttle now */
	counter_t spans[BLK_SPAN_COUNT][BLK_LOG2_BUCKETS];
};

static inline void blk_count(struct blk_counters *c, enum blk_counter which, uint64_t n)
{
	counter_bump(&c->events[which], n);
}

static inline void blk_count_span(struct blk_counters *c, enum blk_span span, uint64_t ns)
{
	unsigned bucket = ns ? 64 - (unsigned)__builtin_clzll(ns) : 0;

	counter_bump(&c->spans[span][bucket], 1);
}

/* Append the members of the sum of @count sets to the open object of @j. Any thread. */
void blk_counters_members(const struct blk_counters *const *sets, unsigned count, struct json *j);
