// SPDX-License-Identifier: GPL-2.0-only
/* Contract section 9 on virtual time: when a request goes, and when it is answered, to the
 * nanosecond. On the two engines that a virtual clock can drive. */
#include "rig.h"

#include <string.h>

enum { D = RIG_DATA, START = 1000000 /* the rig's clock */ };

/* Step from event to event until @target_ns, as virtio-qtest does. */
static void run_until(struct rig *r, uint64_t target_ns)
{
	uint64_t due_ns;

	while ((due_ns = blk_next_due_ns(r->blk)) <= target_ns) {
		assert_true(due_ns >= r->clock_ns);
		r->clock_ns = due_ns;
		blk_run_due(r->blk);
	}
	r->clock_ns = target_ns;
}

/* Post request number @i of a test, each with a header and a status byte of its own. */
static uint16_t post(struct rig *r, unsigned i, uint32_t type, uint64_t sector, uint32_t bytes)
{
	uint64_t at = RIG_HEADER + i * 32;
	const struct piece pieces[] = { { at, 16, R },
					{ D, bytes, type == VIRTIO_BLK_T_IN ? W : R },
					{ at + 16, 1, W } };

	rig_header(r, at, type, sector);
	*(uint8_t *)rig_at(r, at + 16) = 0xee;
	return rig_post(r, pieces, 3);
}

static void post_reads(struct rig *r, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		post(r, i, VIRTIO_BLK_T_IN, i, 512);
	rig_kick(r);
}

ETEST(a_throttled_ring_goes_on_at_the_exact_nanosecond)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",throttle=iops=100,iops-burst=10");
	post_reads(&r, 20);
	assert_int_equal(rig_used_idx(&r, 0), 10);
	assert_int_equal(rig_counter(&r, "currently_throttled"), 1);
	assert_int_equal(rig_counter(&r, "throttled_count"), 1);
	for (unsigned i = 1; i <= 10; i++) {
		run_until(&r, START + i * 10 * NSEC_PER_MSEC - 1);
		assert_int_equal(rig_used_idx(&r, 0), 10 + i - 1);
		run_until(&r, START + i * 10 * NSEC_PER_MSEC);
		assert_int_equal(rig_used_idx(&r, 0), 10 + i);
	}
	assert_int_equal(rig_counter(&r, "currently_throttled"), 0);
	assert_int_equal(rig_counter(&r, "throttled_count"), 10);
	assert_int_equal(rig_counter(&r, "reads_completed"), 20);
	assert_int_equal(blk_next_due_ns(r.blk), UINT64_MAX);
	rig_deinit(&r);
}

ETEST(ten_operations_in_ten_ms_give_a_thousand_a_second)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",throttle=iops=1000,iops-burst=10");
	unsigned posted = 0;

	for (unsigned ms = 0; ms <= 1000; ms += 10) {
		run_until(&r, START + ms * NSEC_PER_MSEC);
		for (; posted < 1100 && posted - rig_used_idx(&r, 0) < 60; posted++)
			post(&r, posted % 60, VIRTIO_BLK_T_IN, 0, 512);
		rig_kick(&r);
	}
	assert_in_range(rig_used_idx(&r, 0), 1000, 1010);
	rig_deinit(&r);
}

/* One limit alone, and requests that cost @cost of its tokens, of which @burst may be saved. */
struct limit_row {
	const char *throttle;
	uint32_t type;
	uint32_t bytes;
	uint64_t rate, cost, burst;
};

/* A second with the ring never empty: how many were answered, and the longest time without. */
static uint64_t answers_in_a_second(struct rig *r, const struct limit_row *row, uint64_t *gap_ns)
{
	uint64_t answered = 0, posted = 0, last_ns = START;

	*gap_ns = 0;
	for (;;) {
		uint16_t more = (uint16_t)(rig_used_idx(r, 0) - (uint16_t)answered);

		if (more) {
			*gap_ns = MAX(*gap_ns, r->clock_ns - last_ns);
			last_ns = r->clock_ns;
			answered += more;
		}
		for (; posted < answered + 40; posted++)
			post(r, (unsigned)(posted % 60), row->type, 0, row->bytes);
		if (more || answered == 0)
			rig_kick(r);
		if (rig_used_idx(r, 0) != (uint16_t)answered)
			continue;
		if (blk_next_due_ns(r->blk) > START + NSEC_PER_SEC)
			return answered;
		r->clock_ns = blk_next_due_ns(r->blk);
		blk_run_due(r->blk);
	}
}

ETEST(each_limit_is_kept_over_a_second_without_a_gap)
{
	static const struct limit_row rows[] = {
		{ "iops=777", VIRTIO_BLK_T_IN, 512, 777, 1, 0 },
		{ "iops=1000,iops-burst=10", VIRTIO_BLK_T_OUT, 512, 1000, 1, 10 },
		{ "bps=4096000", VIRTIO_BLK_T_IN, 4096, 4096000, 4096, 0 },
		{ "bps=1234567,bps-burst=65536", VIRTIO_BLK_T_OUT, 1024, 1234567, 1024, 65536 },
		{ "read-iops=333,read-iops-burst=3", VIRTIO_BLK_T_IN, 512, 333, 1, 3 },
		{ "read-bps=1000000", VIRTIO_BLK_T_IN, 1536, 1000000, 1536, 0 },
		{ "write-iops=2500", VIRTIO_BLK_T_OUT, 512, 2500, 1, 0 },
		{ "write-bps=999999,write-bps-burst=512", VIRTIO_BLK_T_OUT, 512, 999999, 512, 512 },
		{ "iops=100000,bps=512000", VIRTIO_BLK_T_IN, 512, 512000, 512, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct limit_row *row = &rows[i];
		const uint64_t at_once = MAX(row->burst / row->cost, (uint64_t)1);
		const uint64_t set = row->rate / row->cost;
		char options[128];
		uint64_t gap_ns, reached;
		struct rig r;

		snprintf(options, sizeof(options), ",throttle=%s", row->throttle);
		rig_init(&r, RIG_MODE, options);
		reached = answers_in_a_second(&r, row, &gap_ns) - at_once;
		assert_in_range(reached, set - set / 100, set + set / 100);
		assert_true(gap_ns <= (row->cost * NSEC_PER_SEC + row->rate - 1) / row->rate + 1);
		rig_deinit(&r);
	}
}

ETEST(later_kicks_do_not_overtake_a_stalled_chain)
{
	struct rig r;
	uint16_t first, second, third;

	rig_init(&r, RIG_MODE, ",throttle=write-iops=100");
	first = post(&r, 0, VIRTIO_BLK_T_OUT, 0, 512);
	second = post(&r, 1, VIRTIO_BLK_T_OUT, 1, 512);
	rig_kick(&r);
	third = post(&r, 2, VIRTIO_BLK_T_IN, 2, 512);
	rig_kick(&r);
	rig_kick(&r);
	assert_int_equal(rig_used_idx(&r, 0), 1);
	assert_int_equal(rig_take_on(&r, 0).id, first);
	run_until(&r, START + 10 * NSEC_PER_MSEC);
	assert_int_equal(rig_take_on(&r, 0).id, second);
	assert_int_equal(rig_take_on(&r, 0).id, third);
	rig_deinit(&r);
}

ETEST(refused_requests_spend_nothing)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",throttle=iops=1");
	for (unsigned i = 0; i < 5; i++)
		post(&r, i, VIRTIO_BLK_T_IN, RIG_DISK_SECTORS, 512);
	post(&r, 5, 0xbeef, 0, 512);
	post(&r, 6, VIRTIO_BLK_T_IN, 0, 512);
	rig_kick(&r);
	assert_int_equal(rig_used_idx(&r, 0), 7);
	assert_int_equal(rig_counter(&r, "throttled_count"), 0);
	rig_deinit(&r);
}

ETEST(an_oversized_write_goes_and_leaves_a_debt)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",throttle=bps=10000");
	post(&r, 0, VIRTIO_BLK_T_OUT, 0, 20480);
	post(&r, 1, VIRTIO_BLK_T_OUT, 0, 512);
	rig_kick(&r);
	assert_int_equal(rig_used_idx(&r, 0), 1);
	run_until(&r, START + 2048 * NSEC_PER_MSEC - 1);
	assert_int_equal(rig_used_idx(&r, 0), 1);
	run_until(&r, START + 2048 * NSEC_PER_MSEC);
	assert_int_equal(rig_used_idx(&r, 0), 2);
	rig_deinit(&r);
}

ETEST(a_live_change_reaches_a_stalled_request)
{
	const struct blk_throttle_spec none = { 0 };
	struct rig r;

	rig_init(&r, RIG_MODE, ",throttle=iops=1");
	post_reads(&r, 3);
	assert_int_equal(rig_used_idx(&r, 0), 1);
	blk_set_throttle(r.blk, &none);
	assert_int_equal(rig_used_idx(&r, 0), 3);
	assert_int_equal(rig_counter(&r, "currently_throttled"), 0);
	rig_deinit(&r);
}

ETEST(a_modelled_latency_is_exact_and_requests_overlap)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",latency=table:5ms/1ms/3ms");
	uint16_t heads[3] = { post(&r, 0, VIRTIO_BLK_T_IN, 0, 512),
			      post(&r, 1, VIRTIO_BLK_T_OUT, 1, 512),
			      post(&r, 2, VIRTIO_BLK_T_IN, 2, 512) };

	rig_kick(&r);
	static const struct {
		unsigned ms, head;
	} order[] = { { 1, 1 }, { 3, 2 }, { 5, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		run_until(&r, START + order[i].ms * NSEC_PER_MSEC - 1);
		assert_int_equal(rig_used_idx(&r, 0), i);
		assert_int_equal(*(uint8_t *)rig_at(&r, RIG_HEADER + order[i].head * 32 + 16),
				 0xee);
		run_until(&r, START + order[i].ms * NSEC_PER_MSEC);
		assert_int_equal(rig_take_on(&r, 0).id, heads[order[i].head]);
		assert_int_equal(*(uint8_t *)rig_at(&r, RIG_HEADER + order[i].head * 32 + 16), 0);
	}
	assert_int_equal(atomic_load(&r.irqs), 3);
	rig_deinit(&r);
}

ETEST(a_delay_fault_holds_one_completion)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=read,nth=2,action=delay:7ms");
	post_reads(&r, 3);
	assert_int_equal(rig_used_idx(&r, 0), 2);
	assert_int_equal(blk_next_due_ns(r.blk), START + 7 * NSEC_PER_MSEC);
	run_until(&r, START + 7 * NSEC_PER_MSEC);
	assert_int_equal(rig_used_idx(&r, 0), 3);
	rig_deinit(&r);
}

ETEST(a_frozen_disk_earns_nothing_and_answers_nothing)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",throttle=iops=100,latency=4ms");
	post_reads(&r, 2); /* one goes and is held, one is stalled */
	blk_pause(r.blk);
	run_until(&r, START); /* nothing is due on a clock that stands still */
	r.clock_ns += NSEC_PER_SEC;
	blk_run_due(r.blk);
	assert_int_equal(rig_used_idx(&r, 0), 0);
	blk_resume(r.blk);
	assert_int_equal(rig_used_idx(&r, 0), 0);
	/* As if no time had passed: 4 ms, and 10 ms + 4 ms, of device time from the start. */
	r.clock_ns += 4 * NSEC_PER_MSEC - 1;
	blk_run_due(r.blk);
	assert_int_equal(rig_used_idx(&r, 0), 0);
	r.clock_ns += 1;
	blk_run_due(r.blk);
	assert_int_equal(rig_used_idx(&r, 0), 1);
	r.clock_ns += 6 * NSEC_PER_MSEC;
	blk_run_due(r.blk);
	assert_int_equal(rig_used_idx(&r, 0), 1);
	r.clock_ns += 4 * NSEC_PER_MSEC;
	blk_run_due(r.blk);
	assert_int_equal(rig_used_idx(&r, 0), 2);
	rig_deinit(&r);
}

ETEST(a_reset_forgets_what_is_stalled_or_held)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",throttle=iops=100,latency=4ms");
	post_reads(&r, 3);
	rig_set_reg(&r, VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(rig_reg(&r, VIRTIO_MMIO_STATUS), 0);
	assert_int_equal(blk_next_due_ns(r.blk), UINT64_MAX);
	/* Late completions touch nothing: poison everything they could write. */
	memset(rig_at(&r, 0), 0xa5, RIG_RAM);
	uint64_t irqs = atomic_load(&r.irqs);

	run_until(&r, START + NSEC_PER_SEC);
	assert_true(rig_is_filled(rig_at(&r, 0), 0xa5, RIG_RAM));
	assert_int_equal(atomic_load(&r.irqs), irqs);
	assert_int_equal(rig_counter(&r, "currently_throttled"), 0);
	rig_setup(&r, r.features);
	post_reads(&r, 1);
	run_until(&r, r.clock_ns + 4 * NSEC_PER_MSEC);
	assert_int_equal(rig_used_idx(&r, 0), 1);
	rig_deinit(&r);
}

ETEST(a_queue_reset_forgets_that_queue_only)
{
	struct rig r;
	uint16_t head;

	rig_init(&r, RIG_MODE, ",latency=4ms,queues=2");
	post(&r, 0, VIRTIO_BLK_T_IN, 0, 512);
	rig_kick(&r);
	rig_header(&r, RIG_SENTINEL, VIRTIO_BLK_T_FLUSH, 0);
	const struct piece flush[] = { { RIG_SENTINEL, 16, R }, { RIG_SENTINEL + 16, 1, W } };

	head = rig_post_on(&r, 1, flush, 2);
	rig_kick_on(&r, 1);
	rig_set_reg(&r, VIRTIO_MMIO_QUEUE_SEL, 0);
	rig_set_reg(&r, VIRTIO_MMIO_REG_QUEUE_RESET, 1);
	run_until(&r, START + 4 * NSEC_PER_MSEC);
	assert_int_equal(rig_used_idx(&r, 0), 0);
	assert_int_equal(*(uint8_t *)rig_at(&r, RIG_HEADER + 16), 0xee);
	assert_int_equal(rig_take_on(&r, 1).id, head);
	rig_deinit(&r);
}

/* On the real clock: never early; how late is the host's business. */
ETEST(threads_answer_what_is_due_later)
{
	struct rig r;
	uint64_t start_ns;

	rig_init(&r, RIG_MODE, ",latency=2ms,throttle=iops=500");
	for (unsigned i = 0; i < 5; i++) {
		start_ns = now_ns();
		assert_answer(rig_read(&r, i, D, 512), 0, 513);
		assert_true(now_ns() - start_ns >= 2 * NSEC_PER_MSEC);
	}
	assert_int_equal(blk_next_due_ns(r.blk), UINT64_MAX);
	rig_deinit(&r);
}

TESTS(ON(threads_answer_what_is_due_later, RIG_INLINE_THREADS),
      ON(threads_answer_what_is_due_later, RIG_WORKER_THREADS),
      ON(threads_answer_what_is_due_later, RIG_URING_THREADS),
      ON_VIRTUAL(a_throttled_ring_goes_on_at_the_exact_nanosecond),
      ON_VIRTUAL(ten_operations_in_ten_ms_give_a_thousand_a_second),
      ON_VIRTUAL(each_limit_is_kept_over_a_second_without_a_gap),
      ON_VIRTUAL(later_kicks_do_not_overtake_a_stalled_chain),
      ON_VIRTUAL(refused_requests_spend_nothing),
      ON_VIRTUAL(an_oversized_write_goes_and_leaves_a_debt),
      ON_VIRTUAL(a_live_change_reaches_a_stalled_request),
      ON_VIRTUAL(a_modelled_latency_is_exact_and_requests_overlap),
      ON_VIRTUAL(a_delay_fault_holds_one_completion),
      ON_VIRTUAL(a_frozen_disk_earns_nothing_and_answers_nothing),
      ON_VIRTUAL(a_reset_forgets_what_is_stalled_or_held),
      ON_VIRTUAL(a_queue_reset_forgets_that_queue_only))
