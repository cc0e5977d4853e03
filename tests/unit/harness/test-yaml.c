// SPDX-License-Identifier: GPL-2.0-only
#include "harness/schema.h"
#include "harness/yaml_load.h"
#include "harness/yaml_show.h"

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char whole[] =
	"scenario: all_of_it\n"
	"summary: \"every key, with: a colon\"\n"
	"needs: { cpus: 2, kernel: '6.6', memory: 256M, features: [sched_debug, psi] }\n"
	"topology: 1n2l4c1t\n"
	"memory: 512M\n"
	"disks: ['ram:64M']\n"
	"cgroups:\n"
	"  - name: a/b\n"
	"    cpuset: llc 0\n"
	"    weight: 300\n"
	"    max: 10ms/100ms\n"
	"    workers:\n"
	"      - { work: bursty burst=50ms sleep=100ms, count: 4, nice: -5, policy: batch }\n"
	"      - { work: spin, name: hog, affinity: cpu 0 }\n"
	"  - { name: c }\n"
	"duration: 4s\n"
	"workers: [{ name: few, work: spin, iterations: 12 }]\n"
	"steps:\n"
	"  - { name: one, hold: 1s }\n"
	"  - { ops: ['freeze c'] }\n"
	"  - { hold: 500ms, loop: [mark x], every: 5ms }\n"
	"  - hold: until few exit max=25%\n"
	"    cgroups:\n"
	"      - { name: own/x, weight: 7, workers: [{ work: spin }] }\n"
	"checks: [share distance=30permille, starvation gap=300ms]\n"
	"fixes: ['0123456789ab (sched: x)']\n"
	"is_fixture: true\n";

static struct scenario_file *parsed(const char *text)
{
	struct scenario_file *f = NULL;

	if (scenario_file_parse("x.yaml", text, strlen(text), &f))
		fail_msg("%s", err_text());
	return f;
}

TEST(every_kind_of_member_is_read)
{
	cleanup(scenario_file_freep) struct scenario_file *f = parsed(whole);
	const struct ktstr_record *record = scenario_file_record(f, 0);
	const struct ktstr_scenario *s = record->scenario;

	assert_int_equal(scenario_file_count(f), 1);
	assert_string_equal(record->name, "all_of_it");
	assert_int_equal(record->line, 1);
	assert_string_equal(s->summary, "every key, with: a colon");
	assert_int_equal(s->needs.cpus, 2);
	assert_string_equal(s->needs.kernel, "6.6");
	assert_string_equal(s->needs.memory, "256M");
	assert_string_equal(s->needs.features[0], "sched_debug");
	assert_string_equal(s->needs.features[1], "psi");
	assert_null(s->needs.features[2]);
	assert_string_equal(s->disks[0], "ram:64M");
	assert_null(s->disks[1]);
	assert_int_equal(s->cgroups[0].weight, 300);
	assert_int_equal(s->cgroups[0].workers[0].nice, -5);
	assert_string_equal(s->cgroups[0].workers[1].affinity, "cpu 0");
	assert_null(s->cgroups[0].workers[2].work);
	assert_null(s->cgroups[2].name);
	assert_string_equal(s->steps[1].ops[0], "freeze c");
	assert_string_equal(s->checks[1], "starvation gap=300ms");
	assert_string_equal(s->duration, "4s");
	assert_int_equal(s->workers[0].iterations, 12);
	assert_string_equal(s->steps[3].hold, "until few exit max=25%");
	assert_string_equal(s->steps[3].cgroups[0].workers[0].work, "spin");
	assert_true(s->is_fixture);
}

TEST(what_is_shown_reads_back_as_the_same)
{
	cleanup(scenario_file_freep) struct scenario_file *f = parsed(whole);
	cleanup(buf_deinit) struct buf once = BUF_NULL;
	cleanup(buf_deinit) struct buf twice = BUF_NULL;

	scenario_show_yaml(scenario_file_record(f, 0), &once);
	f = scenario_file_free(f);
	f = parsed(buf_text(&once));
	scenario_show_yaml(scenario_file_record(f, 0), &twice);
	assert_string_equal(buf_text(&once), buf_text(&twice));
	assert_non_null(strstr(buf_text(&once), "duration: 4s"));
	assert_non_null(strstr(buf_text(&once), "iterations: 12"));
	assert_non_null(strstr(buf_text(&once), "\n  memory: 256M\n  features:\n"));
	assert_non_null(strstr(buf_text(&once), "name: own/x"));
	assert_non_null(strstr(buf_text(&once), "hold: until few exit max=25%"));
	assert_non_null(strstr(buf_text(&once), "work: bursty burst=50ms sleep=100ms"));
}

/* NEL is a line's end, and so a blank, where YAML reads it as it is; C1 controls and non-characters it
 * does not read at all. */
TEST(every_text_that_is_read_is_shown_so_that_it_reads_back)
{
	static const char *const texts[] = {
		"a\\u0085b",
		"\\x80\\x9b",
		"a\\uFFFEb\\uFFFF",
		"\\u2028 \\u2029",
		"\\uFEFFx",
		"a\\e[31m\\n\\tb\\x7f",
		"caf\xc3\xa9 \xf0\x9f\x98\x80",
		"\\U0001FFFE",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cleanup(scenario_file_freep) struct scenario_file *f = NULL, *again = NULL;
		cleanup(buf_deinit) struct buf out = BUF_NULL;
		char text[256];

		snprintf(text, sizeof(text), "scenario: a\nsummary: \"%s\"\nhold: 1s\n", texts[i]);
		f = parsed(text);
		scenario_show_yaml(scenario_file_record(f, 0), &out);
		again = parsed(buf_text(&out));
		assert_string_equal(scenario_file_record(f, 0)->scenario->summary,
				    scenario_file_record(again, 0)->scenario->summary);
	}
}

TEST(a_file_may_hold_several_scenarios)
{
	cleanup(scenario_file_freep) struct scenario_file *f = parsed(
		"scenario: a\nsummary: x\nhold: 1s\n---\nscenario: b\nsummary: y\nhold: 1s\n");

	assert_int_equal(scenario_file_count(f), 2);
	assert_string_equal(scenario_file_record(f, 1)->name, "b");
	assert_int_equal(scenario_file_record(f, 1)->line, 5);
}

TEST(bad_files_are_refused_with_line_and_column)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "x.yaml: holds no scenario" },
		{ "- a\n", "x.yaml:1:1: scenario: expected a mapping, found a list" },
		{ "summary: x\n", "x.yaml:1:1: the key scenario" },
		{ "scenario: a\n", "needs the key summary" },
		{ "scenario: 1a\nsummary: x\n", "x.yaml:1:11: scenario \"1a\"" },
		{ "scenario: a\nsummary: x\ncgruops: []\n", "x.yaml:3:1: unknown key \"cgruops\"" },
		{ "scenario: a\nsummary: x\nsummary: y\n", "x.yaml:3:1: summary: given twice" },
		{ "scenario: a\nsummary: x\nhold: 5\n", "x.yaml:3:7: hold " },
		{ "scenario: a\nsummary: x\nhold: until w exit\n", "x.yaml:3:7: hold " },
		{ "scenario: a\nsummary: x\nhold: until w iterations=0 max=1s\n",
		  "x.yaml:3:7: hold iterations \"0\": expected a number from 1" },
		{ "scenario: a\nsummary: x\nhold: 101%\n", "x.yaml:3:7: hold " },
		{ "scenario: a\nsummary: x\nsteps: [{cgroups: [{cpuset: all}]}]\n",
		  "a cgroup needs the key name" },
		{ "scenario: a\nsummary: x\nhold: [1s]\n",
		  "x.yaml:3:7: hold: expected a single value" },
		{ "scenario: a\nsummary: x\nchecks: [share]\n", "x.yaml:3:10: checks " },
		{ "scenario: a\nsummary: x\nneeds: {features: [ext]}\n",
		  "x.yaml:3:20: features \"ext\": expected one of sched_ext, " },
		{ "scenario: a\nsummary: x\nneeds: {memory: lots}\n",
		  "x.yaml:3:17: memory \"lots\"" },
		{ "scenario: a\nsummary: x\ntopology: 1n2\n", "x.yaml:3:11: topology " },
		{ "scenario: a\nsummary: x\nworkers: [{work: spni}]\n", "x.yaml:3:18: work " },
		{ "scenario: a\nsummary: x\nworkers: [{count: 1}]\n",
		  "x.yaml:3:11: a workers needs" },
		{ "scenario: a\nsummary: x\nworkers: [{work: spin, nice: x}]\n",
		  "nice \"x\": not a number" },
		{ "scenario: a\nsummary: x\nworkers: [{work: spin, iterations: 010}]\n",
		  "iterations \"010\": " },
		{ "scenario: a\nsummary: x\nworkers: [{work: spin, iterations: 0x64}]\n",
		  "iterations \"0x64\": " },
		{ "scenario: a\nsummary: x\nis_fixture: yes\n", "say true or false" },
		{ "scenario: a\nsummary: [\n", "x.yaml:3:1: " },
		{ "scenario: a\nsummary: \"x\\0y\"\n", "holds a NUL" },
		{ "&a scenario: *b\n", "x.yaml:1:1: anchor &a: scenario files have none" },
		{ "scenario: a\nsummary: x\nhold: *b\n", "x.yaml:3:7: alias *b" },
		{ "scenario: a\nsummary: x\nworkers: &w [{work: spin}]\n",
		  "x.yaml:3:10: anchor &w" },
		{ "scenario: a\nsummary: !!str x\n",
		  "x.yaml:2:10: tag tag:yaml.org,2002:str: scenario files have none" },
		{ "scenario: a\nsummary: x\nneeds: !mine {cpus: 2}\n", "x.yaml:3:8: tag !mine" },
		{ "scenario: a\nsummary: x\nsteps:\n- {}\n",
		  "x.yaml:4:3: a step that says nothing" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(scenario_file_freep) struct scenario_file *f = NULL;

		assert_int_equal(
			scenario_file_parse("x.yaml", cases[i].text, strlen(cases[i].text), &f),
			-EINVAL);
		if (!strstr(err_text(), cases[i].words))
			fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err_text(),
				 cases[i].words);
	}
}

TESTS(T(every_kind_of_member_is_read), T(what_is_shown_reads_back_as_the_same),
      T(every_text_that_is_read_is_shown_so_that_it_reads_back),
      T(a_file_may_hold_several_scenarios), T(bad_files_are_refused_with_line_and_column))
