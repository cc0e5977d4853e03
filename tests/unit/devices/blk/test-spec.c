// SPDX-License-Identifier: GPL-2.0-only
#include "devices/blk/spec.h"

#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <string.h>

static struct blk_spec parsed(const char *text)
{
	struct blk_spec spec;

	if (blk_spec_parse(text, &spec) < 0)
		fail_msg("%s: %s", text, err_text());
	return spec;
}

TEST(a_path_alone_is_a_writable_disk)
{
	struct blk_spec spec = parsed("/tmp/disk.img");

	assert_int_equal(spec.backing, BLK_BACKING_FILE);
	assert_string_equal(spec.path, "/tmp/disk.img");
	assert_false(spec.is_read_only);
	assert_false(spec.has_overlay);
	assert_int_equal(spec.engine, BLK_ENGINE_WORKER);
	assert_int_equal(spec.queues, 1);
	assert_int_equal(spec.block_bytes, 512);
	assert_int_equal(spec.fault_count, 0);
	assert_false(blk_throttle_is_limited(&spec.throttle));
}

TEST(every_option_is_read)
{
	struct blk_spec spec = parsed("a,ro,overlay,engine=uring,queues=16,block=4096,serial=S0");

	assert_true(spec.is_read_only);
	assert_true(spec.has_overlay);
	assert_int_equal(spec.engine, BLK_ENGINE_URING);
	assert_int_equal(spec.queues, 16);
	assert_int_equal(spec.block_bytes, 4096);
	assert_string_equal(spec.serial, "S0");
	assert_string_equal(parsed("a,record=/tmp/log,overlay").record, "/tmp/log");
}

TEST(sized_backings_take_a_size)
{
	struct blk_spec ram = parsed("ram:64M,engine=inline");
	struct blk_spec null = parsed("null:1T");

	assert_int_equal(ram.backing, BLK_BACKING_RAM);
	assert_int_equal(ram.bytes, 64 * MIB);
	assert_int_equal(ram.engine, BLK_ENGINE_INLINE);
	assert_int_equal(null.backing, BLK_BACKING_NULL);
	assert_int_equal(null.bytes, UINT64_C(1) << 40);
}

TEST(a_comma_in_a_path_is_written_twice)
{
	assert_string_equal(parsed("a,,b,ro").path, "a,b");
	assert_string_equal(parsed("a,,,ro").path, "a,");
}

TEST(lists_go_on_while_their_own_keys_follow)
{
	struct blk_spec spec =
		parsed("d,throttle=iops=100,iops-burst=10,fault=op=read,nth=2,action=errno:EIO,"
		       "queues=4,latency=uniform:1ms-2ms,seed=5,fault=action=delay:5ms,seed=6,ro");

	assert_int_equal(spec.throttle.limits[BLK_LIMIT_OPS].rate, 100);
	assert_int_equal(spec.throttle.limits[BLK_LIMIT_OPS].burst, 10);
	assert_int_equal(spec.fault_count, 2);
	assert_int_equal(spec.faults[0].ops, 1 << BLK_OP_READ);
	assert_int_equal(spec.faults[0].nth, 2);
	assert_int_equal(spec.faults[0].error, EIO);
	assert_int_equal(spec.faults[1].delay_ns, 5 * NSEC_PER_MSEC);
	assert_int_equal(spec.faults[1].seed, 6);
	assert_int_equal(spec.queues, 4);
	assert_int_equal(spec.latency.kind, BLK_LATENCY_UNIFORM);
	assert_int_equal(spec.latency.seed, 5);
	assert_true(spec.is_read_only);
}

TEST(bad_specs_are_refused_in_words)
{
	static const char *const bad[] = {
		"",
		",ro",
		"a,",
		"a,rw",
		"a,ro=1",
		"a,engine=fast",
		"a,engine",
		"a,buffers",
		"a,buffers=maybe",
		"a,buffers=registered",
		"a,engine=worker,buffers=registered",
		"a,queues=0",
		"a,queues=17",
		"a,block=256",
		"a,block=3000",
		"a,block=8192",
		"a,serial=123456789012345678901",
		"ram:",
		"ram:0",
		"ram:x",
		"null:16777215T",
		"ram:1M,overlay",
		"a,record",
		"a,record=",
		"null:1M,record=l",
		"a,ro,record=l",
		"a,iops=5",
		"a,throttle",
		"a,throttle=",
		"a,throttle=iops=0x",
		"a,throttle=iops-burst=4",
		"a,fault=op=read",
		"a,fault=op=read,queues=2",
		"a,latency=5",
		"a,latency=5ms,nth=2",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct blk_spec spec;

		err_clear();
		if (blk_spec_parse(bad[i], &spec) >= 0)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_true(err_text()[0]);
	}
}

TESTS(T(a_path_alone_is_a_writable_disk), T(every_option_is_read), T(sized_backings_take_a_size),
      T(a_comma_in_a_path_is_written_twice), T(lists_go_on_while_their_own_keys_follow),
      T(bad_specs_are_refused_in_words))
