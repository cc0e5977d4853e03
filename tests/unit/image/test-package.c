// SPDX-License-Identifier: GPL-2.0-only
#include "image/package.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "image/apt.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

TEST(versions_are_ordered_as_debian_orders_them)
{
	/* Each is older than the next. */
	static const char *const order[] = {
		"1.0~rc1-1",
		"1.0-0",
		"1.0-1",
		"1.0-1+b1",
		"1.0a-1",
		"1.0+x-1",
		"1.0.1-1",
		"1.2-1",
		"1.10-1",
		"6.1.9-1",
		"6.1.192-2",
		"6.1.192-10",
		"6.12.9-1",
		"6.12.117-1~bpo12+1",
		"6.12.117-1~deb12u1",
		"6.12.117-1",
		"6.12.117+x-1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t k = 0; k < ARRAY_SIZE(order); k++)
			if (sign(debian_version_compare(order[i], order[k])) !=
			    sign((int)i - (int)k))
				fail_msg("%s and %s", order[i], order[k]);
	assert_int_equal(debian_version_compare("1.01-1", "1.1-1"), 0);
	assert_int_equal(debian_version_compare("", ""), 0);
}

struct match_case {
	const char *name, *version, *spec;
	enum kernel_flavour flavour;
	bool matches;
};

TEST(a_version_means_whole_components_of_one_flavour)
{
	static const char cloud[] = "linux-image-6.12.117+deb12-cloud-amd64";
	static const char generic[] = "linux-image-6.12.117+deb12-amd64";
	static const char old[] = "linux-image-6.1.0-56-cloud-amd64";
	static const char rt[] = "linux-image-6.12.117+deb12-rt-amd64";
	static const struct match_case cases[] = {
		{ cloud, "6.12.117-1", NULL, KERNEL_CLOUD, true },
		{ cloud, "6.12.117-1", "6.12", KERNEL_CLOUD, true },
		{ cloud, "6.12.117-1", "6.12.117", KERNEL_CLOUD, true },
		{ cloud, "6.12.117-1", "6.12.117-1", KERNEL_CLOUD, true },
		{ cloud, "6.12.117-1", "6.12.11", KERNEL_CLOUD, false },
		{ cloud, "6.12.117-1", "6.1", KERNEL_CLOUD, false },
		{ cloud, "6.12.117-1", "6", KERNEL_CLOUD, true },
		{ cloud, "6.12.117-1", "6.12", KERNEL_GENERIC, false },
		{ cloud, "6.12.117-1", "6.12.117+deb12-cloud-amd64", KERNEL_GENERIC, true },
		{ generic, "6.12.117-1", "6.12", KERNEL_GENERIC, true },
		{ generic, "6.12.117-1", NULL, KERNEL_CLOUD, false },
		{ rt, "6.12.117-1", "6.12", KERNEL_GENERIC, false },
		{ rt, "6.12.117-1", "6.12.117+deb12-rt-amd64", KERNEL_CLOUD, true },
		{ old, "6.1.192-2", "6.1", KERNEL_CLOUD, true },
		{ old, "6.1.192-2", "6.1.192", KERNEL_CLOUD, true },
		{ old, "6.1.192-2", "6.1.0-56", KERNEL_CLOUD, true },
		{ old, "6.1.192-2", "6.1.0-5", KERNEL_CLOUD, false },
		{ old, "6.1.192-2", NULL, KERNEL_CLOUD, false },
		{ "linux-image-amd64", "6.12.117-1", "6.12", KERNEL_GENERIC, false },
		{ "linux-image-6.12-cloud-amd64", "6.12.117-1", "6.12", KERNEL_CLOUD, false },
		{ "linux-image-6.12-cloud-amd64", "6.12.117-1", "6.12-cloud-amd64", KERNEL_CLOUD,
		  false },
		{ "linux-image-6.12.117+deb12-amd64-dbg", "6.12.117-1", "6.12", KERNEL_GENERIC,
		  false },
		{ "linux-image-6.12.117+deb12-amd64-unsigned", "6.12.117-1", "6.12", KERNEL_GENERIC,
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct match_case *c = &cases[i];
		struct package p = { (char *)(uintptr_t)c->name, (char *)(uintptr_t)c->version };

		if (package_matches(&p, c->spec, c->flavour) != c->matches)
			fail_msg("%s %s as %s", c->name, c->version, c->spec);
	}
}

TEST(a_directory_name_is_taken_apart)
{
	cleanup(package_deinit) struct package p = PACKAGE_NULL;

	assert_int_equal(package_parse("linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64", &p), 0);
	assert_string_equal(p.name, "linux-image-6.1.0-56-cloud-amd64");
	assert_string_equal(p.version, "6.1.192-2");
}

TEST(names_that_are_no_kernel_or_could_leave_the_cache_are_refused)
{
	static const char *const bad[] = {
		"",
		"_",
		"x_y_amd64",
		".",
		"..",
		"linux-image-6.1.2-amd64_6.1-1",
		"linux-image-6.1.2-amd64",
		"linux-image-6.1.2-amd64__amd64",
		"linux-image-6.1.2/../x-amd64_1_amd64",
		"linux-image-6.1.2-amd64_../1_amd64",
		"linux-image-6.1.2-amd64_a b_amd64",
		"linux-image-6.1.2-amd64_1_arm64",
	};
	struct package p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (package_parse(bad[i], &p) != PACKAGE_OTHER)
			fail_msg("%s", bad[i]);
}

#define HASH "5195b288dec79e2981d6b84457f38b7ce7310a2d702930ec7d07209c7f78ce37"

static const char show[] =
	"Package: linux-image-6.12.9+deb12-cloud-amd64\nVersion: 6.12.9-1\nInstalled-Size: 10\n"
	"Description: first\n continued\nSize: 100\nSHA256: " HASH "\n\n"
	"Package: linux-image-6.12.117+deb12-cloud-amd64\nInstalled-Size: 34558\n"
	"Version: 6.12.117-1~deb12u1\nSize: 34307256\nSHA256: " HASH "\n\n"
	"Package: linux-image-6.12.118+deb12-cloud-amd64\nVersion: 6.12.118-1\nSize: 5\n\n"
	"Package: linux-image-6.12.119+deb12-amd64\nVersion: 6.12.119-1\nInstalled-Size: 7\nSize: "
	"5\n"
	"SHA256: " HASH "\n";

static bool newest(const char *text, const char *spec, enum kernel_flavour flavour,
		   struct apt_package *ret)
{
	cleanup(freep) char *copy = strdup(text);

	return apt_newest(copy, spec, flavour, ret);
}

TEST(the_newest_package_with_a_hash_is_taken_from_the_index)
{
	cleanup(apt_package_deinit) struct apt_package p = APT_PACKAGE_NULL;

	assert_true(newest(show, "6.12", KERNEL_CLOUD, &p));
	assert_string_equal(p.package.name, "linux-image-6.12.117+deb12-cloud-amd64");
	assert_string_equal(p.package.version, "6.12.117-1~deb12u1");
	assert_string_equal(p.sha256, HASH);
	assert_int_equal(p.download_bytes, 34307256);
	assert_int_equal(p.installed_bytes, 34558 * 1024);
}

TEST(the_last_stanza_counts_without_an_empty_line_behind_it)
{
	cleanup(apt_package_deinit) struct apt_package p = APT_PACKAGE_NULL;

	assert_true(newest(show, NULL, KERNEL_GENERIC, &p));
	assert_string_equal(p.package.version, "6.12.119-1");
}

TEST(an_index_without_a_match_gives_none)
{
	cleanup(apt_package_deinit) struct apt_package p = APT_PACKAGE_NULL;

	assert_false(newest(show, "6.13", KERNEL_CLOUD, &p));
	assert_false(newest("", NULL, KERNEL_CLOUD, &p));
	assert_false(newest("\n\n:\nPackage\nVersion: 1\n", NULL, KERNEL_CLOUD, &p));
}

TESTS(T(versions_are_ordered_as_debian_orders_them),
      T(a_version_means_whole_components_of_one_flavour), T(a_directory_name_is_taken_apart),
      T(names_that_are_no_kernel_or_could_leave_the_cache_are_refused),
      T(the_newest_package_with_a_hash_is_taken_from_the_index),
      T(the_last_stanza_counts_without_an_empty_line_behind_it),
      T(an_index_without_a_match_gives_none))
