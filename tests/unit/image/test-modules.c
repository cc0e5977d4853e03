// SPDX-License-Identifier: GPL-2.0-only
/* Modules are ELF files with nothing but a .modinfo section, compressed or not. */
#include "image/modules.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "fixture.h"
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* @info: strings with a NUL each. */
static void make_module(const char *info, size_t len, struct buf *ret)
{
	static const char names[] = "\0.shstrtab\0.modinfo";
	Elf64_Ehdr h = { .e_type = ET_REL,
			 .e_machine = EM_X86_64,
			 .e_shoff = sizeof(h),
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = 3,
			 .e_shstrndx = 1 };
	Elf64_Shdr s[3] = { { 0 },
			    { .sh_name = 1, .sh_type = SHT_STRTAB, .sh_size = sizeof(names) },
			    { .sh_name = 11, .sh_type = SHT_PROGBITS, .sh_size = len } };

	s[1].sh_offset = sizeof(h) + sizeof(s);
	s[2].sh_offset = s[1].sh_offset + sizeof(names);
	memcpy(h.e_ident, ELFMAG "\2\1\1", 7);
	buf_add(ret, &h, sizeof(h));
	buf_add(ret, s, sizeof(s));
	buf_add(ret, names, sizeof(names));
	buf_add(ret, info, len);
}

/* A module file; the format is known by the end of @path. */
static void put_module(const char *dir, const char *path, const char *info, size_t len)
{
	cleanup(buf_deinit) struct buf elf = BUF_NULL, packed = BUF_NULL;

	make_module(info, len, &elf);
	if (strstr(path, ".xz"))
		fixture_compress(FIXTURE_XZ, elf.data, elf.len, &packed);
	else if (strstr(path, ".zst"))
		fixture_compress(FIXTURE_ZSTD, elf.data, elf.len, &packed);
	else if (strstr(path, ".gz"))
		fixture_compress(FIXTURE_GZIP, elf.data, elf.len, &packed);
	else
		buf_add(&packed, elf.data, elf.len);
	fixture_write(packed.data, packed.len, 0644, "%s/%s", dir, path);
}

#define MODULE(dir, path, info) put_module(dir, path, info, sizeof(info))

static void put_text(const char *dir, const char *name, const char *text)
{
	fixture_write(text, strlen(text), 0644, "%s/%s", dir, name);
}

/* A package as Debian ships it: modules.order and modules.builtin, no modules.dep. */
static char *package_dir(void)
{
	char *dir = fixture_dir();

	put_text(
		dir, "modules.order",
		"kernel/a/top-one.ko\nkernel/b/middle.ko\nkernel/b/bottom.ko\nkernel/c/gone.ko\n"
		"kernel/c/soft.ko\nkernel/c/mutual_a.ko\nkernel/c/mutual_b.ko\nkernel/c/lost.ko\n");
	put_text(dir, "modules.builtin", "kernel/x/virtio-ring.ko\nkernel/x/crc32.ko\n");
	MODULE(dir, "kernel/a/top-one.ko.xz",
	       "license=GPL\0depends=middle,virtio_ring\0name=top_one");
	MODULE(dir, "kernel/b/middle.ko.zst", "depends=bottom,crc32");
	MODULE(dir, "kernel/b/bottom.ko.gz", "depends=");
	MODULE(dir, "kernel/c/soft.ko", "softdep=pre: bottom nothing-such post: top_one\0depends=");
	MODULE(dir, "kernel/c/mutual_a.ko", "softdep=pre: mutual_b");
	MODULE(dir, "kernel/c/mutual_b.ko", "softdep=pre: mutual_a");
	MODULE(dir, "kernel/c/lost.ko", "depends=not_there");
	return dir;
}

/* The names in load order as one text. */
static int load_order(const char *dir, const char *const *names, size_t count, char ret[500])
{
	cleanup(module_list_deinit) struct module_list list = MODULE_LIST_NULL;
	int r = modules_closure(dir, names, count, &list);

	ret[0] = '\0';
	for (size_t i = 0; !r && i < list.count; i++)
		sprintf(ret + strlen(ret), "%s%s", i ? " " : "", list.all[i].name);
	for (size_t i = 0; !r && i < list.count; i++)
		assert_memory_equal(list.all[i].bytes.data, "\177ELF", 4);
	return r;
}

#define ORDER(dir, ret, ...)                                                                       \
	load_order(dir, (const char *const[]){ __VA_ARGS__ },                                      \
		   sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), ret)

TEST(dependencies_come_first_once_and_without_what_is_built_in)
{
	cleanup(fixture_removep) char *dir = package_dir();
	char order[500];

	assert_int_equal(ORDER(dir, order, "top_one", "bottom"), 0);
	assert_string_equal(order, "bottom middle top_one");
	assert_int_equal(ORDER(dir, order, "virtio-ring", "crc32"), 0);
	assert_string_equal(order, "");
}

TEST(hyphen_and_underscore_are_the_same)
{
	cleanup(fixture_removep) char *dir = package_dir();
	char order[500];

	assert_int_equal(ORDER(dir, order, "top-one"), 0);
	assert_string_equal(order, "bottom middle top_one");
	assert_int_equal(ORDER(dir, order, "virtio_ring"), 0);
}

TEST(soft_dependencies_come_before_if_they_exist_and_may_be_mutual)
{
	cleanup(fixture_removep) char *dir = package_dir();
	char order[500];

	assert_int_equal(ORDER(dir, order, "soft"), 0);
	assert_string_equal(order, "bottom soft");
	assert_int_equal(ORDER(dir, order, "mutual_a"), 0);
	assert_string_equal(order, "mutual_b mutual_a");
}

TEST(what_is_missing_is_named)
{
	cleanup(fixture_removep) char *dir = package_dir();
	char order[500];

	assert_int_equal(ORDER(dir, order, "nothing"), -ENOENT);
	assert_non_null(strstr(err_text(), "module nothing is neither in"));
	assert_int_equal(ORDER(dir, order, "gone"), -ENOENT);
	assert_int_equal(ORDER(dir, order, "lost"), -ENOENT);
	assert_non_null(strstr(err_text(), "not_there"));
	assert_int_equal(ORDER(dir, order, ""), -EINVAL);
	assert_int_equal(ORDER("/tmp", order, "x"), -ENOENT);
	assert_non_null(strstr(err_text(), "no modules directory"));
}

TEST(a_kernel_without_modules_needs_none)
{
	char order[500];

	assert_int_equal(ORDER(NULL, order, "virtio_blk"), 0);
	assert_string_equal(order, "");
}

TEST(modules_dep_is_used_where_depmod_ran)
{
	cleanup(fixture_removep) char *dir = fixture_dir();
	char order[500];

	put_text(dir, "modules.dep", "extra/mine.ko.gz: kernel/low.ko\nkernel/low.ko:\n");
	MODULE(dir, "extra/mine.ko.gz", "depends=low");
	MODULE(dir, "kernel/low.ko", "depends=");
	assert_int_equal(ORDER(dir, order, "mine"), 0);
	assert_string_equal(order, "low mine");
}

TEST(a_build_tree_names_its_objects)
{
	cleanup(fixture_removep) char *dir = fixture_dir();
	char order[500];

	put_text(dir, "modules.order", "drivers/a/mine.o\ndrivers/a/low.o\n");
	put_text(dir, "modules.builtin", "kernel/drivers/b/inside.ko\n");
	MODULE(dir, "drivers/a/mine.ko", "depends=low,inside");
	MODULE(dir, "drivers/a/low.ko", "depends=");
	assert_int_equal(ORDER(dir, order, "mine"), 0);
	assert_string_equal(order, "low mine");
}

TEST(damaged_modules_are_refused_by_path)
{
	cleanup(fixture_removep) char *dir = fixture_dir();
	cleanup(buf_deinit) struct buf elf = BUF_NULL;
	static const char broken[] = "\xfd\x37zXZ\0 and then something else";
	char order[500];

	put_text(dir, "modules.order", "text.ko\ncut.ko\nopen.ko\nloop.ko\n");
	fixture_write(broken, sizeof(broken), 0644, "%s/text.ko.xz", dir);
	assert_int_equal(ORDER(dir, order, "text"), -EBADMSG);
	assert_non_null(strstr(err_text(), "text.ko.xz"));
	make_module("depends=", 9, &elf);
	fixture_write(elf.data, elf.len - 5, 0644, "%s/cut.ko", dir);
	assert_int_equal(ORDER(dir, order, "cut"), -EBADMSG);
	MODULE(dir, "loop.ko", "depends=loop");
	assert_int_equal(ORDER(dir, order, "loop"), 0);
	put_module(dir, "open.ko", "depends=x", 9);
	assert_int_equal(ORDER(dir, order, "open"), -EBADMSG);
}

TEST(a_module_is_read_decompressed)
{
	cleanup(fixture_removep) char *dir = package_dir();
	cleanup(buf_deinit) struct buf want = BUF_NULL;
	static const char *const files[] = { "kernel/b/bottom.ko.gz", "kernel/c/mutual_a.ko" };
	static const char info[][24] = { "depends=", "softdep=pre: mutual_b" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup(buf_deinit) struct buf have = BUF_NULL;
		char path[PATH_MAX];

		buf_reset(&want);
		make_module(info[i], strlen(info[i]) + 1, &want);
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		assert_int_equal(modules_read(path, &have), 0);
		assert_int_equal(have.len, want.len);
		assert_memory_equal(have.data, want.data, want.len);
	}
}

TESTS(T(dependencies_come_first_once_and_without_what_is_built_in),
      T(hyphen_and_underscore_are_the_same),
      T(soft_dependencies_come_before_if_they_exist_and_may_be_mutual), T(what_is_missing_is_named),
      T(a_kernel_without_modules_needs_none), T(modules_dep_is_used_where_depmod_ran),
      T(a_build_tree_names_its_objects), T(damaged_modules_are_refused_by_path),
      T(a_module_is_read_decompressed))
