// SPDX-License-Identifier: GPL-2.0-only
#include "host/carrier_frame.h"

#include "base/util.h"
#include "test.h"

#include <errno.h>
#include <string.h>

TEST(frames_come_out_as_they_went_in_whatever_the_pieces)
{
	for (size_t piece = 1; piece < 40; piece++) {
		cleanup(buf_deinit) struct buf sent = BUF_NULL;
		cleanup(carrier_reader_deinit) struct carrier_reader r = { 0 };
		struct carrier_frame f = { 0 };
		unsigned got = 0;

		carrier_frame_add(&sent, CARRIER_STDOUT, "hello", 5);
		carrier_frame_add(&sent, CARRIER_STDIN_END, NULL, 0);
		carrier_frame_add_u32x2(&sent, CARRIER_EXIT, 0, 7);
		for (size_t at = 0; at < sent.len; at += piece) {
			buf_add(&r.in, sent.data + at, MIN(piece, sent.len - at));
			while (carrier_reader_next(&r, &f) == 0) {
				static const enum carrier_frame_type types[] = { CARRIER_STDOUT,
										 CARRIER_STDIN_END,
										 CARRIER_EXIT };
				assert_true(got < 3);
				assert_int_equal(f.type, types[got]);
				if (got == 0)
					assert_memory_equal(f.payload, "hello", 5);
				if (got == 2)
					assert_int_equal(le32_get(f.payload + 4), 7);
				got++;
			}
		}
		assert_int_equal(got, 3);
	}
}

TEST(bytes_that_are_no_frame_are_refused)
{
	cleanup(carrier_reader_deinit) struct carrier_reader r = { 0 };
	struct carrier_frame f;

	buf_add(&r.in, "random bytes", 12);
	assert_int_equal(carrier_reader_next(&r, &f), -EPROTO);
}

TEST(a_length_over_the_limit_is_refused_before_it_is_awaited)
{
	cleanup(carrier_reader_deinit) struct carrier_reader r = { 0 };
	struct carrier_frame f;
	char header[12];

	le32_put(header, CARRIER_FRAME_MAGIC);
	le32_put(header + 4, CARRIER_STDOUT);
	le32_put(header + 8, CARRIER_PAYLOAD_MAX + 1);
	buf_add(&r.in, header, sizeof(header));
	assert_int_equal(carrier_reader_next(&r, &f), -EPROTO);
}

static const char *const argv_two[] = { "ktstr", "run", NULL };
static const char *const disks_one[] = { "/disk.img", NULL };
static const char *const envp_one[] = { "HOME=/root", NULL };

TEST(a_request_survives_the_way)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(carrier_run_request_deinit) struct carrier_run_request got = { 0 };
	struct carrier_run_request q = {
		.cwd = "/w",
		.argv = argv_two,
		.envp = envp_one,
		.disks = disks_one,
		.is_tty = true,
		.has_records = true,
	};

	assert_int_equal(carrier_run_request_add(&out, &q), 0);
	assert_int_equal(carrier_run_request_read(out.data + 12, (uint32_t)out.len - 12, &got), 0);
	assert_string_equal(got.cwd, "/w");
	assert_null(got.results_dir);
	assert_string_equal(got.argv[1], "run");
	assert_null(got.argv[2]);
	assert_string_equal(got.envp[0], "HOME=/root");
	assert_null(got.envp[1]);
	assert_string_equal(got.disks[0], "/disk.img");
	assert_true(got.is_tty);
	assert_true(got.has_records);
}

TEST(a_request_cut_anywhere_is_refused)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct carrier_run_request q = { .cwd = "/w",
					 .results_dir = "/r",
					 .argv = argv_two,
					 .envp = envp_one,
					 .disks = disks_one };

	assert_int_equal(carrier_run_request_add(&out, &q), 0);
	for (uint32_t n = 0; n < out.len - 12; n++) {
		struct carrier_run_request got = { 0 };

		assert_int_equal(carrier_run_request_read(out.data + 12, n, &got), -EPROTO);
		assert_null(got.argv);
	}
}

TEST(a_request_that_lies_about_its_counts_is_refused)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct carrier_run_request q = {
		.cwd = "/w", .argv = argv_two, .envp = envp_one, .disks = disks_one
	};
	struct carrier_run_request got;

	assert_int_equal(carrier_run_request_add(&out, &q), 0);
	for (size_t field = 4; field <= 12; field += 4) {
		static const uint32_t lies[] = { 0, 1000, UINT32_MAX };

		for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
			uint32_t truth = le32_get(out.data + 12 + field);

			le32_put(out.data + 12 + field, lies[i]);
			assert_int_equal(carrier_run_request_read(out.data + 12,
								  (uint32_t)out.len - 12, &got),
					 -EPROTO);
			le32_put(out.data + 12 + field, truth);
		}
	}
}

TEST(an_environment_that_does_not_fit_is_refused)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	cleanup(buf_deinit) struct buf big = BUF_NULL;

	buf_zeros(&big, CARRIER_PAYLOAD_MAX);
	memset(big.data, 'x', big.len);
	const char *const envp[] = { buf_text(&big), NULL };
	struct carrier_run_request q = {
		.cwd = "/", .argv = argv_two, .envp = envp, .disks = disks_one
	};

	assert_int_equal(carrier_run_request_add(&out, &q), -E2BIG);
	assert_int_equal(out.len, 0);
}

TESTS(T(frames_come_out_as_they_went_in_whatever_the_pieces),
      T(bytes_that_are_no_frame_are_refused),
      T(a_length_over_the_limit_is_refused_before_it_is_awaited), T(a_request_survives_the_way),
      T(a_request_cut_anywhere_is_refused), T(a_request_that_lies_about_its_counts_is_refused),
      T(an_environment_that_does_not_fit_is_refused))
