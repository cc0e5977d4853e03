// SPDX-License-Identifier: GPL-2.0-only
#include "wire/frame.h"

#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <string.h>

static void put(struct buf *b, uint32_t *seq, enum frame_type type, const char *text)
{
	assert_int_equal(frame_put(b, seq, type, text, strlen(text)), 0);
}

TEST(frames_come_out_as_they_went_in_however_the_stream_is_cut)
{
	cleanup(buf_deinit) struct buf stream = BUF_NULL;
	cleanup(buf_deinit) struct buf in = BUF_NULL;
	uint32_t seq = 0, got = 0;
	struct frame f;

	put(&stream, &seq, FRAME_STDOUT, "hello");
	put(&stream, &seq, FRAME_STOP, "");
	put(&stream, &seq, FRAME_STDERR, "world");
	for (size_t i = 0; i < stream.len; i++) {
		int r;

		buf_add(&in, stream.data + i, 1);
		r = frame_peek(&in, got, &f);
		if (r == FRAME_MORE)
			continue;
		assert_int_equal(r, 0);
		assert_int_equal(f.len, got == 1 ? 0 : 5);
		frame_consume(&in, &f);
		got++;
	}
	assert_int_equal(got, 3);
	assert_int_equal(in.len, 0);
}

TEST(a_stream_that_is_none_is_refused)
{
	static const struct {
		size_t offset;
		uint32_t value;
		const char *words;
	} cases[] = {
		{ 0, 0x12345678, "magic" },
		{ 4, 999, "type 999" },
		{ 4, FRAME_STOP | 1u << 16, "flags 0x1" },
		{ 8, FRAME_PAYLOAD_MAX + 1, "at most" },
		{ 8, UINT32_MAX, "at most" },
		{ 12, 7, "number 7" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_deinit) struct buf b = BUF_NULL;
		uint32_t seq = 0;
		struct frame f;

		put(&b, &seq, FRAME_STOP, "");
		le32_put(b.data + cases[i].offset, cases[i].value);
		assert_int_equal(frame_peek(&b, 0, &f), -EPROTO);
		assert_non_null(strstr(err_text(), cases[i].words));
	}
}

TEST(a_payload_over_the_limit_is_not_sent)
{
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	uint32_t seq = 0;

	assert_int_equal(frame_put(&b, &seq, FRAME_STDOUT, "", FRAME_PAYLOAD_MAX + 1), -EMSGSIZE);
	assert_int_equal(b.len, 0);
	assert_int_equal(seq, 0);
}

TEST(types_have_names)
{
	assert_string_equal(frame_name(FRAME_PLAN), "PLAN");
	assert_string_equal(frame_name(0), "unknown");
	assert_string_equal(frame_name(20), "unknown");
	assert_string_equal(frame_name(70000), "unknown");
}

TESTS(T(frames_come_out_as_they_went_in_however_the_stream_is_cut),
      T(a_stream_that_is_none_is_refused), T(a_payload_over_the_limit_is_not_sent),
      T(types_have_names))
