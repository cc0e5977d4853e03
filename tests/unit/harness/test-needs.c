// SPDX-License-Identifier: GPL-2.0-only
/* What a scenario needs of machine and kernel, as it says or by what it does, and the words of the SKIP. */
#include "harness/cell.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <string.h>

#define SPIN WORKERS({ .work = "spin" })
#define EXT WORKERS({ .work = "spin", .policy = "ext" })
#define REST .hold = "1s", .checks = CHECKS("isolation")

static int compile_in(const struct ktstr_scenario *s, uint64_t memory_bytes, struct cell *cell)
{
	static struct ktstr_record record = { .name = "x", .file = "x.c", .line = 1 };
	struct cell_options options = { .memory_bytes = memory_bytes };

	record.scenario = s;
	return cell_compile(&record, &options, cell);
}

static const struct ktstr_scenario spacious = { .needs = { .memory = "1G" },
						.workers = SPIN,
						REST };

TEST(a_machine_with_less_memory_is_skipped_with_both_figures)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;

	assert_int_equal(compile_in(&spacious, 0, &cell), CELL_NEEDS_UNMET);
	assert_string_equal(err_text(), "needs 1G of memory, the machine has 528M");
	assert_int_equal(compile_in(&spacious, GIB - MIB, &cell), CELL_NEEDS_UNMET);
	assert_string_equal(err_text(), "needs 1G of memory, the machine has 1023M");
	err_clear();
	assert_int_equal(compile_in(&spacious, GIB, &cell), 0);
}

static const struct ktstr_scenario vast = { .needs = { .cpus = 9, .memory = "1T" },
					    .workers = SPIN,
					    REST };

TEST(topology_is_asked_before_memory)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;

	assert_int_equal(compile_in(&vast, 0, &cell), CELL_NEEDS_UNMET);
	assert_string_equal(err_text(), "needs 9 CPUs, machine 1n1l2c1t has 2");
}

static const struct ktstr_scenario bad_needs[] = {
	{ .needs = { .memory = "much" }, .workers = SPIN, REST },
	{ .needs = { .memory = "1Q" }, .workers = SPIN, REST },
	{ .needs = { .cpus = 99, .features = FEATURES("psi", "eevdf") }, .workers = SPIN, REST },
};

/* Also where the machine would not do: a wrong scenario is wrong on any. */
TEST(needs_that_are_none_are_refused_with_scenario_field_and_value)
{
	static const char *const words[] = {
		"scenario x: needs: memory \"much\": ",
		"scenario x: needs: memory \"1Q\": ",
		"scenario x: needs: features \"eevdf\": expected one of sched_ext, autogroup, ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad_needs); i++) {
		struct cell cell;

		assert_int_equal(compile_in(&bad_needs[i], 0, &cell), -EINVAL);
		if (strncmp(err_text(), words[i], strlen(words[i])) != 0)
			fail_msg("\"%s\" does not begin with \"%s\"", err_text(), words[i]);
	}
}

static const struct ktstr_scenario stated = { .needs = { .features = FEATURES("psi", "btf") },
					      .workers = SPIN,
					      REST };

static const struct ktstr_scenario by_workers = { .workers = EXT, REST };
static const struct ktstr_scenario by_operation = {
	.workers = SPIN,
	.steps = STEPS({ .ops = OPS("policy spin ext"), .hold = "1s" }),
	.checks = CHECKS("isolation"),
};
static const struct ktstr_scenario by_payload = {
	.payloads = PAYLOADS({ .name = "p", .command = "/bin/sh", .policy = "ext", .nice = 3 }),
	.hold = "until payload p exit max=1s",
	.checks = CHECKS("exit status=0"),
};
static const struct ktstr_scenario both = { .needs = { .features = FEATURES("sched_ext") },
					    .workers = EXT,
					    REST };

static const struct {
	const struct ktstr_scenario *scenario;
	uint32_t lacking;
	const char *words;
} kernels[] = {
	{ &stated, 0, NULL },
	{ &stated, 1 << FEATURE_SCHED_EXT, NULL },
	{ &stated, 1 << FEATURE_PSI, "needs psi: this kernel has no /proc/pressure/cpu" },
	{ &stated, 1 << FEATURE_BTF, "needs btf: this kernel has no /sys/kernel/btf/vmlinux" },
	{ &by_workers, 1 << FEATURE_SCHED_EXT,
	  "needs sched_ext, for policy ext: this kernel has no /sys/kernel/sched_ext" },
	{ &by_operation, 1 << FEATURE_SCHED_EXT,
	  "needs sched_ext, for policy ext: this kernel has no /sys/kernel/sched_ext" },
	{ &by_payload, 1 << FEATURE_SCHED_EXT,
	  "needs sched_ext, for policy ext: this kernel has no /sys/kernel/sched_ext" },
	{ &by_payload, FEATURES_ALL & ~(1 << FEATURE_SCHED_EXT), NULL },
	{ &both, 1 << FEATURE_SCHED_EXT,
	  "needs sched_ext: this kernel has no /sys/kernel/sched_ext" },
};

TEST(a_kernel_without_a_feature_is_skipped_with_feature_path_and_what_it_is_for)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		cleanup(cell_deinit) struct cell cell = CELL_NULL;
		cleanup(buf_deinit) struct buf why = BUF_NULL;
		uint32_t found = FEATURES_ALL & ~kernels[i].lacking;

		if (compile_in(kernels[i].scenario, 0, &cell))
			fail_msg("case %zu: %s", i, err_text());
		assert_int_equal(cell_is_feature_missing(&cell, found, &why),
				 kernels[i].words != NULL);
		if (kernels[i].words)
			assert_string_equal(buf_text(&why), kernels[i].words);
	}
}

static const struct ktstr_scenario modern = {
	.needs = { .kernel = "6.6" }, .workers = WORKERS({ .work = "spin", .slice = "1ms" }), REST
};

TEST(an_old_kernel_is_skipped_with_the_least_release)
{
	static const struct {
		const char *release, *words;
	} cases[] = {
		{ "6.1.0-56-cloud-amd64", "needs kernel 6.6" },
		{ "6.6.0", "needs kernel 6.12, for a custom slice" },
		{ "6.12.117+deb12-amd64", NULL },
		{ "7.0", NULL },
	};
	cleanup(cell_deinit) struct cell cell = CELL_NULL;

	assert_int_equal(compile_in(&modern, 0, &cell), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(buf_deinit) struct buf why = BUF_NULL;

		assert_int_equal(cell_is_kernel_too_old(&cell, cases[i].release, &why),
				 cases[i].words != NULL);
		if (cases[i].words)
			assert_string_equal(buf_text(&why), cases[i].words);
	}
}

static const struct ktstr_scenario sliced_payload = {
	.payloads = PAYLOADS({ .name = "p", .command = "/bin/sh", .slice = "1ms" }),
	.hold = "until payload p exit max=1s",
	.checks = CHECKS("exit status=0"),
};

static const struct ktstr_scenario sliced_later = {
	.workers = SPIN,
	.steps =
		STEPS({ .hold = "1s" }, { .ops = OPS("policy spin batch slice=3ms"), .hold = "1s" },
		      { .ops = OPS("policy spin normal"), .hold = "1s" }),
	.checks = CHECKS("isolation"),
};

TEST(an_operation_gives_a_slice_and_takes_it_away)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	struct plan_sched sched;

	if (compile_in(&sliced_later, 0, &cell))
		fail_msg("%s", err_text());
	assert_string_equal(cell.least_kernel, "6.12");
	assert_string_equal(cell.least_kernel_why, "a custom slice");
	sched = plan_op_sched(&cell.plan.ops[cell.plan.header.op_count - 2]);
	assert_int_equal(sched.flags, SCHED_HAS_POLICY | SCHED_HAS_SLICE);
	assert_int_equal(sched.policy, 3);
	assert_int_equal(sched.runtime_ns, 3 * NSEC_PER_MSEC);
	assert_int_equal(cell.windows[1].scene.groups[0].sched.runtime_ns, 3 * NSEC_PER_MSEC);
	sched = plan_op_sched(&cell.plan.ops[cell.plan.header.op_count - 1]);
	assert_int_equal(sched.flags, SCHED_HAS_POLICY);
	assert_int_equal(sched.runtime_ns, 0);
}

/* Older kernels take the slice of a payload, too, and forget it. */
TEST(a_slice_needs_its_kernel_whoever_has_it)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;

	assert_int_equal(compile_in(&sliced_payload, 0, &cell), 0);
	assert_string_equal(cell.least_kernel, "6.12");
}

TESTS(T(a_machine_with_less_memory_is_skipped_with_both_figures),
      T(topology_is_asked_before_memory),
      T(needs_that_are_none_are_refused_with_scenario_field_and_value),
      T(a_kernel_without_a_feature_is_skipped_with_feature_path_and_what_it_is_for),
      T(an_old_kernel_is_skipped_with_the_least_release),
      T(an_operation_gives_a_slice_and_takes_it_away), T(a_slice_needs_its_kernel_whoever_has_it))
