// SPDX-License-Identifier: GPL-2.0-only
#include "harness/cell.h"
#include "harness/payload_files.h"
#include "harness/words.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>

#define SPIN WORKERS({ .work = "spin" })
#define ISOLATED CHECKS("isolation")

static int compile(const struct ktstr_scenario *s, struct cell *cell)
{
	static struct ktstr_record record = { .name = "x", .file = "x.c", .line = 1 };
	static const struct cell_options options = { 0 };

	record.scenario = s;
	return cell_compile(&record, &options, cell);
}

TEST(a_line_is_split_as_a_shell_would)
{
	static const struct {
		const char *line;
		const char *words[4];
	} cases[] = {
		{ "", { NULL } },
		{ "  a  b ", { "a", "b" } },
		{ "sh -c 'a \"b\" \\c'", { "sh", "-c", "a \"b\" \\c" } },
		{ "\"a b\"c\\ d", { "a bc d" } },
		{ "a '' b", { "a", "", "b" } },
		{ "\"\\\"\" \\\\", { "\"", "\\" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(words_deinit) struct words w = WORDS_NULL;

		assert_int_equal(words_add_line(&w, cases[i].line), 0);
		for (size_t k = 0; k < w.count; k++)
			assert_string_equal(w.list[k], cases[i].words[k]);
		assert_null(cases[i].words[w.count]);
	}
}

TEST(an_open_quote_is_refused)
{
	static const char *const lines[] = { "a 'b", "\"", "a\\" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		cleanup(words_deinit) struct words w = WORDS_NULL;

		assert_int_equal(words_add_line(&w, lines[i]), -EINVAL);
	}
}

static const struct ktstr_scenario both_kinds = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a",
			     .cpuset = "cpu 1",
			     .workers = SPIN,
			     .payloads = PAYLOADS({ .name = "in",
						    .command = "sh -c 'exit 0'",
						    .nice = 5,
						    .affinity = "each",
						    .timeout = "3s" }) }),
	.payloads = PAYLOADS({ .name = "out",
			       .command = "/bin/sh",
			       .args = ARGS("-c", "a b"),
			       .env = ARGS("X=1"),
			       .include = ARGS("/etc/passwd"),
			       .file = "/tmp/f" }),
	.steps = STEPS({ .hold = "1s" },
		       { .ops = OPS("run out", "wait in", "wait out 2s", "kill out") }),
	.checks = ISOLATED,
};

static const char *string_after(const struct plan *p, uint32_t offset, unsigned n)
{
	while (n--)
		offset += (uint32_t)strlen(p->strings + offset) + 1;
	return plan_string(p, offset);
}

TEST(payloads_become_records_in_their_cgroups)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct plan *p = &cell.plan;

	assert_int_equal(compile(&both_kinds, &cell), 0);
	assert_int_equal(p->header.payload_count, 2);
	assert_int_equal(p->payloads[0].cgroup, 0);
	assert_int_equal(p->payloads[0].argc, 3);
	assert_string_equal(string_after(p, p->payloads[0].argv, 2), "exit 0");
	assert_string_equal(plan_string(p, p->payloads[0].argv), cell.payloads[0].program);
	assert_int_equal(p->payloads[0].sched.nice, 5);
	assert_int_equal(mask_next(&p->payloads[0].affinity, 0), 1);
	assert_int_equal(p->payloads[0].timeout_ns, 3 * NSEC_PER_SEC);
	assert_true(p->payloads[1].cgroup == PLAN_NONE);
	assert_string_equal(string_after(p, p->payloads[1].argv, 2), "a b");
	assert_string_equal(string_after(p, p->payloads[1].env, p->payloads[1].envc - 1), "X=1");
	assert_string_equal(plan_string(p, p->payloads[1].file), "/tmp/f");
}

TEST(what_no_step_runs_starts_at_the_gate)
{
	cleanup(cell_deinit) struct cell cell = CELL_NULL;
	const struct plan_op *op;

	assert_int_equal(compile(&both_kinds, &cell), 0);
	op = &cell.plan.ops[cell.plan.steps[0].op_count - 1];
	assert_int_equal(op->code, OP_PAYLOAD_RUN);
	assert_int_equal(op->target, 0);
	assert_int_equal(op->args[0], 1);
	op = &cell.plan.ops[cell.plan.steps[2].first_op];
	assert_int_equal(op[0].code, OP_PAYLOAD_RUN);
	assert_int_equal(op[0].args[0], 0);
	assert_int_equal(op[1].code, OP_PAYLOAD_WAIT);
	assert_int_equal(op[1].args[0], 0);
	assert_int_equal(op[2].args[0], 2 * NSEC_PER_SEC);
	assert_int_equal(op[3].code, OP_PAYLOAD_KILL);
	assert_int_equal(cell.wait_ns, 5 * NSEC_PER_SEC);
}

TEST(programs_and_what_they_include_are_the_images)
{
	static const struct ktstr_record record = { .name = "x", .scenario = &both_kinds };
	static const struct cell_options options = { 0 };
	cleanup(words_deinit) struct words files = WORDS_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;

	assert_int_equal(registry_from(&record, 1, &chosen), 0);
	assert_int_equal(payload_files(&chosen, &options, &files), 0);
	assert_int_equal(files.count, 3);
	assert_string_equal(files.list[2], "/etc/passwd");
}

#define BAD(words_, ...)                                                                           \
	{                                                                                          \
		.scenario = { .cgroups = CGROUPS({ .name = "a", .workers = SPIN }),                \
			      .hold = "1s",                                                        \
			      .checks = ISOLATED,                                                  \
			      .payloads = PAYLOADS(__VA_ARGS__) },                                 \
		.words = "scenario x: payload p: " words_                                          \
	}

#define BAD_OPS(words_, ...)                                                                       \
	{                                                                                          \
		.scenario = { .cgroups = CGROUPS({ .name = "a", .workers = SPIN }),                \
			      .payloads = PAYLOADS({ .name = "p", .command = "sh" }),              \
			      .steps = STEPS({ .name = "s", .hold = "1s", __VA_ARGS__ }),          \
			      .checks = ISOLATED },                                                \
		.words = "scenario x: step s: " words_                                             \
	}

static const struct {
	struct ktstr_scenario scenario;
	const char *words;
} bad[] = {
	BAD("command \"no-such-program\": this host does not have it; install the package that "
	    "brings it, or give its path",
	    { .name = "p", .command = "no-such-program --now" }),
	BAD("command \"/no/such\": this host does not have it; install the package that brings "
	    "it, or give its path",
	    { .name = "p", .command = "/no/such" }),
	BAD("command: it is missing", { .name = "p" }),
	BAD("command \"sh 'x\": a ' is not closed", { .name = "p", .command = "sh 'x" }),
	BAD("name \"p\": another payload has it", { .name = "p", .command = "sh" },
	    { .name = "p", .command = "sh" }),
	BAD("env \"X\": expected NAME=VALUE", { .name = "p", .command = "sh", .env = ARGS("X") }),
	BAD("include \"/no/such\": No such file or directory",
	    { .name = "p", .command = "sh", .include = ARGS("/no/such") }),
	BAD("file \"out\": expected an absolute path, as /tmp/out.yaml",
	    { .name = "p", .command = "sh", .file = "out" }),
	BAD("timeout \"5\": expected a duration with its unit, such as 50ms",
	    { .name = "p", .command = "sh", .timeout = "5" }),
	BAD("affinity \"cpu 9\": machine 1n1l2c1t has CPUs 0-1",
	    { .name = "p", .command = "sh", .affinity = "cpu 9" }),
	BAD("policy \"fifo 0\": expected a priority from 1 to 99",
	    { .name = "p", .command = "sh", .policy = "fifo 0" }),
	BAD_OPS("op \"run q\": no payload is named q", .ops = OPS("run q")),
	BAD_OPS("op \"run p\": it runs once, and has been run before",
		.ops = OPS("run p", "run p")),
	BAD_OPS("op \"wait p\": a limit is missing: wait PAYLOAD 20s, or the payload's timeout",
		.ops = OPS("wait p")),
	BAD_OPS("op \"wait p\": it has not been run before", .ops = OPS("wait p", "run p")),
	BAD_OPS("loop: op \"kill p\": payloads come and go only outside of loops",
		.loop = OPS("kill p"), .every = "100ms"),
};

static const struct {
	const char *claim, *words;
} bad_claims[] = {
	{ "metric name=x max=1", "no metric is named x" },
	{ "metric name=q/n max=1", "no metric is named q/n" },
	{ "metric name=m max=1", "several metrics are named m; say PAYLOAD/METRIC" },
	{ "metric name=n", "its bound is missing: min=, a number with at most three decimals" },
	{ "metric max=1", "name=, the metric, is missing" },
	{ "metric name=n max=0.0001",
	  "max \"0.0001\": expected a number with at most three decimals" },
	{ "metric name=n max=1 of=p", "name=PAYLOAD/METRIC says which one, not of=" },
	{ "exit of=a", "of=a names no payload" },
	{ "share distance=50permille",
	  "nobody knows what the payloads want of the CPU; claim something else beside them" },
};

TEST(claims_are_about_metrics_and_payloads_that_there_are)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_claims); i++) {
		const char *checks[] = { bad_claims[i].claim, NULL };
		const struct ktstr_scenario s = {
			.cgroups = CGROUPS({ .name = "a", .workers = SPIN }),
			.payloads = PAYLOADS({ .name = "p",
					       .command = "sh",
					       .metrics = METRICS({ .name = "m", .json = "m" },
								  { .name = "n", .json = "n" }) },
					     { .name = "q",
					       .command = "sh",
					       .metrics = METRICS({ .name = "m", .json = "m" }) }),
			.hold = "1s",
			.checks = checks,
		};
		struct cell cell;
		char words[256];

		snprintf(words, sizeof(words), "scenario x: check \"%s\": %s", bad_claims[i].claim,
			 bad_claims[i].words);
		assert_int_equal(compile(&s, &cell), -EINVAL);
		assert_string_equal(err_text(), words);
	}
}

TEST(an_exit_is_claimed_where_there_are_payloads)
{
	const struct ktstr_scenario s = { .payloads = PAYLOADS({ .name = "p", .command = "sh" }),
					  .hold = "1s" };
	cleanup(cell_deinit) struct cell cell = CELL_NULL;

	assert_int_equal(compile(&s, &cell), 0);
	assert_int_equal(cell.claim_count, 1);
	assert_string_equal(cell.claims[0].check->name, "exit");
}

TEST(bad_payloads_are_refused_with_their_name_and_the_way_out)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cell cell;

		assert_int_equal(compile(&bad[i].scenario, &cell), -EINVAL);
		assert_string_equal(err_text(), bad[i].words);
	}
}

TESTS(T(a_line_is_split_as_a_shell_would), T(an_open_quote_is_refused),
      T(payloads_become_records_in_their_cgroups), T(what_no_step_runs_starts_at_the_gate),
      T(claims_are_about_metrics_and_payloads_that_there_are),
      T(an_exit_is_claimed_where_there_are_payloads),
      T(programs_and_what_they_include_are_the_images),
      T(bad_payloads_are_refused_with_their_name_and_the_way_out))
