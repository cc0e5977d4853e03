// SPDX-License-Identifier: GPL-2.0-only
#include "wire/feature.h"

#include "test.h"

#include <string.h>

TEST(every_feature_has_a_name_of_its_own_a_path_and_words)
{
	for (unsigned id = 0; id < FEATURE_COUNT; id++) {
		const struct feature *f = feature_at(id);

		assert_non_null(f->name);
		assert_int_equal(feature_by_name(f->name), id);
		assert_int_equal(f->path[0], '/');
		assert_true(strlen(f->help) > 0);
	}
}

TEST(a_name_that_is_none_has_no_id)
{
	assert_int_equal(feature_by_name("sched"), FEATURE_COUNT);
	assert_int_equal(feature_by_name(""), FEATURE_COUNT);
}

TEST(all_names_fit_where_messages_put_them)
{
	char text[FEATURE_NAMES_BYTES], few[12];

	feature_names(text, sizeof(text));
	assert_int_equal(strncmp(text, "sched_ext, autogroup, ", 22), 0);
	assert_non_null(strstr(text, feature_at(FEATURE_COUNT - 1)->name));
	assert_string_equal(feature_names(few, sizeof(few)), "sched_ext, ");
}

TESTS(T(every_feature_has_a_name_of_its_own_a_path_and_words), T(a_name_that_is_none_has_no_id),
      T(all_names_fit_where_messages_put_them))
