// SPDX-License-Identifier: GPL-2.0-only
/* Finding, fetching and listing in a cache of the test's own, with a Debian package that is built around
 * a made-up kernel. No network: packages come as files. */
#include "image/kernel.h"

#include "base/child.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "fixture.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A directory with a cache in it, which the code under test finds by the environment. */
static char *world_new(void)
{
	char *dir = fixture_dir();
	char cache[PATH_MAX];

	snprintf(cache, sizeof(cache), "%s/cache", dir);
	setenv("XDG_CACHE_HOME", cache, 1);
	return dir;
}

static void put_bzimage(const char *dir, const char *name, const char *release)
{
	cleanup(buf_deinit) struct buf image = BUF_NULL;

	fixture_bzimage(release, FIXTURE_XZ, &image);
	fixture_write(image.data, image.len, 0644, "%s/%s", dir, name);
}

/* DIR/NAME.deb with a kernel in it that calls itself @inside. */
static void put_deb(const char *dir, const char *release, const char *version, const char *inside)
{
	char control[500], tree[PATH_MAX], deb[PATH_MAX], kernel[200];
	const char *argv[] = { "dpkg-deb", "-Znone", "--build", tree, deb, NULL };

	snprintf(tree, sizeof(tree), "%s/tree-%s", dir, release);
	snprintf(deb, sizeof(deb), "%s/%s.deb", dir, release);
	snprintf(kernel, sizeof(kernel), "boot/vmlinuz-%s", release);
	snprintf(control, sizeof(control),
		 "Package: linux-image-%s\nVersion: %s\nArchitecture: amd64\nMaintainer: a <a@b>\n"
		 "Description: a kernel\nInstalled-Size: 64\n",
		 release, version);
	fixture_write(control, strlen(control), 0644, "%s/DEBIAN/control", tree);
	put_bzimage(tree, kernel, inside);
	fixture_write("", 0, 0644, "%s/lib/modules/%s/modules.order", tree, release);
	assert_int_equal(child_run(argv, NULL, NULL), 0);
}

static int fetch_deb(const char *dir, const char *release, struct kernel_image *ret)
{
	char deb[PATH_MAX];

	snprintf(deb, sizeof(deb), "%s/%s.deb", dir, release);
	return kernel_fetch(deb, KERNEL_CLOUD, 0, NULL, ret);
}

/* How many entries a directory of the cache has, not counting hidden ones; 0 if it does not exist. */
static int entries_in(const char *dir, const char *sub, const char *start)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/cache/ktstr/kernels/%s", dir, sub);
	d = opendir(path);
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.' && !strncmp(e->d_name, start, strlen(start));
	if (d)
		closedir(d);
	return n;
}

static const char cloud[] = "6.12.9+test-cloud-amd64";

TEST(an_empty_cache_says_how_to_fill_it)
{
	cleanup(fixture_removep) char *dir = world_new();
	struct kernel_images images;
	struct kernel_image k;

	assert_int_equal(kernel_find(NULL, KERNEL_CLOUD, NULL, &k), -ENOENT);
	assert_non_null(strstr(err_text(), "ktstr kernel fetch"));
	assert_int_equal(kernel_find("6.1", KERNEL_CLOUD, NULL, &k), -ENOENT);
	assert_non_null(strstr(err_text(), "ktstr kernel fetch 6.1"));
	assert_int_equal(kernel_list(&images), 0);
	kernel_images_deinit(&images);
	assert_int_equal(access(getenv("XDG_CACHE_HOME"), F_OK), -1);
	assert_int_equal(entries_in(dir, "packages", ""), 0);
}

TEST(a_fetched_package_is_found_by_every_name_it_has)
{
	static const char *const names[] = { NULL, "6.12", "6.12.9", "6.12.9-1", cloud };
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	cleanup(buf_deinit) struct buf want = BUF_NULL, have = BUF_NULL;

	put_deb(dir, cloud, "6.12.9-1", cloud);
	assert_int_equal(fetch_deb(dir, cloud, &k), 0);
	assert_string_equal(k.release, cloud);
	assert_string_equal(k.name, cloud);
	assert_non_null(strstr(k.modules_dir, "/lib/modules/6.12.9+test-cloud-amd64"));
	fixture_vmlinux(cloud, &want);
	assert_int_equal(buf_read_file(&have, k.vmlinux, 1 << 20), 0);
	assert_int_equal(have.len, want.len);
	assert_memory_equal(have.data, want.data, want.len);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup(kernel_image_deinit) struct kernel_image found = KERNEL_IMAGE_NULL;

		assert_int_equal(kernel_find(names[i], KERNEL_CLOUD, NULL, &found), 0);
		assert_string_equal(found.vmlinux, k.vmlinux);
	}
	assert_int_equal(entries_in(dir, "", "tmp"), 0);
}

TEST(the_newest_is_the_default_and_flavours_are_kept_apart)
{
	cleanup(fixture_removep) char *dir = world_new();
	static const char *const releases[] = { "6.12.9-cloud-amd64", "6.12.10-cloud-amd64",
						"6.12.11-amd64", "6.13.1-cloud-amd64" };
	cleanup(kernel_image_deinit) struct kernel_image generic = KERNEL_IMAGE_NULL;
	cleanup(kernel_image_deinit) struct kernel_image small = KERNEL_IMAGE_NULL;
	cleanup(kernel_images_deinit) struct kernel_images all = KERNEL_IMAGES_NULL;
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	struct json j = json_to(&text);

	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
		char version[50];

		snprintf(version, sizeof(version), "%.*s-1", (int)strcspn(releases[i], "-"),
			 releases[i]);
		put_deb(dir, releases[i], version, releases[i]);
		assert_int_equal(fetch_deb(dir, releases[i], &k), 0);
	}
	assert_int_equal(kernel_find(NULL, KERNEL_CLOUD, NULL, &small), 0);
	assert_string_equal(small.release, "6.12.10-cloud-amd64");
	assert_int_equal(kernel_find("6.12", KERNEL_GENERIC, NULL, &generic), 0);
	assert_string_equal(generic.release, "6.12.11-amd64");
	assert_int_equal(kernel_list(&all), 0);
	assert_true(all.count >= 4);
	assert_string_equal(all.all[0].release, "6.13.1-cloud-amd64");
	for (size_t i = 0; i < all.count; i++)
		assert_int_equal(all.all[i].is_default,
				 !strcmp(all.all[i].release, "6.12.10-cloud-amd64"));
	kernel_list_json(&all, &j);
	assert_non_null(strstr(buf_text(&text), "\"release\":\"6.13.1-cloud-amd64\""));
}

TEST(a_cached_match_answers_a_fetch_without_apt)
{
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(kernel_image_deinit) struct kernel_image first = KERNEL_IMAGE_NULL;
	cleanup(kernel_image_deinit) struct kernel_image again = KERNEL_IMAGE_NULL;
	char *path = strdup(getenv("PATH"));
	int r;

	put_deb(dir, cloud, "6.12.9-1", cloud);
	assert_int_equal(fetch_deb(dir, cloud, &first), 0);
	setenv("PATH", "/nonexistent", 1);
	r = kernel_fetch("6.12", KERNEL_CLOUD, 0, NULL, &again);
	setenv("PATH", path, 1);
	free(path);
	assert_int_equal(r, 0);
	assert_string_equal(again.vmlinux, first.vmlinux);
}

TEST(a_package_that_is_cached_is_kept_and_one_that_was_damaged_is_replaced)
{
	cleanup(fixture_removep) char *dir = world_new();
	struct stat first, second, third;

	put_deb(dir, cloud, "6.12.9-1", cloud);
	for (int i = 0; i < 3; i++) {
		cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
		struct kernel_image damaged;

		assert_int_equal(fetch_deb(dir, cloud, &k), 0);
		assert_int_equal(stat(k.bzimage, i == 0 ? &first : i == 1 ? &second : &third), 0);
		if (i != 1)
			continue;
		assert_int_equal(truncate(k.bzimage, 2000), 0);
		assert_int_equal(kernel_find(NULL, KERNEL_CLOUD, NULL, &damaged), -EBADMSG);
	}
	assert_int_equal(first.st_ino, second.st_ino);
	assert_int_equal(first.st_size, third.st_size);
}

TEST(packages_that_are_not_what_they_say_leave_nothing_behind)
{
	cleanup(fixture_removep) char *dir = world_new();
	struct kernel_image k;
	char deb[PATH_MAX];

	put_deb(dir, cloud, "6.12.9-1", "5.10.0-other");
	assert_int_equal(fetch_deb(dir, cloud, &k), -EBADMSG);
	assert_non_null(strstr(err_text(), "5.10.0-other"));
	fixture_write("!<arch>\nno", 10, 0644, "%s/cut.deb", dir);
	assert_int_equal(fetch_deb(dir, "cut", &k), -EIO);
	assert_non_null(strstr(err_text(), "dpkg-deb"));
	assert_true(fetch_deb(dir, "missing", &k) < 0);
	put_deb(dir, "6.12-cloud-amd64", "6.12.9-1", "6.12-cloud-amd64");
	assert_int_equal(fetch_deb(dir, "6.12-cloud-amd64", &k), -ENOEXEC);
	snprintf(deb, sizeof(deb), "%s/%s.deb", dir, cloud);
	put_deb(dir, cloud, "6.12.9-1", cloud);
	assert_int_equal(truncate(deb, 9000), 0);
	assert_int_equal(fetch_deb(dir, cloud, &k), -EIO);
	assert_int_equal(entries_in(dir, "packages", ""), 0);
	assert_int_equal(entries_in(dir, "", "tmp"), 0);
}

TEST(a_kernel_file_is_unpacked_once_for_each_content)
{
	cleanup(fixture_removep) char *dir = world_new();
	static const char *const files[] = { "a", "b", "a" };
	cleanup(freep) char *vmlinux = NULL;

	put_bzimage(dir, "a", "6.13.0-mine");
	put_bzimage(dir, "b", "6.13.0-mine");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		assert_int_equal(kernel_find(path, KERNEL_CLOUD, NULL, &k), 0);
		assert_string_equal(k.release, "6.13.0-mine");
		assert_null(k.modules_dir);
		if (vmlinux)
			assert_string_equal(k.vmlinux, vmlinux);
		else
			vmlinux = strdup(k.vmlinux);
	}
	assert_int_equal(entries_in(dir, "vmlinux", ""), 1);
	assert_int_equal(entries_in(dir, "seen", ""), 2);
}

TEST(a_damaged_file_in_the_cache_is_made_again)
{
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	cleanup(kernel_image_deinit) struct kernel_image again = KERNEL_IMAGE_NULL;
	struct stat before, after;
	char path[PATH_MAX];

	put_bzimage(dir, "a", "6.13.0-mine");
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(kernel_find(path, KERNEL_CLOUD, NULL, &k), 0);
	assert_int_equal(stat(k.vmlinux, &before), 0);
	assert_int_equal(truncate(k.vmlinux, 5000), 0);
	assert_int_equal(kernel_find(path, KERNEL_CLOUD, NULL, &again), 0);
	assert_int_equal(stat(again.vmlinux, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
}

TEST(an_elf_kernel_and_a_kernel_tree_are_taken_as_they_are)
{
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	cleanup(kernel_image_deinit) struct kernel_image tree = KERNEL_IMAGE_NULL;
	cleanup(buf_deinit) struct buf elf = BUF_NULL;
	struct kernel_image none;
	char path[PATH_MAX];

	assert_int_equal(kernel_find(dir, KERNEL_CLOUD, NULL, &none), -ENOENT);
	fixture_vmlinux("6.14.0-elf", &elf);
	fixture_write(elf.data, elf.len, 0644, "%s/vmlinux", dir);
	snprintf(path, sizeof(path), "%s/vmlinux", dir);
	assert_int_equal(kernel_find(path, KERNEL_CLOUD, NULL, &k), 0);
	assert_string_equal(k.vmlinux, path);
	assert_string_equal(k.release, "6.14.0-elf");
	assert_null(k.bzimage);
	put_bzimage(dir, "arch/x86/boot/bzImage", "6.14.0-elf");
	fixture_write("", 0, 0644, "%s/modules.order", dir);
	assert_int_equal(kernel_find(dir, KERNEL_CLOUD, NULL, &tree), 0);
	assert_non_null(tree.bzimage);
	assert_null(k.modules_dir);
	assert_string_equal(tree.modules_dir, dir);
}

TEST(files_that_are_no_kernel_are_refused_by_name)
{
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(buf_deinit) struct buf image = BUF_NULL;
	struct kernel_image k;
	char path[PATH_MAX];

	assert_int_equal(kernel_find("/etc/passwd", KERNEL_CLOUD, NULL, &k), -ENOEXEC);
	assert_non_null(strstr(err_text(), "/etc/passwd"));
	assert_int_equal(kernel_find("/dev/null", KERNEL_CLOUD, NULL, &k), -ENOEXEC);
	assert_int_equal(kernel_find("/bin/sh", KERNEL_CLOUD, NULL, &k), -ENOEXEC);
	assert_int_equal(kernel_find("/no/such/kernel", KERNEL_CLOUD, NULL, &k), -ENOENT);
	assert_int_equal(kernel_find("nokernel", KERNEL_CLOUD, NULL, &k), -ENOENT);
	assert_non_null(strstr(err_text(), "kernel nokernel: "));
	assert_non_null(strstr(err_text(), "`ktstr kernel list`"));
	fixture_bzimage("6.13.0-mine", FIXTURE_LZ4, &image);
	fixture_write(image.data, image.len - 100, 0644, "%s/cut", dir);
	snprintf(path, sizeof(path), "%s/cut", dir);
	assert_int_equal(kernel_find(path, KERNEL_CLOUD, NULL, &k), -EBADMSG);
	assert_non_null(strstr(err_text(), "truncated"));
	assert_int_equal(entries_in(dir, "vmlinux", ""), 0);
}

/* In a child, so that the limit ends with it: files cannot grow over 4 KiB, as on a full disk. */
static void find_with_small_files(const char *path)
{
	struct rlimit limit = { 4096, 4096 };
	struct kernel_image k;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	_exit(kernel_find(path, KERNEL_CLOUD, NULL, &k) == -EFBIG &&
			      strstr(err_text(), "cache: write")
		      ? 0
		      : 1);
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(a_write_that_fails_leaves_nothing_half_made)
{
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	char path[PATH_MAX];
	pid_t pid;

	put_bzimage(dir, "a", "6.13.0-mine");
	snprintf(path, sizeof(path), "%s/a", dir);
	pid = fork();
	if (!pid)
		find_with_small_files(path);
	assert_int_equal(status_of(pid), 0);
	assert_int_equal(entries_in(dir, "vmlinux", ""), 0);
	assert_int_equal(entries_in(dir, "seen", ""), 0);
	assert_int_equal(entries_in(dir, "", "tmp"), 0);
	assert_int_equal(kernel_find(path, KERNEL_CLOUD, NULL, &k), 0);
}

/* In a child that is not root, because root may read and write everything. */
static void find_as_nobody(const char *unreadable, const char *readable)
{
	struct kernel_image k;
	bool is_right;

	if (!geteuid() && setresuid(65534, 65534, 65534))
		_exit(2);
	is_right = kernel_find(unreadable, KERNEL_CLOUD, NULL, &k) == -EACCES &&
		   strstr(err_text(), unreadable);
	is_right = is_right && kernel_find(readable, KERNEL_CLOUD, NULL, &k) == -EACCES &&
		   strstr(err_text(), "cache: ");
	_exit(is_right ? 0 : 1);
}

TEST(a_kernel_or_a_cache_without_permission_is_named)
{
	cleanup(fixture_removep) char *dir = world_new();
	char secret[PATH_MAX], open_to_all[PATH_MAX];
	pid_t pid;

	put_bzimage(dir, "secret", "6.13.0-mine");
	put_bzimage(dir, "open", "6.13.0-mine");
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	snprintf(open_to_all, sizeof(open_to_all), "%s/open", dir);
	assert_int_equal(chmod(secret, 0), 0);
	assert_int_equal(chmod(dir, 0555), 0);
	pid = fork();
	if (!pid)
		find_as_nobody(secret, open_to_all);
	assert_int_equal(status_of(pid), 0);
	assert_int_equal(chmod(dir, 0755), 0);
}

TEST(the_kernel_of_the_host_is_found_or_said_to_be_missing)
{
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	int r = kernel_find("host", KERNEL_CLOUD, NULL, &k);

	if (r)
		assert_non_null(strstr(err_text(), "ktstr kernel fetch"));
	else
		assert_string_equal(k.name, "host");
	assert_int_equal(entries_in(dir, "", "tmp"), 0);
}

TEST(processes_that_unpack_at_the_same_time_all_get_it)
{
	enum { PROCESSES = 6 };
	cleanup(fixture_removep) char *dir = world_new();
	pid_t pids[PROCESSES];
	char path[PATH_MAX];

	put_bzimage(dir, "a", "6.13.0-mine");
	snprintf(path, sizeof(path), "%s/a", dir);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			struct kernel_image k;

			_exit(kernel_find(path, KERNEL_CLOUD, NULL, &k) ? 1 : 0);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(status_of(pids[i]), 0);
	assert_int_equal(entries_in(dir, "vmlinux", ""), 1);
	assert_int_equal(entries_in(dir, "", "tmp"), 0);
}

TEST(what_a_killed_run_left_is_removed_by_the_next)
{
	cleanup(fixture_removep) char *dir = world_new();
	cleanup(kernel_image_deinit) struct kernel_image k = KERNEL_IMAGE_NULL;
	char path[PATH_MAX];

	fixture_write("x", 1, 0644, "%s/cache/ktstr/kernels/tmp.abc/tree/boot/vmlinuz", dir);
	put_bzimage(dir, "a", "6.13.0-mine");
	snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(kernel_find(path, KERNEL_CLOUD, NULL, &k), 0);
	assert_int_equal(entries_in(dir, "", "tmp"), 0);
}

TESTS(T(an_empty_cache_says_how_to_fill_it), T(a_fetched_package_is_found_by_every_name_it_has),
      T(the_newest_is_the_default_and_flavours_are_kept_apart),
      T(a_cached_match_answers_a_fetch_without_apt),
      T(a_package_that_is_cached_is_kept_and_one_that_was_damaged_is_replaced),
      T(packages_that_are_not_what_they_say_leave_nothing_behind),
      T(a_kernel_file_is_unpacked_once_for_each_content),
      T(a_damaged_file_in_the_cache_is_made_again),
      T(an_elf_kernel_and_a_kernel_tree_are_taken_as_they_are),
      T(files_that_are_no_kernel_are_refused_by_name),
      T(a_write_that_fails_leaves_nothing_half_made),
      T(a_kernel_or_a_cache_without_permission_is_named),
      T(the_kernel_of_the_host_is_found_or_said_to_be_missing),
      T(processes_that_unpack_at_the_same_time_all_get_it),
      T(what_a_killed_run_left_is_removed_by_the_next))
