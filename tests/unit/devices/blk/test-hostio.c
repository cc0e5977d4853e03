// SPDX-License-Identifier: GPL-2.0-only
/* Contract sections 5 and 9: what the host may do to a request, played by fault rules. */
#include "rig.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { D = RIG_DATA };

struct fault_case {
	const char *rule; /* of the spec */
	uint32_t type;
	uint8_t status;
	uint32_t len;
	uint64_t completed; /* of the 4 KiB request */
	uint8_t data; /* that fills the buffer (IN) or the sectors (OUT) after; 0xff = as usual */
};

enum { IN = VIRTIO_BLK_T_IN, OUT = VIRTIO_BLK_T_OUT, USUAL = 0xff };

static const struct fault_case cases[] = {
	{ ",fault=op=read,action=short", IN, 0, 4097, 1, USUAL },
	{ ",fault=op=write,action=short", OUT, 0, 1, 1, USUAL },
	{ ",fault=op=read,action=zero", IN, 0, 4097, 1, 0 },
	{ ",fault=op=write,action=zero", OUT, 1, 1, 0, 0 },
	{ ",fault=op=read,count=16,action=eintr", IN, 0, 4097, 1, USUAL },
	{ ",fault=op=read,count=17,action=eintr", IN, 1, 0, 0, 0 },
	{ ",fault=op=read,action=eintr", IN, 1, 0, 0, 0 },
	{ ",fault=op=write,count=16,action=eintr", OUT, 0, 1, 1, USUAL },
	{ ",fault=op=write,action=eintr", OUT, 1, 1, 0, 0 },
	{ ",fault=op=read,action=errno:EIO", IN, 1, 0, 0, 0 },
	{ ",fault=op=write,action=errno:ENOSPC", OUT, 1, 1, 0, 0 },
	/* Half of it moved, then the host gives up. */
	{ ",fault=op=read,nth=1,action=short,fault=op=read,nth=1,action=errno:EIO", IN, 1, 2048, 0,
	  0 },
	{ ",fault=op=write,nth=1,action=short,fault=op=write,nth=1,action=zero", OUT, 1, 1, 0, 0 },
};

ETEST(the_host_s_counts_and_errors_become_the_right_answer)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fault_case *c = &cases[i];
		bool is_read = c->type == IN;
		struct rig_answer a;
		struct rig r;

		rig_init(&r, RIG_MODE, c->rule);
		memset(rig_at(&r, D), 0x5a, 4096);
		a = rig_request(&r, c->type, 16, D, 4096, is_read ? W : R);
		if (!a.is_answered || a.status != c->status || a.len != c->len)
			fail_msg("%s: status %u, len %u", c->rule, a.status, a.len);
		assert_int_equal(rig_counter(&r, is_read ? "reads_completed" : "writes_completed"),
				 c->completed);
		/* Payload is counted once, and only if all of it arrived. */
		assert_int_equal(rig_counter(&r, is_read ? "bytes_read" : "bytes_written"),
				 c->completed * 4096);
		assert_int_equal(rig_counter(&r, "io_errors"), c->status ? 1 : 0);
		if (c->data == USUAL && is_read)
			for (unsigned s = 0; s < 8; s++)
				assert_true(rig_is_filled(rig_at(&r, D + s * 512),
							  rig_pattern(16 + s), 512));
		if (c->data == USUAL && !is_read)
			assert_true(rig_disk_is(&r, 16, 8, 0x5a));
		if (c->data == 0 && is_read && !c->status)
			assert_true(rig_is_filled(rig_at(&r, D), 0, 4096));
		rig_deinit(&r);
	}
}

/* A write in seven odd pieces, each host call moving half of the first iovec that is left. */
ETEST(a_short_count_goes_on_at_the_exact_byte_across_iovecs)
{
	const struct piece pieces[] = { { RIG_HEADER, 16, R }, { D, 1, R },
					{ D + 1, 700, R },     { D + 701, 3, R },
					{ D + 704, 1000, R },  { D + 1704, 2392, R },
					{ RIG_STATUS, 1, W } };
	unsigned char got[4096];
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=write,action=short,fault=op=read,action=short");
	for (unsigned i = 0; i < 4096; i++)
		*(uint8_t *)rig_at(&r, D + i) = (uint8_t)(i ^ i >> 8);
	rig_header(&r, RIG_HEADER, OUT, 40);
	assert_answer(rig_run(&r, RIG_STATUS, pieces, 7), 0, 1);
	assert_int_equal(pread(r.disk_fd, got, 4096, 40 * 512), 4096);
	assert_memory_equal(got, rig_at(&r, D), 4096);
	assert_answer(rig_read(&r, 40, D + 4096, 4096), 0, 4097);
	assert_memory_equal(got, rig_at(&r, D + 4096), 4096);
	assert_int_equal(rig_counter(&r, "bytes_written"), 4096);
	assert_true(rig_counter(&r, "host_retries") > 20);
	rig_deinit(&r);
}

ETEST(other_requests_fail_as_the_host_does)
{
	static const struct {
		const char *rule;
		uint32_t type;
		uint8_t status;
	} rows[] = {
		{ ",fault=op=flush,nth=1,action=errno:EIO", VIRTIO_BLK_T_FLUSH, 1 },
		{ ",fault=op=flush,count=16,action=eintr", VIRTIO_BLK_T_FLUSH, 0 },
		{ ",fault=op=flush,count=17,action=eintr", VIRTIO_BLK_T_FLUSH, 1 },
		{ ",fault=op=discard,action=errno:EIO", VIRTIO_BLK_T_DISCARD, 1 },
		{ ",fault=op=write_zeroes,action=errno:ENOSPC", VIRTIO_BLK_T_WRITE_ZEROES, 1 },
		{ ",fault=op=any,nth=1,action=errno:EIO", VIRTIO_BLK_T_WRITE_ZEROES, 1 },
	};
	static const struct virtio_blk_discard_write_zeroes segment = { .sector = 4,
									.num_sectors = 4 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig r;

		rig_init(&r, RIG_MODE, rows[i].rule);
		memcpy(rig_at(&r, D), &segment, 16);
		assert_answer(rig_request(&r, rows[i].type, 0, D, 16, R), rows[i].status, 1);
		if (rows[i].type != VIRTIO_BLK_T_FLUSH)
			assert_true(rig_disk_is(&r, 7, 1, rig_pattern(7)));
		rig_deinit(&r);
	}
}

ETEST(a_refused_request_matches_no_rule)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=read,nth=1,action=errno:EIO");
	assert_answer(rig_read(&r, RIG_DISK_SECTORS, D, 512), 1, 0);
	assert_int_equal(rig_counter(&r, "faults_fired"), 0);
	assert_answer(rig_read(&r, 0, D, 512), 1, 0);
	assert_int_equal(rig_counter(&r, "faults_fired"), 1);
	assert_answer(rig_read(&r, 0, D, 512), 0, 513);
	rig_deinit(&r);
}

ETEST(a_torn_write_leaves_its_second_half_undone)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=write,action=torn");
	memset(rig_at(&r, D), 0x5a, 4096);
	assert_answer(rig_write(&r, 16, D, 4096), 0, 1);
	assert_true(rig_disk_is(&r, 16, 4, 0x5a));
	for (uint64_t s = 20; s < 24; s++)
		assert_true(rig_disk_is(&r, s, 1, rig_pattern(s)));
	rig_deinit(&r);
}

static unsigned bits_that_differ(const uint8_t *a, uint8_t expected, size_t bytes)
{
	unsigned bits = 0;

	for (size_t i = 0; i < bytes; i++)
		bits += (unsigned)__builtin_popcount(a[i] ^ expected);
	return bits;
}

ETEST(corruption_flips_one_bit_and_says_ok)
{
	unsigned char got[2048];
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=any,seed=9,action=corrupt");
	memset(rig_at(&r, D), 0x5a, 2048);
	assert_answer(rig_write(&r, 16, D, 2048), 0, 1);
	assert_true(rig_is_filled(rig_at(&r, D), 0x5a, 2048)); /* not in the guest's memory */
	assert_int_equal(pread(r.disk_fd, got, 2048, 16 * 512), 2048);
	assert_int_equal(bits_that_differ(got, 0x5a, 2048), 1);
	assert_answer(rig_read(&r, 100, D, 512), 0, 513);
	assert_int_equal(bits_that_differ(rig_at(&r, D), rig_pattern(100), 512), 1);
	assert_true(rig_disk_is(&r, 100, 1, rig_pattern(100)));
	rig_deinit(&r);
}

ETEST(a_misdirected_transfer_hits_the_neighbour)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=any,action=misdirect");
	memset(rig_at(&r, D), 0x5a, 1024);
	assert_answer(rig_write(&r, 16, D, 1024), 0, 1);
	assert_true(rig_disk_is(&r, 16, 1, rig_pattern(16)));
	assert_true(rig_disk_is(&r, 18, 2, 0x5a));
	assert_answer(rig_read(&r, RIG_DISK_SECTORS - 1, D, 512), 0, 513);
	assert_true(rig_is_filled(rig_at(&r, D), rig_pattern(RIG_DISK_SECTORS - 2), 512));
	rig_deinit(&r);
}

ETEST(a_lost_flush_is_answered_and_counted)
{
	const struct piece flush[] = { { RIG_HEADER, 16, R }, { RIG_STATUS, 1, W } };
	struct rig r;

	/* The host call would fail: that it does not shows that it was not made. */
	rig_init(&r, RIG_MODE,
		 ",fault=op=flush,nth=1,action=lost-flush,"
		 "fault=op=flush,nth=1,action=errno:EIO");
	rig_header(&r, RIG_HEADER, VIRTIO_BLK_T_FLUSH, 0);
	assert_answer(rig_run(&r, RIG_STATUS, flush, 2), 0, 1);
	assert_int_equal(rig_counter(&r, "flushes_completed"), 1); /* the sentinel got the EIO */
	rig_deinit(&r);
}

ETEST(a_dropped_completion_is_never_answered_and_the_work_is_done)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=write,nth=1,action=drop-completion");
	memset(rig_at(&r, D), 0x5a, 512);
	assert_false(rig_write(&r, 16, D, 512).is_answered);
	assert_true(rig_disk_is(&r, 16, 1, 0x5a));
	assert_int_equal(rig_counter(&r, "completions_dropped"), 1);
	assert_int_equal(rig_counter(&r, "writes_completed"), 0);
	/* A reset forgets it. */
	rig_setup(&r, r.features);
	assert_answer(rig_read(&r, 16, D, 512), 0, 513);
	rig_deinit(&r);
}

ETEST(a_spurious_interrupt_announces_nothing)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=read,nth=1,action=spurious-irq");
	assert_answer(rig_read(&r, 0, D, 512), 0, 513);
	assert_int_equal(rig_counter(&r, "spurious_interrupts"), 1);
	assert_int_equal(atomic_load(&r.irqs), 1 + rig_counter(&r, "interrupts_sent"));
	rig_deinit(&r);
}

ETEST(each_firing_names_its_request)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct rig r;

	rig_init(&r, RIG_MODE, ",fault=op=read,nth=2,action=errno:EIO");
	rig_read(&r, 3, D, 512);
	rig_read(&r, 4, D, 1024);
	blk_faults_log_json(r.blk, &out);
	/* Requests 1 and 3: a flush follows each. */
	assert_non_null(strstr(buf_text(&out), "\"action\":\"errno\",\"request\":3,\"queue\":0,"
					       "\"op\":\"read\",\"sector\":4,\"sectors\":2}]"));
	rig_deinit(&r);
}

ETEST(a_host_file_that_shrinks_reads_as_zeros)
{
	struct rig r;

	rig_init(&r, RIG_MODE, "");
	assert_int_equal(ftruncate(r.disk_fd, 10 * 512 + 100), 0);
	memset(rig_at(&r, D), 0x5a, 2048);
	assert_answer(rig_read(&r, 9, D, 2048), 0, 2049);
	assert_true(rig_is_filled(rig_at(&r, D), rig_pattern(9), 512));
	assert_true(rig_is_filled(rig_at(&r, D + 512), rig_pattern(10), 100));
	assert_true(rig_is_filled(rig_at(&r, D + 612), 0, 2048 - 612));
	/* And grows again when written. */
	assert_answer(rig_write(&r, 1000, D, 512), 0, 1);
	assert_answer(rig_read(&r, 1000, D + 4096, 512), 0, 513);
	assert_memory_equal(rig_at(&r, D), rig_at(&r, D + 4096), 512);
	rig_deinit(&r);
}

ETEST(a_file_that_shrinks_under_an_overlay_reads_as_zeros)
{
	struct rig r;

	rig_init(&r, RIG_MODE, ",overlay");
	memset(rig_at(&r, D), 0x44, 512);
	assert_answer(rig_write(&r, 500, D, 512), 0, 1);
	assert_int_equal(ftruncate(r.disk_fd, 0), 0);
	memset(rig_at(&r, D), 0x5a, 2048);
	assert_answer(rig_read(&r, 499, D, 1536), 0, 1537);
	assert_true(rig_is_filled(rig_at(&r, D), 0, 512));
	assert_true(rig_is_filled(rig_at(&r, D + 512), 0x44, 512));
	assert_true(rig_is_filled(rig_at(&r, D + 1024), 0, 512));
	rig_deinit(&r);
}

TESTS(ON_ALL(the_host_s_counts_and_errors_become_the_right_answer),
      ON_ALL(a_short_count_goes_on_at_the_exact_byte_across_iovecs),
      ON_ALL(other_requests_fail_as_the_host_does), ON_ALL(a_refused_request_matches_no_rule),
      ON_ALL(a_torn_write_leaves_its_second_half_undone),
      ON_ALL(corruption_flips_one_bit_and_says_ok),
      ON_ALL(a_misdirected_transfer_hits_the_neighbour),
      ON_ALL(a_lost_flush_is_answered_and_counted),
      ON_ALL(a_dropped_completion_is_never_answered_and_the_work_is_done),
      ON_ALL(a_spurious_interrupt_announces_nothing), ON_ALL(each_firing_names_its_request),
      ON_ALL(a_host_file_that_shrinks_reads_as_zeros),
      ON_ALL(a_file_that_shrinks_under_an_overlay_reads_as_zeros))
