// SPDX-License-Identifier: GPL-2.0-only
#include "harness/registry.h"

#include "base/cleanup.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <errno.h>
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

TESTS(T(records_of_the_section_are_found_sorted_by_name),
      T(without_a_pattern_all_but_fixtures_are_chosen), T(a_glob_chooses_what_it_matches),
      T(a_fixture_is_chosen_by_its_name), T(an_unknown_name_gets_the_nearest_one),
      T(an_unknown_name_far_from_all_gets_the_way_to_the_list),
      T(two_scenarios_of_one_name_are_refused_with_both_places),
      T(a_scenario_of_a_file_takes_the_place_of_a_record_of_its_name))
