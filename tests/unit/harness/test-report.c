// SPDX-License-Identifier: GPL-2.0-only
#include "harness/report.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/util.h"
#include "devices/blk/blk.h"
#include "harness/guest.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <stdlib.h>
#include <string.h>

static const struct ktstr_scenario scenario = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("starvation gap=100ms"),
};
static const struct ktstr_record record = { .name = "sleepy", .scenario = &scenario };

/* A result with one finding. */
static struct result made(enum verdict verdict, enum verdict finding)
{
	static const struct cell_options options = { 0 };
	struct result r = { .record = &record,
			    .topology = "1n1l1c1t",
			    .kernel = "6.12.1",
			    .repeat = 1,
			    .repeats = 1,
			    .verdict = verdict,
			    .total_ns = 1300000000 };

	assert_int_equal(cell_compile(&record, &options, &r.cell), 0);
	r.findings = calloc(1, sizeof(*r.findings));
	r.finding_count = 1;
	r.findings[0] = (struct finding){ .claim = &r.cell.claims[0],
					  .window = &r.cell.windows[0],
					  .verdict = finding,
					  .unit = "ns",
					  .observed = 250000000,
					  .bound = 100000000,
					  .samples = 42 };
	buf_str(&r.findings[0].figures, "longest wait 250.0 ms (a/spin)");
	if (finding != VERDICT_PASS) {
		buf_str(&r.findings[0].evidence, "a/spin waited 250.0 ms\nCPU 0 was idle\n");
		buf_str(&r.console, "one line\n");
	}
	buf_str(&r.rerun, "ktstr run sleepy --topology 1n1l1c1t");
	return r;
}

/* What the format prints for these results. (The summary after them holds the time.) */
static void prints(const char *format, struct result *results, unsigned count, const char *expected)
{
	struct reporter r;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	reporter_init(&r, report_find(format), out, -1, false);
	reporter_begin(&r, count);
	for (unsigned i = 0; i < count; i++) {
		reporter_result(&r, &results[i]);
		result_deinit(&results[i]);
	}
	reporter_deinit(&r);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

enum { OUT_BYTES = 4096 };

/* The end of what the format prints for two runs of one scenario, one that held and one that did
 * not, and for the first run of a next one. @out has OUT_BYTES. */
static void print_repeated(const char *format, char *out)
{
	struct reporter r;
	FILE *f = fmemopen(out, OUT_BYTES, "w");
	char rest[8192];
	FILE *nowhere = fmemopen(rest, sizeof(rest), "w");

	reporter_init(&r, report_find(format), nowhere, -1, false);
	reporter_begin(&r, 3);
	for (unsigned i = 1; i <= 3; i++) {
		enum verdict v = i == 2 ? VERDICT_UNDECIDED : VERDICT_PASS;
		struct result result = made(v, v);

		result.repeat = i <= 2 ? i : 1;
		result.repeats = 2;
		r.out = i == 2 ? f : nowhere;
		reporter_result(&r, &result);
		result_deinit(&result);
	}
	r.out = f;
	reporter_end(&r);
	reporter_deinit(&r);
	fclose(nowhere);
	fclose(f);
}

TEST(repetitions_are_numbered_and_counted_by_scenario)
{
	char out[OUT_BYTES];

	print_repeated("pretty", out);
	assert_non_null(
		strstr(out, "UNDECIDED sleepy               1n1l1c1t   6.12.1  2/2  starv"));
	assert_non_null(strstr(out, "\nsleepy               1n1l1c1t   1 PASS, 1 UNDECIDED\n"
				    "2 PASS, 1 UNDECIDED in "));
	print_repeated("ktap", out);
	assert_non_null(strstr(out, "ok 2 sleepy-1n1l1c1t.2 # SKIP UNDECIDED \n"
				    "# sleepy-1n1l1c1t: 1 PASS, 1 UNDECIDED\n"));
	print_repeated("json", out);
	assert_non_null(strstr(out, "\"repeat\":2,\"repeats\":2,\"verdict\":\"UNDECIDED\""));
	assert_non_null(strstr(out, "\"scenarios\":[{\"scenario\":\"sleepy\",\"topology\":"
				    "\"1n1l1c1t\",\"PASS\":1,\"FAIL\":0,\"SKIP\":0,"
				    "\"UNDECIDED\":1,"));
}

TEST(a_pass_is_one_line)
{
	struct result r = made(VERDICT_PASS, VERDICT_PASS);

	prints("pretty", &r, 1,
	       "PASS      sleepy               1n1l1c1t   6.12.1  starvation: longest wait 250.0 "
	       "ms (a/spin)  (1.3 s)\n");
}

TEST(a_fail_says_claim_limit_observed_window_evidence_console_and_how_to_do_it_again)
{
	struct result r = made(VERDICT_FAIL, VERDICT_FAIL);

	prints("pretty", &r, 1,
	       "FAIL      sleepy               1n1l1c1t   6.12.1  starvation: longest wait 250.0 "
	       "ms (a/spin)  (1.3 s)\n"
	       "    claim      starvation gap=100ms: FAIL\n"
	       "    observed   250.000 ms, limit 100.000 ms, in window hold of 1.0 s, 42 samples\n"
	       "    evidence   a/spin waited 250.0 ms\n"
	       "               CPU 0 was idle\n"
	       "    console    one line\n"
	       "    again      ktstr run sleepy --topology 1n1l1c1t\n");
}

TEST(words_of_guest_and_scenario_do_not_reach_the_terminal_as_commands)
{
	struct result r = made(VERDICT_INFRA, VERDICT_PASS);

	buf_str(&r.reason, "a\033[2J\nb");
	buf_str(&r.console, "c\xc2\x9b"
			    "d\te\n");
	prints("pretty", &r, 1,
	       "INFRA     sleepy               1n1l1c1t   6.12.1  a\\x1b[2J\\x0ab; starvation: "
	       "longest "
	       "wait 250.0 ms (a/spin)  (1.3 s)\n"
	       "    console    c\\x9bd e\n"
	       "    again      ktstr run sleepy --topology 1n1l1c1t\n");
}

/* A hold that its condition ended is no hold of two seconds. */
TEST(a_finding_says_how_long_its_window_was)
{
	struct result r = made(VERDICT_FAIL, VERDICT_FAIL);

	r.windows = calloc(1, sizeof(*r.windows));
	assert_non_null(r.windows);
	*r.windows = (struct result_window){ .begin_ns = 7000000000, .end_ns = 7053000000 };
	prints("pretty", &r, 1,
	       "FAIL      sleepy               1n1l1c1t   6.12.1  starvation: longest wait 250.0 "
	       "ms (a/spin)  (1.3 s)\n"
	       "    claim      starvation gap=100ms: FAIL\n"
	       "    observed   250.000 ms, limit 100.000 ms, in window hold of 53 ms, 42 samples\n"
	       "    evidence   a/spin waited 250.0 ms\n"
	       "               CPU 0 was idle\n"
	       "    console    one line\n"
	       "    again      ktstr run sleepy --topology 1n1l1c1t\n");
}

TEST(ktap_knows_ok_not_ok_and_skip)
{
	struct result r[] = { made(VERDICT_PASS, VERDICT_PASS), made(VERDICT_FAIL, VERDICT_FAIL),
			      made(VERDICT_UNDECIDED, VERDICT_UNDECIDED) };

	prints("ktap", r, 3,
	       "KTAP version 1\n1..3\n"
	       "# starvation gap=100ms: PASS: longest wait 250.0 ms (a/spin)\n"
	       "ok 1 sleepy-1n1l1c1t\n"
	       "# starvation gap=100ms: FAIL: longest wait 250.0 ms (a/spin)\n"
	       "# evidence: a/spin waited 250.0 ms\n"
	       "# evidence: CPU 0 was idle\n"
	       "not ok 2 sleepy-1n1l1c1t\n"
	       "# starvation gap=100ms: UNDECIDED: longest wait 250.0 ms (a/spin)\n"
	       "# evidence: a/spin waited 250.0 ms\n"
	       "# evidence: CPU 0 was idle\n"
	       "# console: one line\n"
	       "ok 3 sleepy-1n1l1c1t # SKIP UNDECIDED \n");
}

TEST(json_is_one_object_a_line)
{
	struct result r = made(VERDICT_FAIL, VERDICT_FAIL);

	prints("json", &r, 1,
	       "{\"scenario\":\"sleepy\",\"topology\":\"1n1l1c1t\",\"kernel\":\"6.12.1\","
	       "\"repeat\":1,\"repeats\":1,\"verdict\":\"FAIL\",\"reason\":null,\"boot_ns\":0,"
	       "\"run_ns\":0,"
	       "\"total_ns\":1300000000,\"declared_ns\":1000000000,\"overhead_ns\":0,\"claims\":[{"
	       "\"claim\":"
	       "\"starvation gap=100ms\",\"check\":\"starvation\",\"verdict\":\"FAIL\",\"unit\":"
	       "\"ns\",\"observed\":250000000,\"bound\":100000000,\"samples\":42,\"window\":"
	       "\"hold\",\"window_ns\":1000000000,\"held\":false,\"figures\":\"longest wait 250.0 "
	       "ms "
	       "(a/spin)\",\"evidence\":[\"a/spin waited 250.0 ms\",\"CPU 0 was idle\"]}],"
	       "\"windows\":[],\"console\":[\"one line\"],\"rerun\":\"ktstr run sleepy --topology "
	       "1n1l1c1t\"}\n");
}

TEST(a_record_holds_each_disks_counters_and_firings)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct result r = made(VERDICT_PASS, VERDICT_PASS);
	struct json j = json_to(&r.disks);
	struct blk *disk = NULL;
	struct blk_spec spec;

	assert_int_equal(blk_spec_parse("ram:1M", &spec), 0);
	assert_int_equal(blk_new(&spec, NULL, &disk), 0);
	json_array(&j, NULL);
	guest_disk_json(disk, "ram:1M", &j);
	json_array_end(&j);
	result_json(&r, &out);
	assert_non_null(strstr(buf_text(&out), ",\"disks\":[{\"disk\":\"ram:1M\","));
	assert_non_null(strstr(buf_text(&out), "\"reads_completed\":0"));
	assert_non_null(strstr(buf_text(&out), ",\"faults_fired\":0,\"faults\":[]}],\"rerun\":"));
	blk_free(disk);
	result_deinit(&r);
}

TEST(exit_status_names_the_worst_kind)
{
	static const struct {
		enum verdict verdicts[3];
		int status;
	} cases[] = {
		{ { VERDICT_PASS, VERDICT_XFAIL, VERDICT_SKIP }, 0 },
		{ { VERDICT_PASS, VERDICT_FAIL, VERDICT_INFRA }, 1 },
		{ { VERDICT_TIMEOUT, VERDICT_BOOT, VERDICT_INFRA }, 1 },
		{ { VERDICT_PASS, VERDICT_BOOT, VERDICT_UNDECIDED }, 3 },
		{ { VERDICT_PASS, VERDICT_INFRA, VERDICT_PASS }, 3 },
		{ { VERDICT_SKIP, VERDICT_SKIP, VERDICT_SKIP }, 4 },
		{ { VERDICT_PASS, VERDICT_UNDECIDED, VERDICT_SKIP }, 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verdict_counts counts = { 0 };

		for (unsigned v = 0; v < 3; v++)
			counts.of[cases[i].verdicts[v]]++;
		assert_int_equal(verdict_exit_status(&counts), cases[i].status);
	}
}

TEST(durations_and_values_read_well)
{
	char text[48];

	assert_string_equal(report_duration(820 * NSEC_PER_MSEC, text), "820 ms");
	assert_string_equal(report_duration(1300 * NSEC_PER_MSEC, text), "1.3 s");
	assert_string_equal(report_duration(125 * NSEC_PER_SEC, text), "2 min 5 s");
	assert_string_equal(report_value(1500000, "ns", text), "1.500 ms");
	assert_string_equal(report_value(30, "permille", text), "30 permille");
}

TESTS(T(words_of_guest_and_scenario_do_not_reach_the_terminal_as_commands), T(a_pass_is_one_line),
      T(a_fail_says_claim_limit_observed_window_evidence_console_and_how_to_do_it_again),
      T(a_finding_says_how_long_its_window_was), T(ktap_knows_ok_not_ok_and_skip),
      T(json_is_one_object_a_line), T(a_record_holds_each_disks_counters_and_firings),
      T(exit_status_names_the_worst_kind), T(repetitions_are_numbered_and_counted_by_scenario),
      T(durations_and_values_read_well))
