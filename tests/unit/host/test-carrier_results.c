// SPDX-License-Identifier: GPL-2.0-only
#include "host/carrier_results.h"

#include "base/path.h"
#include "base/util.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void remove_tree(const char *dir)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	assert_int_equal(system(command), 0);
}

static void write_file(const char *dir, const char *name, const char *text, size_t length)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(make_parents(path), 0);
	cleanup(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write_all(fd, text, length), 0);
}

static int hand_over(void *ctx, enum carrier_frame_type type, const void *payload, size_t length)
{
	struct carrier_frame f = { type, payload, (uint32_t)length };

	return carrier_results_take(ctx, &f);
}

TEST(a_tree_arrives_as_it_was)
{
	char from[] = "/tmp/ktstr-test-XXXXXX", to[] = "/tmp/ktstr-test-XXXXXX", command[128];
	cleanup(carrier_results_deinit) struct carrier_results r = CARRIER_RESULTS_NULL;
	cleanup(buf_deinit) struct buf big = BUF_NULL;

	assert_true(mkdtemp(from) && mkdtemp(to));
	memset(buf_zeros(&big, 3 * CARRIER_CHUNK_BYTES + 5), 'b', 3 * CARRIER_CHUNK_BYTES + 5);
	write_file(from, "a", "", 0);
	write_file(from, "deep/er/b", "bytes", 5);
	write_file(from, "big", big.data, big.len);
	assert_int_equal(carrier_results_open(&r, to), 0);
	assert_int_equal(carrier_results_send(from, hand_over, &r), 0);
	assert_int_equal(r.file_count, 3);
	snprintf(command, sizeof(command), "diff -r %s %s", from, to);
	assert_int_equal(system(command), 0);
	remove_tree(from);
	remove_tree(to);
}

static int take_path(struct carrier_results *r, const char *path)
{
	char payload[64] = { 0 };
	size_t length = strlen(path);

	memcpy(payload + 4, path, length);
	return hand_over(r, CARRIER_FILE, payload, length + 5);
}

TEST(paths_that_lead_elsewhere_are_refused)
{
	static const char *const paths[] = { "/etc/x", "../x", "a/../../x", "a/..", ".",
					     "",       "a//x", "a/",	    "./x" };
	char to[] = "/tmp/ktstr-test-XXXXXX";
	cleanup(carrier_results_deinit) struct carrier_results r = CARRIER_RESULTS_NULL;

	assert_non_null(mkdtemp(to));
	assert_int_equal(carrier_results_open(&r, to), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_int_equal(take_path(&r, paths[i]), -EPROTO);
	assert_int_equal(r.file_count, 0);
	remove_tree(to);
}

TEST(links_outside_are_not_followed)
{
	char to[] = "/tmp/ktstr-test-XXXXXX", link_path[64];
	cleanup(carrier_results_deinit) struct carrier_results r = CARRIER_RESULTS_NULL;

	assert_non_null(mkdtemp(to));
	snprintf(link_path, sizeof(link_path), "%s/out", to);
	assert_int_equal(symlink("/tmp", link_path), 0);
	assert_int_equal(carrier_results_open(&r, to), 0);
	assert_true(take_path(&r, "out/x") < 0);
	assert_int_equal(take_path(&r, "out"), -ELOOP);
	remove_tree(to);
}

TEST(bytes_without_a_file_and_files_without_an_end_are_refused)
{
	char to[] = "/tmp/ktstr-test-XXXXXX";
	cleanup(carrier_results_deinit) struct carrier_results r = CARRIER_RESULTS_NULL;

	assert_non_null(mkdtemp(to));
	assert_int_equal(carrier_results_open(&r, to), 0);
	assert_int_equal(hand_over(&r, CARRIER_FILE_DATA, "x", 1), -EPROTO);
	assert_int_equal(hand_over(&r, CARRIER_FILE, "\0\0\0\0name", 8), -EPROTO);
	assert_int_equal(hand_over(&r, CARRIER_FILE, "\0\0", 2), -EPROTO);
	remove_tree(to);
}

TEST(a_missing_results_directory_is_named)
{
	struct carrier_results r = CARRIER_RESULTS_NULL;

	assert_int_equal(carrier_results_open(&r, "/no/such/dir"), -ENOENT);
	assert_non_null(strstr(err_text(), "/no/such/dir"));
}

TESTS(T(a_tree_arrives_as_it_was), T(paths_that_lead_elsewhere_are_refused),
      T(links_outside_are_not_followed),
      T(bytes_without_a_file_and_files_without_an_end_are_refused),
      T(a_missing_results_directory_is_named))
