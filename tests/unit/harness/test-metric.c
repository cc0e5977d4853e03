// SPDX-License-Identifier: GPL-2.0-only
#include "harness/metric.h"

#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JOBS "{\"jobs\": [{\"read\": {\"iops\": 12.5}}, {\"read\": {\"iops\": 7}}], \"a.b\": \"3\"}"
#define STRESS                                                                                     \
	"noise\n---\nmetrics:\n    - stressor: cpu\n      bogo-ops: 200\n      rate: 1288.4\n"     \
	"    - stressor: vm\n      bogo-ops: 11\n...\n"

static int read_text(const struct ktstr_metric *m, const char *text, double *ret)
{
	static const struct ktstr_payload payload = { .name = "p" };
	const struct metric_text texts[METRIC_STREAMS] = { { .data = text, .len = strlen(text) },
							   { .data = "" },
							   { .data = "" } };

	assert_int_equal(metric_check(&payload, m), 0);
	return metric_read(&payload, m, texts, ret);
}

static const struct {
	struct ktstr_metric metric;
	const char *text;
	double value;
} values[] = {
	{ { .name = "m", .json = "jobs.0.read.iops" }, JOBS, 12.5 },
	{ { .name = "m", .json = "jobs.*.read.iops", .take = "sum" }, JOBS, 19.5 },
	{ { .name = "m", .json = "jobs.*.read.iops", .take = "min" }, JOBS, 7 },
	{ { .name = "m", .json = "\"a.b\"" }, JOBS, 3 },
	{ { .name = "m", .json = "jobs.1.read.iops" }, "fio: note\n" JOBS "\nbye", 7 },
	{ { .name = "m", .json = "0" }, "[-1.5e3]", -1500 },
	{ { .name = "m", .json = "0" }, "{\"0\": 4}", 4 },
	{ { .name = "m", .yaml = "metrics.0.rate" }, STRESS, 1288.4 },
	{ { .name = "m", .yaml = "metrics.*.bogo-ops", .take = "max" }, STRESS, 200 },
	{ { .name = "m", .yaml = "metrics.*.bogo-ops", .take = "mean" }, STRESS, 105.5 },
	{ { .name = "m", .yaml = "a" }, "a: 5", 5 },
	{ { .name = "m", .pattern = "^Time: ([0-9.]+)" }, "x\nTime: 0.004\n", 0.004 },
	{ { .name = "m", .pattern = "Max: *([0-9]+)", .take = "max" },
	  "Max: 3\nMax:  9\nMax: 4",
	  9 },
	{ { .name = "m", .pattern = "Max: *([0-9]+)", .take = "last" },
	  "Max: 3\nMax:  9\nMax: 4",
	  4 },
	{ { .name = "m", .pattern = "Max: *([0-9]+)", .take = "first" }, "Max: 3\nMax:  9", 3 },
};

TEST(values_are_found_where_the_metric_says)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		double value = -1;

		assert_int_equal(read_text(&values[i].metric, values[i].text, &value), 0);
		assert_true(value == values[i].value);
	}
}

static const struct {
	struct ktstr_metric metric;
	const char *text;
	const char *words;
} absent[] = {
	{ { .name = "m", .json = "a" }, "", "stdout: there is no JSON in its 0 bytes" },
	{ { .name = "m", .json = "a" }, "hello\n", "stdout: there is no JSON in its 6 bytes" },
	{ { .name = "m", .json = "a" }, "{\"b\": 1}", "stdout: there is no such value" },
	{ { .name = "m", .json = "a" }, "{\"a\": {}}", "stdout: the value there is no number" },
	{ { .name = "m", .json = "a" }, "{\"a\": \"nan\"}", "stdout: \"nan\" is no number" },
	{ { .name = "m", .json = "a" }, "{\"a\": \"0x10\"}", "stdout: \"0x10\" is no number" },
	{ { .name = "m", .json = "*" },
	  "[1, 2]",
	  "stdout: there are 2 values; say which one with take" },
	{ { .name = "m", .json = "*", .take = "sum" },
	  "[1e308, 1e308]",
	  "stdout: the sum of the values is no number" },
	{ { .name = "m", .yaml = "a" }, "", "stdout: there is no YAML in its 0 bytes" },
	{ { .name = "m", .yaml = "a.b" }, "a: 1", "stdout: there is no such value" },
	{ { .name = "m", .yaml = "a" }, "a: [1]", "stdout: the value there is no number" },
	{ { .name = "m", .pattern = "n=(.*)" }, "m=1\n", "stdout: there is no such value" },
	{ { .name = "m", .pattern = "n=(.*)" }, "n=x\n", "stdout: \"x\" is no number" },
};

TEST(what_is_not_there_is_said_in_words)
{
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
		double value;

		assert_int_equal(read_text(&absent[i].metric, absent[i].text, &value), -ENODATA);
		assert_string_equal(err_text(), absent[i].words);
	}
}

TEST(a_text_that_was_cut_is_said_to_be)
{
	static const struct ktstr_payload payload = { .name = "p" };
	static const struct ktstr_metric m = { .name = "m", .json = "a" };
	const struct metric_text texts[METRIC_STREAMS] = {
		{ .data = "{", .len = 1, .is_cut = true }, { .data = "" }, { .data = "" }
	};
	double value;

	assert_int_equal(metric_read(&payload, &m, texts, &value), -ENODATA);
	assert_non_null(strstr(err_text(), "it was cut at 1 bytes, and no JSON: line 1: "));
}

/* Lists of the same list, six deep: ten values, a million walks. */
TEST(an_alias_bomb_is_given_up)
{
	static const char bomb[] = "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
				   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
				   "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
				   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
				   "f: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
	static const struct ktstr_metric m = { .name = "m",
					       .yaml = "f.*.*.*.*.*.*",
					       .take = "sum" };
	double value;

	assert_int_equal(read_text(&m, bomb, &value), -ENODATA);
	assert_non_null(strstr(err_text(), "more than "));
}

static const struct {
	struct ktstr_metric metric;
	const char *words;
} bad[] = {
	{ { .name = "a b", .json = "a" }, "name \"a b\": it has letters, digits, _ - ." },
	{ { .name = "m" }, "expected one of json, yaml and pattern" },
	{ { .name = "m", .json = "a", .yaml = "a" }, "expected one of json, yaml and pattern" },
	{ { .name = "m", .json = "a..b" }, "json \"a..b\": expected keys between dots, at \".b\"" },
	{ { .name = "m", .json = "" }, "json \"\": expected keys between dots, at \"\"" },
	{ { .name = "m", .yaml = "a." }, "yaml \"a.\": expected keys between dots, at \"a.\"" },
	{ { .name = "m", .yaml = "\"a" }, "yaml \"\"a\": expected keys between dots, at \"\"a\"" },
	{ { .name = "m", .pattern = "(a" }, "pattern \"(a\": Unmatched ( or \\(" },
	{ { .name = "m", .pattern = "a" }, "pattern \"a\": it needs one group, around the number" },
	{ { .name = "m", .pattern = "(a)\\1" },
	  "pattern \"(a)\\1\": back-references are not taken" },
	{ { .name = "m", .json = "a", .source = "file" }, "source \"file\": the payload has none" },
	{ { .name = "m", .json = "a", .source = "out" },
	  "source \"out\": expected stdout, stderr or file" },
	{ { .name = "m", .json = "a", .take = "best" },
	  "take \"best\": expected first, last, min, max, sum or mean" },
};

TEST(bad_metrics_are_refused_before_anything_boots)
{
	static const struct ktstr_payload payload = { .name = "p" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(metric_check(&payload, &bad[i].metric), -EINVAL);
		assert_string_equal(err_text(), bad[i].words);
	}
}

TESTS(T(values_are_found_where_the_metric_says), T(what_is_not_there_is_said_in_words),
      T(a_text_that_was_cut_is_said_to_be), T(an_alias_bomb_is_given_up),
      T(bad_metrics_are_refused_before_anything_boots))
