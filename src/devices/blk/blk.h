/* SPDX-License-Identifier: GPL-2.0-only */
/* The block device: virtio-blk (virtio 1.2, 5.2) over a host file, memory or nothing. One core for
 * every face: virtio-mmio in a machine, the qtest shim, the vhost-user backend. The behaviour, row
 * by row, is docs/conformance.md.
 *
 *	kick -> vq_pop -> request.c -> throttle, latency, faults -> io.c -> backing -> answer
 *	                  (parse,       (may hold it back)         (calls,
 *	                   refuse)                                  retries)
 *
 * Life: blk_spec_parse() -> blk_new() -> attach blk_virtio() to a transport -> blk_start() ->
 * (the transport drives it) -> the transport resets it -> blk_stop() -> blk_free(). blk_start() and
 * blk_stop() may also be called while queues are live: without threads, and with an engine that
 * needs them, kicks wait.
 *
 * Threads: a queue is served under its own lock, by its worker or (engine=inline) by whoever kicks.
 * Every function below may be called by any thread unless it says otherwise. */
#pragma once

#include "base/json.h"
#include "devices/blk/spec.h"
#include "virtio/device.h"

struct blk;

/* Device time: throttle, latency model, delays, histograms and the fault log live on it. It stands
 * still while the disk is paused. A caller's clock makes time virtual: nothing then waits in real
 * time, the caller moves the clock and calls blk_run_due() (inline engine). */
struct blk_clock {
	uint64_t (*now_ns)(void *ctx);
	void *ctx;
};

enum {
	BLK_QUEUE_SIZE_MAX = 1024, /* what QEMU's virtio-mmio front end lets its drivers choose */
	BLK_SEG_MAX =
		254, /* data descriptors in a request: fit a ring of 256 without indirection */
};

/* Make a disk: opens the backing and everything else it will ever need, starts no thread. @clock
 * NULL means CLOCK_MONOTONIC; a given one, with its ctx, must outlive the disk. 0, or a negative
 * errno with words that name the file: -ENOENT, -EACCES, -EISDIR, -EINVAL (no whole block in it,
 * io_uring refused by the host), -ENOMEM. The caller frees with blk_free(). */
int blk_new(const struct blk_spec *spec, const struct blk_clock *clock,
	    struct blk **ret) must_check;

/* Free a disk that no transport uses any more; stops it first. NULL is fine. Returns NULL. */
struct blk *blk_free(struct blk *blk);

static inline void blk_freep(struct blk **blk)
{
	*blk = blk_free(*blk);
}

/* The device for a transport to attach to; owned by the disk. With engines worker and uring each
 * queue has its own kick_fd (a vhost-user server may replace it by dup2 before queue_live). */
struct virtio_device *blk_virtio(struct blk *blk);

/* Start the threads: one for each queue, and one for the control socket if there is one. On a virtual clock there are none and this does nothing.
 * 0, or the host's refusal with words and nothing started. */
int blk_start(struct blk *blk) must_check;

/* End the threads; what they had started is finished and answered. Twice is fine. */
void blk_stop(struct blk *blk);

/* Freeze: on return every queue has finished the host calls it had started and nobody touches guest
 * memory or the backing; device time stands still. Bounded by the host I/O in flight. Held-back
 * requests stay held back. Succeeds at once when nothing runs. Pauses nest: each needs its
 * blk_resume(), after which everything goes on as if no time had passed. */
void blk_pause(struct blk *blk);
void blk_resume(struct blk *blk);

/* Device time at which the next held-back request is due; UINT64_MAX for none. */
uint64_t blk_next_due_ns(struct blk *blk);

/* Serve what is due now. For virtual clocks; harmless otherwise. */
void blk_run_due(struct blk *blk);

/* Change the throttle of a running disk, without a windfall. */
void blk_set_throttle(struct blk *blk, const struct blk_throttle_spec *spec);

/* Capacity in 512-byte sectors. */
uint64_t blk_sectors(const struct blk *blk);

/* Append every counter and histogram as members of the open object of @j, for reports that hold more.
 * What blk_counters_json() says below holds. */
void blk_counters_members_json(struct blk *blk, struct json *j);

/* Append one JSON object with every counter and histogram (counters.h has the names). Readable
 * while running; a counter never goes back, not even by a device reset. */
void blk_counters_json(struct blk *blk, struct buf *out);

/* Append, as member @key of the open object of @j, a JSON array of the fault firings logged, oldest
 * first: time_ns, rule, action, request, queue, op, sector, sectors. */
void blk_faults_member_json(struct blk *blk, struct json *j, const char *key);

/* Append that array alone. */
void blk_faults_log_json(struct blk *blk, struct buf *out);
