// SPDX-License-Identifier: GPL-2.0-only
#include "harness/registry.h"

#include "base/cleanup.h"
#include "harness/rerun.h"
#include "harness/words.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

SCENARIO(zebra) = { .summary = "z" };
SCENARIO(ant_large) = { .summary = "a" };
SCENARIO(ant_small) = { .summary = "a" };
SCENARIO(made_to_fail) = { .summary = "f", .is_fixture = true };

static struct registry loaded(void)
{
	struct registry r;

	assert_int_equal(registry_load(&r), 0);
	return r;
}

static char *joined(const struct registry *r)
{
	static char text[256];

	text[0] = '\0';
	for (size_t i = 0; i < r->count; i++) {
		strcat(text, r->records[i]->name);
		strcat(text, " ");
	}
	return text;
}

static void select_is(const char *pattern, const char *expected)
{
	cleanup(registry_deinit) struct registry all = loaded();
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	char *patterns[] = { (char *)(uintptr_t)pattern };

	assert_int_equal(registry_select(&all, patterns, pattern ? 1 : 0, &chosen), 0);
	assert_string_equal(joined(&chosen), expected);
}

TEST(records_of_the_section_are_found_sorted_by_name)
{
	cleanup(registry_deinit) struct registry all = loaded();

	assert_string_equal(joined(&all), "ant_large ant_small made_to_fail zebra ");
	assert_non_null(strstr(all.records[0]->file, "test-registry.c"));
}

TEST(without_a_pattern_all_but_fixtures_are_chosen)
{
	select_is(NULL, "ant_large ant_small zebra ");
}

TEST(a_glob_chooses_what_it_matches)
{
	select_is("ant_*", "ant_large ant_small ");
}

TEST(a_fixture_is_chosen_by_its_name)
{
	select_is("made_to_fail", "made_to_fail ");
}

TEST(an_unknown_name_gets_the_nearest_one)
{
	cleanup(registry_deinit) struct registry all = loaded();
	struct registry chosen;
	char *patterns[] = { "zebbra" };

	assert_int_equal(registry_select(&all, patterns, 1, &chosen), -ENOENT);
	assert_string_equal(err_text(), "no scenario is named zebbra; did you mean zebra?");
}

TEST(an_unknown_name_far_from_all_gets_the_way_to_the_list)
{
	cleanup(registry_deinit) struct registry all = loaded();
	struct registry chosen;
	char *patterns[] = { "unheard_of" };

	assert_int_equal(registry_select(&all, patterns, 1, &chosen), -ENOENT);
	assert_non_null(strstr(err_text(), "`ktstr list`"));
}

TEST(two_scenarios_of_one_name_are_refused_with_both_places)
{
	static const struct ktstr_scenario none;
	static const struct ktstr_record records[] = {
		{ .name = "twin", .file = "a.c", .line = 1, .scenario = &none },
		{ .name = "twin", .file = "b.c", .line = 2, .scenario = &none },
	};
	struct registry r;

	assert_int_equal(registry_from(records, 2, &r), -EEXIST);
	assert_non_null(strstr(err_text(), "a.c:1"));
	assert_non_null(strstr(err_text(), "b.c:2"));
}

TEST(a_scenario_of_a_file_takes_the_place_of_a_record_of_its_name)
{
	static const char text[] = "scenario: zebra\nsummary: of a file\ncgroups:\n"
				   "  - { name: a, workers: [{ work: spin }] }\n"
				   "hold: 1s\nchecks: [isolation]\n";
	cleanup(registry_deinit) struct registry all = loaded();
	size_t count = all.count;
	char path[] = "/tmp/ktstr-test-XXXXXX.yaml";
	char *patterns[] = { path };
	int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_int_equal(registry_add_files(&all, patterns, 1), 0);
	unlink(path);
	assert_int_equal(all.count, count);
	assert_string_equal(registry_find(&all, "zebra")->file, path);
}

static const char three[] = "scenario: one\nsummary: x\nhold: 1s\n---\nscenario: two\nsummary: y\n"
			    "hold: 1s\n---\nscenario: two_b\nsummary: z\nhold: 1s\n";

/* What FILE:@part chooses of a file with three scenarios whose path has a blank, a quote and a colon.
 * Named twice, it is read once. */
static int choose_part(const char *part, struct registry *all, struct registry *chosen)
{
	char path[] = "/tmp/ktstr it's:a.yaml:-XXXXXX.yaml", pattern[128];
	char *patterns[] = { pattern, pattern };
	int r, fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, three, sizeof(three) - 1), sizeof(three) - 1);
	close(fd);
	snprintf(pattern, sizeof(pattern), "%s%s", path, part);
	r = registry_choose(patterns, 2, all, chosen);
	unlink(path);
	return r;
}

TEST(one_scenario_of_a_file_is_chosen_by_its_name)
{
	static const struct {
		const char *part, *chosen;
	} cases[] = {
		{ "", "one two two_b " },
		{ ":two", "two " },
		{ ":two*", "two two_b " },
		{ ":[[:alpha:]]*_b", "two_b " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
		cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;

		assert_int_equal(choose_part(cases[i].part, &all, &chosen), 0);
		assert_string_equal(joined(&chosen), cases[i].chosen);
		assert_int_equal(all.file_count, 1);
	}
}

TEST(an_unknown_scenario_of_a_file_gets_the_names_that_are_there)
{
	cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;

	assert_int_equal(choose_part(":three", &all, &chosen), -ENOENT);
	assert_non_null(strstr(err_text(), "is named three; it has one, two, two_b"));
}

static bool is_chosen_alone(const struct registry *all, char *pattern, const char *name)
{
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;

	assert_int_equal(registry_select(all, &pattern, 1, &chosen), 0);
	return chosen.count == 1 && strcmp(chosen.records[0]->name, name) == 0;
}

/* What a report says under `again`, read as a shell reads it, chooses the scenario and nothing else. */
TEST(the_line_that_runs_it_again_chooses_it_alone)
{
	static const char *const disks[] = { "ram:1M,serial=a b" };
	const struct run_options options = { .program = "ktstr",
					     .cell = { .seed = 7, .timeout_ns = 90000000000 },
					     .disks = disks,
					     .disk_count = 1,
					     .kernel = "/boot/it's mine",
					     .kernel_args = "quiet panic=1" };
	static const char *const wanted[] = { "ktstr",
					      "run",
					      NULL,
					      "--topology",
					      "1n1l1c1t",
					      "--kernel",
					      "/boot/it's mine",
					      "--timeout",
					      "90s",
					      "--disk",
					      "ram:1M,serial=a b",
					      "--append",
					      "quiet panic=1",
					      "--seed",
					      "7" };
	cleanup(registry_deinit) struct registry all = REGISTRY_NULL;
	cleanup(registry_deinit) struct registry chosen = REGISTRY_NULL;
	cleanup(buf_deinit) struct buf line = BUF_NULL;
	cleanup(words_deinit) struct words words = WORDS_NULL;

	assert_int_equal(choose_part(":two", &all, &chosen), 0);
	rerun_line(&options, chosen.records[0], "1n1l1c1t", NULL, &line);
	assert_int_equal(words_add_line(&words, buf_text(&line)), 0);
	assert_int_equal(words.count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < words.count; i++) {
		if (wanted[i])
			assert_string_equal(words.list[i], wanted[i]);
	}
	assert_true(is_chosen_alone(&all, words.list[2], "two"));
}

TEST(a_word_with_control_characters_is_quoted_without_them)
{
	cleanup(buf_deinit) struct buf line = BUF_NULL;

	words_quote(&line, "a\033[31m'\\\n");
	assert_string_equal(buf_text(&line), "$'a\\033[31m\\'\\\\\\012'");
}

TESTS(T(records_of_the_section_are_found_sorted_by_name),
      T(without_a_pattern_all_but_fixtures_are_chosen), T(a_glob_chooses_what_it_matches),
      T(a_fixture_is_chosen_by_its_name), T(an_unknown_name_gets_the_nearest_one),
      T(an_unknown_name_far_from_all_gets_the_way_to_the_list),
      T(two_scenarios_of_one_name_are_refused_with_both_places),
      T(a_scenario_of_a_file_takes_the_place_of_a_record_of_its_name),
      T(one_scenario_of_a_file_is_chosen_by_its_name),
      T(an_unknown_scenario_of_a_file_gets_the_names_that_are_there),
      T(the_line_that_runs_it_again_chooses_it_alone),
      T(a_word_with_control_characters_is_quoted_without_them))
