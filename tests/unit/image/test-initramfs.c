// SPDX-License-Identifier: GPL-2.0-only
/* Archives are read back by a reader of our own, written from the format's description. */
#include "image/initramfs.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "fixture.h"
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	unsigned mode;
	size_t bytes;
	const char *name, *data;
};

/* The entry at @at; where the next one is. */
static size_t read_entry(const struct buf *b, size_t at, struct file *ret)
{
	unsigned f[13];

	assert_memory_equal(b->data + at, "070701", 6);
	for (int i = 0; i < 13; i++)
		assert_int_equal(sscanf(b->data + at + 6 + i * 8, "%8x", &f[i]), 1);
	assert_int_equal(f[5], 0); /* mtime */
	ret->mode = f[1];
	ret->bytes = f[6];
	ret->name = b->data + at + 110;
	assert_int_equal(strlen(ret->name) + 1, f[11]);
	at = align_up(at + 110 + f[11], 4);
	ret->data = b->data + at;
	return align_up(at + f[6], 4);
}

static bool find_file(const struct buf *b, const char *name, struct file *ret)
{
	size_t at = 0;

	do {
		at = read_entry(b, at, ret);
		if (!strcmp(ret->name, name))
			return true;
	} while (strcmp(ret->name, "TRAILER!!!"));
	return false;
}

static void assert_text(const struct buf *b, const char *name, unsigned mode, const char *text)
{
	struct file f;

	if (!find_file(b, name, &f))
		fail_msg("%s is not in the archive", name);
	assert_int_equal(f.mode, mode);
	assert_int_equal(f.bytes, strlen(text));
	assert_memory_equal(f.data, text, f.bytes);
}

/* All names, joined by spaces. */
static void names_of(const struct buf *b, char ret[2000])
{
	struct file f;

	ret[0] = '\0';
	for (size_t at = 0; at = read_entry(b, at, &f), strcmp(f.name, "TRAILER!!!");)
		sprintf(ret + strlen(ret), "%s%s", ret[0] ? " " : "", f.name);
}

TEST(entries_come_out_sorted_with_their_parents)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	char names[2000];

	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_data(fs, "/z/y/x", "abc", 3, 0640), 0);
	assert_int_equal(initramfs_add_data(fs, "/init", "", 0, 0755), 0);
	assert_int_equal(initramfs_add_symlink(fs, "/bin/sh", "busybox"), 0);
	assert_int_equal(initramfs_add_dir(fs, "/z", 0700), 0);
	assert_int_equal(initramfs_finish(fs, &b), 0);
	names_of(&b, names);
	assert_string_equal(names, "bin bin/sh init z z/y z/y/x");
	assert_text(&b, "z/y/x", S_IFREG | 0640, "abc");
	assert_text(&b, "bin/sh", S_IFLNK | 0777, "busybox");
	assert_text(&b, "z", S_IFDIR | 0700, "");
	assert_text(&b, "z/y", S_IFDIR | 0755, "");
	assert_int_equal(b.len % 512, 0);
	assert_true(initramfs_has(fs, "/z/y"));
	assert_false(initramfs_has(fs, "/z/w"));
}

TEST(the_same_content_in_another_order_gives_the_same_bytes)
{
	struct buf b[2] = { BUF_NULL, BUF_NULL };
	static const char *const names[] = { "/a", "/b/c", "/b", "/b-d", "/b/e" };

	for (int i = 0; i < 2; i++) {
		cleanup(initramfs_freep) struct initramfs *fs = NULL;

		assert_int_equal(initramfs_new(&fs), 0);
		for (int n = 0; n < 5; n++)
			assert_int_equal(initramfs_add_dir(fs, names[i ? 4 - n : n], 0711), 0);
		assert_int_equal(initramfs_finish(fs, &b[i]), 0);
	}
	assert_int_equal(b[0].len, b[1].len);
	assert_memory_equal(b[0].data, b[1].data, b[0].len);
	buf_deinit(&b[0]);
	buf_deinit(&b[1]);
}

TEST(one_name_is_one_thing)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;

	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_data(fs, "/a", "1", 1, 0644), 0);
	assert_int_equal(initramfs_add_data(fs, "/a", "1", 1, 0644), 0);
	assert_int_equal(initramfs_add_data(fs, "/a", "2", 1, 0644), -EEXIST);
	assert_int_equal(initramfs_add_data(fs, "/a", "1", 1, 0600), -EEXIST);
	assert_int_equal(initramfs_add_data(fs, "/a/b", "", 0, 0644), -EEXIST);
	assert_int_equal(initramfs_add_symlink(fs, "/a", "1"), -EEXIST);
}

TEST(guest_paths_must_be_absolute_and_normal)
{
	static const char *const bad[] = { "", "/", "a", "/a/", "//a", "/a/../b", "/./a" };
	cleanup(initramfs_freep) struct initramfs *fs = NULL;

	assert_int_equal(initramfs_new(&fs), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(initramfs_add_data(fs, bad[i], "", 0, 0644), -EINVAL);
}

TEST(host_files_are_read_when_the_archive_is_made)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL, again = BUF_NULL;
	cleanup(fixture_removep) char *dir = fixture_dir();
	char path[PATH_MAX];

	fixture_write("hello", 5, 0751, "%s/f", dir);
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_host_file(fs, "/x", path, 0), 0);
	assert_int_equal(initramfs_add_host_file(fs, "/y", path, 0400), 0);
	assert_int_equal(initramfs_add_host_file(fs, "/z", "/no/such", 0), -ENOENT);
	assert_int_equal(initramfs_add_host_file(fs, "/z", dir, 0), -EINVAL);
	assert_int_equal(initramfs_finish(fs, &b), 0);
	assert_text(&b, "x", S_IFREG | 0751, "hello");
	assert_text(&b, "y", S_IFREG | 0400, "hello");
	fixture_write("changed", 7, 0751, "%s/f", dir);
	assert_int_equal(initramfs_finish(fs, &again), 0);
	assert_text(&again, "x", S_IFREG | 0751, "changed");
	unlink(path);
	assert_int_equal(initramfs_finish(fs, &again), -ENOENT);
}

TEST(a_file_of_4_gib_is_refused)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(fixture_removep) char *dir = fixture_dir();
	char path[PATH_MAX];

	fixture_write("", 0, 0644, "%s/f", dir);
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(truncate(path, (off_t)4 << 30), 0);
	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_host_file(fs, "/x", path, 0), -EFBIG);
}

static void link_in(const char *dir, const char *name, const char *target)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(symlink(target, path), 0);
}

TEST(a_tree_keeps_its_own_links_and_takes_files_from_outside)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	cleanup(fixture_removep) char *dir = fixture_dir();
	char path[PATH_MAX], names[2000];

	fixture_write("in", 2, 0644, "%s/tree/sub/in", dir);
	fixture_write("out", 3, 0600, "%s/out", dir);
	fixture_write("x", 1, 0600, "%s/treetop", dir);
	link_in(dir, "tree/inner", "sub/in");
	link_in(dir, "tree/outer", "../out");
	link_in(dir, "tree/beside", "../treetop");
	link_in(dir, "tree/dangling", "nowhere");
	link_in(dir, "tree/updir", "..");
	link_in(dir, "away", "tree/sub/in");
	link_in(dir, "tree/sub/around", "../../away");
	link_in(dir, "tree/loop", "loop");
	snprintf(path, sizeof(path), "%s/tree/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/tree", dir);
	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_tree(fs, "", "/t", path), 0);
	assert_int_equal(initramfs_finish(fs, &b), 0);
	names_of(&b, names);
	assert_string_equal(
		names,
		"t t/beside t/dangling t/inner t/loop t/outer t/sub t/sub/around t/sub/in t/updir");
	assert_text(&b, "t/inner", S_IFLNK | 0777, "sub/in");
	assert_text(&b, "t/sub/around", S_IFLNK | 0777, "in");
	assert_text(&b, "t/outer", S_IFREG | 0600, "out");
	assert_text(&b, "t/beside", S_IFREG | 0600, "x");
	assert_text(&b, "t/dangling", S_IFLNK | 0777, "nowhere");
	assert_text(&b, "t/updir", S_IFLNK | 0777, "..");
	assert_text(&b, "t/sub/in", S_IFREG | 0644, "in");
}

TEST(an_included_link_to_a_program_stays_a_link)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	cleanup(fixture_removep) char *dir = fixture_dir();
	char path[PATH_MAX], name[PATH_MAX];

	fixture_write("data", 4, 0755, "%s/real/prog", dir);
	link_in(dir, "prog", "real/prog");
	snprintf(path, sizeof(path), "%s/prog", dir);
	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_include(fs, "/root", path), 0);
	assert_int_equal(initramfs_add_include(fs, "/root", path), 0);
	assert_int_equal(initramfs_add_include(fs, "/root", "/no/such"), -ENOENT);
	assert_int_equal(initramfs_finish(fs, &b), 0);
	snprintf(name, sizeof(name), "root%s/prog", dir);
	assert_text(&b, name, S_IFLNK | 0777, "real/prog");
	snprintf(name, sizeof(name), "root%s/real/prog", dir);
	assert_text(&b, name, S_IFREG | 0755, "data");
}

TEST(a_program_of_this_host_comes_with_its_closure_and_may_lie_in_a_tree)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	cleanup(fixture_removep) char *dir = fixture_dir();
	struct file f;

	fixture_write("#!/bin/sh\n", 10, 0755, "%s/s", dir);
	fixture_write("#!/no/such/interpreter\n", 23, 0755, "%s/t", dir);
	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_include(fs, "/p", "/bin/sh"), 0);
	assert_int_equal(initramfs_add_include(fs, "/p", dir), 0);
	assert_int_equal(initramfs_finish(fs, &b), 0);
	assert_true(find_file(&b, "p/bin/sh", &f));
}

/* ld.so would look below the linked directory, where the tree's own link leads it. */
TEST(a_closure_respects_the_links_of_the_tree_it_belongs_to)
{
	cleanup(initramfs_freep) struct initramfs *fs = NULL;
	cleanup(buf_deinit) struct buf b = BUF_NULL;
	cleanup(fixture_removep) char *dir = fixture_dir();
	char name[PATH_MAX], script[PATH_MAX];

	fixture_write("data", 4, 0755, "%s/lib/tool", dir);
	link_in(dir, "alias", "lib");
	snprintf(script, sizeof(script), "#!%s/alias/tool\n", dir);
	fixture_write(script, strlen(script), 0755, "%s/a-script", dir);
	assert_int_equal(initramfs_new(&fs), 0);
	assert_int_equal(initramfs_add_include(fs, "", dir), 0);
	assert_int_equal(initramfs_add_include(fs, "", dir), 0);
	assert_int_equal(initramfs_finish(fs, &b), 0);
	assert_text(&b, (snprintf(name, sizeof(name), "%s/alias", dir + 1), name), S_IFLNK | 0777,
		    "lib");
	assert_text(&b, (snprintf(name, sizeof(name), "%s/lib/tool", dir + 1), name),
		    S_IFREG | 0755, "data");
}

TESTS(T(entries_come_out_sorted_with_their_parents),
      T(the_same_content_in_another_order_gives_the_same_bytes), T(one_name_is_one_thing),
      T(guest_paths_must_be_absolute_and_normal), T(host_files_are_read_when_the_archive_is_made),
      T(a_file_of_4_gib_is_refused), T(a_tree_keeps_its_own_links_and_takes_files_from_outside),
      T(a_closure_respects_the_links_of_the_tree_it_belongs_to),
      T(an_included_link_to_a_program_stays_a_link),
      T(a_program_of_this_host_comes_with_its_closure_and_may_lie_in_a_tree))
