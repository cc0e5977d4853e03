// SPDX-License-Identifier: GPL-2.0-only
#include "harness/dry_run.h"
#include "harness/jobs.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct ktstr_cgroup cgroups[] = {
	{ .name = "left", .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
	{ .name = NULL },
};
static const char *const checks[] = { "share distance=50permille", NULL };
static const struct ktstr_scenario plain = {
	.summary = "s", .topology = "1n1l2c1t", .cgroups = cgroups, .hold = "1s", .checks = checks
};
static const struct ktstr_scenario large = { .summary = "s",
					     .topology = "1n1l2c1t",
					     .needs = { .cpus = 64 },
					     .cgroups = cgroups,
					     .hold = "1s",
					     .checks = checks };
static const struct ktstr_scenario new_kernel = { .summary = "s",
						  .topology = "1n1l2c1t",
						  .needs = { .kernel = "6.6" },
						  .cgroups = cgroups,
						  .hold = "1s",
						  .checks = checks };
static const struct ktstr_scenario bad = {
	.summary = "s", .cgroups = cgroups, .hold = "1s", .checks = CHECKS("isolation of=right")
};

static const struct run_options options = { .program = "ktstr", .cell = { .seed = 1 } };

static int rehearsed(const struct ktstr_scenario *s, const char *release, bool is_json,
		     struct buf *out)
{
	const struct ktstr_record record = { .name = "a", .file = "a.c", .scenario = s };
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;

	assert_int_equal(registry_from(&record, 1, &chosen), 0);
	return dry_run(&chosen, &options, release, is_json, out);
}

TEST(what_would_run_is_said_with_machine_windows_workers_and_claims)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(rehearsed(&plain, "6.12.1", false, &out), 0);
	assert_string_equal(buf_text(&out), "would run a  1n1l2c1t, 2 CPUs, 528 MiB  6.12.1\n"
					    "    workers    left/spin, 2\n"
					    "    window     hold: 1.0 s\n"
					    "    claim      share distance=50permille\n"
					    "    timeout    22.5 s\n"
					    "    again      ktstr run a --topology 1n1l2c1t\n"
					    "1 would run, 0 would be SKIP\n");
}

TEST(what_would_be_a_skip_says_why)
{
	static const struct {
		const struct ktstr_scenario *scenario;
		const char *release, *words;
	} cases[] = {
		{ &large, "6.12.1",
		  "SKIP      a  1n1l2c1t, 2 CPUs, 528 MiB  6.12.1  needs 64 CPUs" },
		{ &new_kernel, "6.1.192", "needs kernel 6.6\n0 would run, 1 would be SKIP\n" },
		{ &new_kernel, "6.12.1", "1 would run, 0 would be SKIP\n" },
		{ &new_kernel, NULL, "no kernel in the cache\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(buf_deinit) struct buf out = BUF_NULL;

		assert_int_equal(rehearsed(cases[i].scenario, cases[i].release, false, &out), 0);
		if (!strstr(buf_text(&out), cases[i].words))
			fail_msg("case %zu: %s", i, buf_text(&out));
	}
}

TEST(json_is_one_object_a_line)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(rehearsed(&plain, "6.12.1", true, &out), 0);
	assert_non_null(strstr(buf_text(&out), "\"scenario\":\"a\",\"fault\":null,"));
	assert_non_null(strstr(buf_text(&out), "\"skip\":null,\"workers\":[{\"name\":\"left/spin\","
					       "\"count\":2}],\"payloads\":[],"));
	assert_int_equal(strchr(buf_text(&out), '\n') - buf_text(&out), out.len - 1);
}

TEST(a_bad_scenario_is_refused)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	assert_int_equal(rehearsed(&bad, NULL, false, &out), -EINVAL);
	assert_non_null(strstr(err_text(), "scenario a: "));
}

/* Machines first, then what is the program's own by name, then files as they are written. */
TEST(scenarios_of_a_file_run_in_its_order)
{
	static const struct ktstr_scenario other = { .topology = "1n1l1c1t" };
	static const struct ktstr_record records[] = {
		{ "zebra", "x.yaml", &plain, 3 }, { "ant", "x.yaml", &plain, 9 },
		{ "own", "a.c", &plain, 7 },	  { "small", "x.yaml", &other, 20 },
		{ "bee", "b.yaml", &plain, 50 },
	};
	static const char *const wanted[] = { "small", "own", "bee", "zebra", "ant" };
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	struct job *jobs = NULL;
	size_t count = 0;

	assert_int_equal(registry_from(records, 5, &chosen), 0);
	assert_int_equal(jobs_list(&chosen, &options, &jobs, &count), 0);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(jobs[i].record->name, wanted[i]);
	free(jobs);
}

TESTS(T(what_would_run_is_said_with_machine_windows_workers_and_claims),
      T(what_would_be_a_skip_says_why), T(json_is_one_object_a_line), T(a_bad_scenario_is_refused),
      T(scenarios_of_a_file_run_in_its_order))
