// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rtapp.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/cell.h"
#include "harness/yaml_load.h"

#include "test.h"

#include <errno.h>
#include <string.h>

#define GLOBAL "\"global\": {\"duration\": 2, \"calibration\": \"CPU0\", \"logdir\": \"./\"}"
#define TASK(events_) "{" GLOBAL ", \"tasks\": {\"t\": {" events_ "}}}"

static struct scenario_file *load(const char *text)
{
	cleanup(buf_deinit) struct buf yaml = BUF_NULL;
	struct scenario_file *file = NULL;

	assert_int_equal(rtapp_convert("/a/mp3-short.json", text, strlen(text), &yaml), 0);
	assert_int_equal(scenario_file_parse("mp3", buf_text(&yaml), yaml.len, &file), 0);
	assert_int_equal(scenario_file_count(file), 1);
	return file;
}

static const struct {
	const char *events;
	const char *phases;
} programs[] = {
	{ "\"run\": 10, \"sleep\": 20", "run:10us,sleep:20us" },
	{ "\"run0\": 10, \"sleep_a\": 0, \"run1\": 5", "run:10us,run:5us" },
	{ "\"run\": 1, \"timer\": {\"ref\": \"unique\", \"period\": 16000}",
	  "run:1us,timer:16000us" },
	{ "\"run\": 1, \"timer0\": {\"ref\": \"tick\", \"period\": 5, \"mode\": \"absolute\"}",
	  "run:1us,timer:5us" },
	{ "\"yield\": \"\", \"run\": 1", "yield:1,run:1us" },
	{ "\"loop\": 1, \"run\": 1", "run:1us,sleep:1000000s" },
	{ "\"loop\": 3, \"run\": 1", "run:1us,loop:0x2,sleep:1000000s" },
	{ "\"delay\": 7, \"run\": 1", "sleep:7us,run:1us,loop:1x4294967295" },
	{ "\"phases\": {\"a\": {\"loop\": 2, \"run\": 1, \"sleep\": 2}, \"b\": {\"sleep\": 3}}",
	  "run:1us,sleep:2us,loop:0x1,sleep:3us" },
	{ "\"loop\": 4, \"phases\": {\"a\": {\"run\": 9}, \"b\": {\"loop\": 5, \"run\": 1}}",
	  "run:9us,run:1us,loop:1x4,loop:0x3,sleep:1000000s" },
};

TEST(events_and_loops_become_a_sequence)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		char text[1024], work[256];
		struct scenario_file *f;

		snprintf(text, sizeof(text), "{" GLOBAL ", \"tasks\": {\"t\": {%s}}}",
			 programs[i].events);
		snprintf(work, sizeof(work), "sequence phases=%s", programs[i].phases);
		f = load(text);
		assert_string_equal(scenario_file_record(f, 0)->scenario->workers[0].work, work);
		scenario_file_free(f);
	}
}

static const char whole[] =
	"/* A comment, with \"quotes\" and {brackets}\n * of two lines */\n"
	"{ // another\n"
	"\"tasks\": {\n"
	" \"fair\": {\"instance\": 3, \"priority\": -5, \"cpus\": [0, 3], \"run\": 100},\n"
	" \"rr\": {\"policy\": \"SCHED_RR\", \"run\": 1, \"sleep\": 9},\n"
	" \"fifo\": {\"policy\": \"SCHED_FIFO\", \"priority\": 42, \"run\": 1, \"sleep\": 9},\n"
	" \"dl\": {\"policy\": \"SCHED_DEADLINE\", \"dl-runtime\": 2000, \"dl-period\": 9000, "
	"\"run\": 1},\n"
	" \"low\": {\"policy\": \"SCHED_IDLE\", \"run\": 1},\n"
	" \"nice\": {\"nice\": 7, \"run\": 1}\n"
	"},\n" GLOBAL "}\n";

TEST(tasks_become_entries_of_workers_on_a_machine_that_has_their_cpus)
{
	struct scenario_file *f = load(whole);
	const struct ktstr_record *record = scenario_file_record(f, 0);
	const struct ktstr_scenario *s = record->scenario;
	const struct cell_options options = { .seed = 1 };
	struct cell cell;

	assert_string_equal(record->name, "mp3_short");
	assert_string_equal(s->topology, "1n1l4c1t");
	assert_string_equal(s->hold, "2s");
	assert_string_equal(s->checks[0], "isolation");
	assert_null(s->checks[1]);
	assert_string_equal(s->workers[0].name, "fair");
	assert_string_equal(s->workers[0].count, "3");
	assert_int_equal(s->workers[0].nice, -5);
	assert_string_equal(s->workers[0].affinity, "cpu 0,3");
	assert_null(s->workers[0].policy);
	assert_string_equal(s->workers[1].policy, "rr 10");
	assert_string_equal(s->workers[2].policy, "fifo 42");
	assert_string_equal(s->workers[3].policy, "deadline 2000us/9000us/9000us");
	assert_string_equal(s->workers[4].policy, "idle");
	assert_int_equal(s->workers[5].nice, 7);
	assert_int_equal(cell_compile(record, &options, &cell), 0);
	cell_deinit(&cell);
	scenario_file_free(f);
}

TEST(a_wait_that_the_file_is_long_enough_for_is_claimed)
{
	struct scenario_file *f =
		load("{\"global\": {\"duration\": 4}, \"tasks\": {\"t\": {\"run\": 1}}}");

	assert_string_equal(scenario_file_record(f, 0)->scenario->checks[1], "starvation gap=3s");
	scenario_file_free(f);
}

TEST(an_object_that_rt_app_does_not_look_at_says_what_is_claimed)
{
	struct scenario_file *f =
		load("{\"ktstr\": {\"checks\": [\"deadline_misses max=0\"], \"topology\": "
		     "\"1n1l1c1t\"}, " GLOBAL ", \"tasks\": {\"t\": {\"run\": 1}}}");
	const struct ktstr_scenario *s = scenario_file_record(f, 0)->scenario;

	assert_string_equal(s->topology, "1n1l1c1t");
	assert_string_equal(s->checks[0], "deadline_misses max=0");
	assert_null(s->checks[1]);
	scenario_file_free(f);
}

static const struct {
	const char *text;
	const char *words;
} refused[] = {
	{ "{\n \"tasks\": x}", "f.json:2:11: invalid token near 'x'" },
	{ TASK("\"run\": 1, \"run\": 2"), "f.json:1:98: duplicate object key near '\"run\"'" },
	{ "[]", "f.json: expected an object with tasks" },
	{ "{\"task\": {}}", "f.json: task: not taken" },
	{ "{\"summary\": \"s\", \"scenario\": \"a\"}",
	  "f.json: scenario: a .json file is one of rt-app; a scenario in JSON has to be named "
	  ".yaml" },
	{ "{\"tasks\": {\"t\": {\"run\": 1}}}",
	  "f.json: global.duration: a scenario needs an end: say how many seconds it lasts" },
	{ "{" GLOBAL "}", "f.json: tasks: expected an object of tasks" },
	{ "{\"global\": {\"duration\": 1, \"frag\": 1}}", "f.json: global.frag: not taken" },
	{ "{" GLOBAL ", \"tasks\": {\"t 0\": {}}}",
	  "f.json: tasks.t 0: a name has letters, digits, _ - ." },
	{ TASK("\"lock\": \"m\""),
	  "f.json: tasks.t.lock: not taken; the events that are taken are run, sleep, timer and "
	  "yield" },
	{ TASK("\"phases\": {\"p\": {\"mem\": 1}}"),
	  "f.json: tasks.t.phases.p.mem: not taken; the events that are taken are run, sleep, "
	  "timer and yield" },
	{ TASK("\"runtime0\": 5"),
	  "f.json: tasks.t.runtime0: runtime is elapsed time; run is taken, as CPU time" },
	{ TASK("\"phases\": {\"p\": {\"cpus\": [1], \"run\": 1}}"),
	  "f.json: tasks.t.phases.p.cpus: it is taken in tasks, not in their phases" },
	{ TASK("\"phases\": {\"p\": {\"run\": 1}}, \"run\": 1"),
	  "f.json: tasks.t.run: not taken beside phases" },
	{ TASK("\"run\": \"10\""), "f.json: tasks.t.run: expected a number of us" },
	{ TASK("\"run\": -1"), "f.json: tasks.t.run: expected a number of us" },
	{ TASK("\"sleep\": 0"), "f.json: tasks.t: it does nothing" },
	{ TASK("\"loop\": 0, \"run\": 1"),
	  "f.json: tasks.t.loop: 0: expected -1, for ever, or a number of times" },
	{ TASK("\"instance\": 0, \"run\": 1"),
	  "f.json: tasks.t.instance: 0: only fork would start it, which is not taken" },
	{ TASK("\"cpus\": [], \"run\": 1"),
	  "f.json: tasks.t.cpus: expected a list of CPU numbers" },
	{ TASK("\"cpus\": [1, \"x\"], \"run\": 1"),
	  "f.json: tasks.t.cpus: entry 1: expected a number from 0 to 511" },
	{ TASK("\"policy\": \"SCHED_EXT\", \"run\": 1"),
	  "f.json: tasks.t.policy: SCHED_EXT: expected SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, "
	  "SCHED_FIFO, SCHED_RR or SCHED_DEADLINE" },
	{ TASK("\"priority\": 20, \"run\": 1"),
	  "f.json: tasks.t.priority: expected a whole number from -20 to 19" },
	{ TASK("\"policy\": \"SCHED_DEADLINE\", \"dl-runtime\": 1, \"run\": 1"),
	  "f.json: tasks.t.dl-runtime: expected a whole number from 2 to 1000000000" },
	{ TASK("\"policy\": \"SCHED_DEADLINE\", \"dl-runtime\": 9, \"dl-period\": 8, \"run\": 1"),
	  "f.json: tasks.t.dl-runtime: it must be dl-runtime <= dl-deadline <= dl-period" },
	{ TASK("\"policy\": \"SCHED_DEADLINE\", \"run\": 1"),
	  "f.json: tasks.t.dl-runtime: SCHED_DEADLINE needs it, in us" },
	{ TASK("\"dl-runtime\": 20, \"run\": 1"),
	  "f.json: tasks.t.dl-runtime: only SCHED_DEADLINE has it" },
	{ TASK("\"timer\": {\"ref\": \"unique\"}"), "f.json: tasks.t.timer.period: it is missing" },
	{ TASK("\"timer\": 5"), "f.json: tasks.t.timer: expected {\"ref\": ..., \"period\": ...}" },
	{ TASK("\"timer\": {\"ref\": \"unique\", \"period\": 5, \"slack\": 1}"),
	  "f.json: tasks.t.timer.slack: a timer has ref, period and mode" },
	{ "{" GLOBAL ", \"tasks\": {\"a\": {\"timer\": {\"ref\": \"x\", \"period\": 5}}, \"b\": "
	  "{\"timer\": {\"ref\": \"x\", \"period\": 5}}}}",
	  "f.json: tasks.b.timer.ref: x is a timer of task a, too; call it unique, and each "
	  "instance has its own" },
	{ "{" GLOBAL ", \"tasks\": {\"a\": {\"run\": 1}}, \"ktstr\": {\"hold\": \"1s\"}}",
	  "f.json: ktstr.hold: expected summary, topology or checks" },
};

TEST(everything_else_is_refused_by_its_path)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		cleanup(buf_deinit) struct buf yaml = BUF_NULL;
		const char *text = refused[i].text;

		assert_int_equal(rtapp_convert("f.json", text, strlen(text), &yaml), -EINVAL);
		assert_string_equal(err_text(), refused[i].words);
	}
}

TEST(a_program_that_is_too_long_is_refused)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL, yaml = BUF_NULL;

	buf_str(&text, "{" GLOBAL ", \"tasks\": {\"t\": {");
	for (int i = 0; i < 65; i++)
		buf_printf(&text, "%s\"run%d\": 1", i ? "," : "", i);
	buf_str(&text, "}}}");
	assert_int_equal(rtapp_convert("f.json", buf_text(&text), text.len, &yaml), -EINVAL);
	assert_string_equal(err_text(), "f.json: tasks.t.run64: more than 64 events and loops");
}

TESTS(T(events_and_loops_become_a_sequence),
      T(tasks_become_entries_of_workers_on_a_machine_that_has_their_cpus),
      T(a_wait_that_the_file_is_long_enough_for_is_claimed),
      T(an_object_that_rt_app_does_not_look_at_says_what_is_claimed),
      T(everything_else_is_refused_by_its_path), T(a_program_that_is_too_long_is_refused))
