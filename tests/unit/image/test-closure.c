// SPDX-License-Identifier: GPL-2.0-only
/* ELF files are written field by field into a directory that is the root of the search. */
#include "image/closure.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "fixture.h"
#include "image/dynamic.h"
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRINGS_AT = 1024, DYNAMIC_AT = 512, FILE_BYTES = 2048, BASE = 0x400000 };

struct tag {
	int64_t tag;
	const char *text;
};

/* An ELF file with one segment at BASE and the dynamic entries @tags (up to the first without text). */
static void make_elf(uint8_t *bytes, const char *interpreter, const struct tag *tags)
{
	Elf64_Ehdr h = { .e_type = ET_DYN,
			 .e_machine = EM_X86_64,
			 .e_phoff = sizeof(h),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 2 };
	Elf64_Phdr p[3] = { { .p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = FILE_BYTES },
			    { .p_type = PT_DYNAMIC, .p_offset = DYNAMIC_AT },
			    { .p_type = PT_INTERP, .p_offset = 400, .p_filesz = 100 } };
	Elf64_Dyn d[32] = { { DT_STRTAB, { BASE + STRINGS_AT } }, { DT_STRSZ, { 1024 } } };
	size_t n = 2, at = 1;

	memset(bytes, 0, FILE_BYTES);
	for (; tags->text; tags++) {
		d[n++] = (Elf64_Dyn){ tags->tag, { at } };
		strcpy((char *)bytes + STRINGS_AT + at, tags->text);
		at += strlen(tags->text) + 1;
	}
	p[1].p_filesz = (n + 1) * sizeof(*d);
	memcpy(h.e_ident, ELFMAG "\2\1\1", 7);
	if (interpreter) {
		h.e_phnum = 3;
		strcpy((char *)bytes + 400, interpreter);
	}
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), p, sizeof(p));
	memcpy(bytes + DYNAMIC_AT, d, sizeof(d));
}

#define TAGS(...) ((const struct tag[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

static void put_elf(const char *root, const char *path, const char *interpreter,
		    const struct tag *tags)
{
	uint8_t bytes[FILE_BYTES];

	make_elf(bytes, interpreter, tags);
	fixture_write(bytes, sizeof(bytes), 0755, "%s%s", root, path);
}

static void put_text(const char *root, const char *path, const char *text)
{
	fixture_write(text, strlen(text), 0755, "%s%s", root, path);
}

/* The closure as one text: paths joined by spaces. */
static int find(const char *root, const char *program, char ret[1000])
{
	cleanup(closure_deinit) struct closure c = CLOSURE_NULL;
	int r = closure_find(root, program, &c);

	ret[0] = '\0';
	for (size_t i = 0; !r && i < c.count; i++)
		sprintf(ret + strlen(ret), "%s%s", i ? " " : "", c.paths[i]);
	return r;
}

TEST(libraries_of_libraries_and_the_interpreter_come_along)
{
	cleanup(fixture_removep) char *root = fixture_dir();
	char found[1000];

	put_elf(root, "/lib64/ld.so", NULL, TAGS());
	put_elf(root, "/usr/lib/liba.so", NULL,
		TAGS({ DT_NEEDED, "libb.so" }, { DT_NEEDED, "ld.so" }));
	put_elf(root, "/lib/libb.so", NULL, TAGS({ DT_NEEDED, "liba.so" }));
	put_elf(root, "/bin/prog", "/lib64/ld.so",
		TAGS({ DT_NEEDED, "liba.so" }, { DT_NEEDED, "libb.so" }));
	assert_int_equal(find(root, "/bin/prog", found), 0);
	assert_string_equal(found, "/lib/libb.so /lib64/ld.so /usr/lib/liba.so");
}

TEST(ld_so_conf_comes_before_the_default_directories_and_may_include)
{
	cleanup(fixture_removep) char *root = fixture_dir();
	char found[1000];

	put_text(root, "/etc/ld.so.conf",
		 "# first\ninclude /etc/ld.so.conf.d/*.conf\n/opt/x # y\n");
	put_text(root, "/etc/ld.so.conf.d/a.conf", "include /etc/ld.so.conf\n/opt/a\n");
	put_elf(root, "/opt/a/liba.so", NULL, TAGS());
	put_elf(root, "/usr/lib/liba.so", NULL, TAGS());
	put_elf(root, "/opt/x/libx.so", NULL, TAGS());
	put_elf(root, "/bin/prog", NULL, TAGS({ DT_NEEDED, "liba.so" }, { DT_NEEDED, "libx.so" }));
	assert_int_equal(find(root, "/bin/prog", found), 0);
	assert_string_equal(found, "/opt/a/liba.so /opt/x/libx.so");
}

TEST(rpath_is_inherited_and_runpath_is_not)
{
	cleanup(fixture_removep) char *root = fixture_dir();
	char found[1000];

	put_elf(root, "/r/liba.so", NULL, TAGS({ DT_NEEDED, "libb.so" }));
	put_elf(root, "/r/libb.so", NULL, TAGS());
	put_elf(root, "/bin/old", NULL, TAGS({ DT_NEEDED, "liba.so" }, { DT_RPATH, "/no:/r" }));
	put_elf(root, "/bin/new", NULL, TAGS({ DT_NEEDED, "liba.so" }, { DT_RUNPATH, "/r" }));
	put_elf(root, "/bin/both", NULL,
		TAGS({ DT_NEEDED, "liba.so" }, { DT_RPATH, "/r" }, { DT_RUNPATH, "/no" }));
	assert_int_equal(find(root, "/bin/old", found), 0);
	assert_string_equal(found, "/r/liba.so /r/libb.so");
	assert_int_equal(find(root, "/bin/new", found), -ENOENT);
	assert_string_equal(err_text(),
			    "/r/liba.so needs the library libb.so, which is not to be found");
	assert_int_equal(find(root, "/bin/both", found), -ENOENT);
}

TEST(origin_is_where_a_linked_program_really_is)
{
	cleanup(fixture_removep) char *root = fixture_dir();
	char found[1000], link[200];

	put_elf(root, "/opt/p/bin/prog", NULL,
		TAGS({ DT_NEEDED, "liba.so" }, { DT_NEEDED, "libb.so" },
		     { DT_RUNPATH, "$ORIGIN/../lib:${ORIGIN}/sub:$LIB/x:relative" }));
	put_elf(root, "/opt/p/lib/liba.so", NULL, TAGS());
	put_elf(root, "/opt/p/bin/sub/libb.so", NULL, TAGS());
	put_text(root, "/usr/bin/other", "x");
	sprintf(link, "%s/usr/bin/prog", root);
	assert_int_equal(symlink("../../opt/p/bin/prog", link), 0);
	assert_int_equal(find(root, "/usr/bin/prog", found), 0);
	assert_string_equal(found, "/opt/p/bin/sub/libb.so /opt/p/lib/liba.so");
}

TEST(libraries_for_other_machines_are_passed_over)
{
	cleanup(fixture_removep) char *root = fixture_dir();
	uint8_t other[FILE_BYTES];
	char found[1000];

	make_elf(other, NULL, TAGS());
	other[EI_CLASS] = ELFCLASS32;
	fixture_write(other, sizeof(other), 0644, "%s/lib64/liba.so", root);
	put_text(root, "/usr/lib64/liba.so", "INPUT(-la)");
	put_elf(root, "/usr/lib/liba.so", NULL, TAGS());
	put_elf(root, "/bin/prog", NULL, TAGS({ DT_NEEDED, "liba.so" }));
	assert_int_equal(find(root, "/bin/prog", found), 0);
	assert_string_equal(found, "/usr/lib/liba.so");
}

TEST(scripts_bring_their_interpreter_and_what_env_starts)
{
	cleanup(fixture_removep) char *root = fixture_dir();
	char found[1000];

	put_elf(root, "/bin/sh", NULL, TAGS({ DT_NEEDED, "libc.so" }));
	put_elf(root, "/lib/libc.so", NULL, TAGS());
	put_elf(root, "/usr/bin/env", NULL, TAGS());
	put_text(root, "/usr/bin/python3", "#! /bin/sh -e\n");
	put_text(root, "/a", "#!/bin/sh\necho\n");
	put_text(root, "/b", "#!/usr/bin/env -S X=1 python3 -u\n");
	put_text(root, "/c", "#!/bin/none\n");
	put_text(root, "/d", "#!/usr/bin/env none");
	put_text(root, "/e", "just text");
	put_text(root, "/f", "#!");
	assert_int_equal(find(root, "/a", found), 0);
	assert_string_equal(found, "/bin/sh /lib/libc.so");
	assert_int_equal(find(root, "/b", found), 0);
	assert_string_equal(found, "/bin/sh /lib/libc.so /usr/bin/env /usr/bin/python3");
	assert_int_equal(find(root, "/c", found), -ENOENT);
	assert_string_equal(err_text(), "/c needs /bin/none, which does not exist");
	assert_int_equal(find(root, "/d", found), -ENOENT);
	assert_int_equal(find(root, "/e", found), 0);
	assert_int_equal(find(root, "/f", found), 0);
	assert_string_equal(found, "");
}

TEST(damaged_files_are_refused_by_name)
{
	cleanup(fixture_removep) char *root = fixture_dir();
	uint8_t bytes[FILE_BYTES];
	char found[1000];
	Elf64_Dyn d = { DT_NEEDED, { 5000 } };

	make_elf(bytes, "relative/ld.so", TAGS());
	fixture_write(bytes, sizeof(bytes), 0755, "%s/interp", root);
	assert_int_equal(find(root, "/interp", found), -EBADMSG);
	make_elf(bytes, NULL, TAGS({ DT_NEEDED, "liba.so" }));
	memcpy(bytes + DYNAMIC_AT + 2 * sizeof(d), &d, sizeof(d));
	fixture_write(bytes, sizeof(bytes), 0755, "%s/needed", root);
	assert_int_equal(find(root, "/needed", found), -EBADMSG);
	fixture_write(bytes, 600, 0755, "%s/cut", root);
	assert_int_equal(find(root, "/cut", found), -EBADMSG);
	fixture_write(bytes, 20, 0755, "%s/short", root);
	assert_int_equal(find(root, "/short", found), -EBADMSG);
	assert_non_null(strstr(err_text(), "/short"));
	bytes[EI_CLASS] = ELFCLASS32;
	fixture_write(bytes, sizeof(bytes), 0755, "%s/other", root);
	assert_int_equal(find(root, "/other", found), -ENOEXEC);
	assert_int_equal(find(root, "/missing", found), -ENOENT);
	assert_int_equal(find(root, "relative", found), -EINVAL);
}

TEST(the_shell_of_this_host_has_a_closure)
{
	cleanup(closure_deinit) struct closure c = CLOSURE_NULL;

	assert_int_equal(closure_find("", "/bin/sh", &c), 0);
	for (size_t i = 0; i < c.count; i++)
		assert_int_equal(access(c.paths[i], R_OK), 0);
}

TESTS(T(libraries_of_libraries_and_the_interpreter_come_along),
      T(ld_so_conf_comes_before_the_default_directories_and_may_include),
      T(rpath_is_inherited_and_runpath_is_not), T(origin_is_where_a_linked_program_really_is),
      T(libraries_for_other_machines_are_passed_over),
      T(scripts_bring_their_interpreter_and_what_env_starts), T(damaged_files_are_refused_by_name),
      T(the_shell_of_this_host_has_a_closure))
