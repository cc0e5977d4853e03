// SPDX-License-Identifier: GPL-2.0-only
#include "host/probe.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/util.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct host_file {
	const char *path, *text;
};

#define CPU0 "/sys/devices/system/cpu/cpu0/cache/"

static const struct host_file big_host[] = {
	{ "/proc/cpuinfo", "processor\t: 0\nmodel name\t: Imaginary 9000\nflags\t\t: fpu svm\n" },
	{ "/proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\nMemAvailable:    8192 kB\n" },
	{ "/proc/sys/kernel/osrelease", "6.99.0-test\n" },
	{ "/sys/devices/system/cpu/online", "0-5,8-9\n" },
	{ "/sys/devices/system/node/online", "0-1\n" },
	{ CPU0 "index0/level", "1\n" },
	{ CPU0 "index0/type", "Data\n" },
	{ CPU0 "index0/size", "32K\n" },
	{ CPU0 "index0/shared_cpu_list", "0-1\n" },
	{ CPU0 "index1/level", "3\n" },
	{ CPU0 "index1/type", "Unified\n" },
	{ CPU0 "index1/size", "16384K\n" },
	{ CPU0 "index1/shared_cpu_list", "0-3\n" },
};

static void make_host(char *root, const struct host_file *files, size_t count)
{
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < count; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s%s", root, files[i].path);
		assert_int_equal(make_parents(path), 0);
		cleanup(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_int_equal(write_all(fd, files[i].text, strlen(files[i].text)), 0);
	}
}

static void remove_host(const char *root)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", root);
	assert_int_equal(system(command), 0);
}

TEST(a_host_is_read_from_its_files)
{
	char root[] = "/tmp/ktstr-test-XXXXXX";
	struct host_info h;

	make_host(root, big_host, ARRAY_SIZE(big_host));
	assert_int_equal(host_info_read(root, &h), 0);
	remove_host(root);
	assert_string_equal(h.model, "Imaginary 9000");
	assert_string_equal(h.kernel, "6.99.0-test");
	assert_int_equal(h.cpus_online, 8);
	assert_int_equal(h.nodes, 2);
	assert_int_equal(h.memory_bytes, 16 * MIB);
	assert_int_equal(h.memory_available_bytes, 8 * MIB);
	assert_int_equal(h.cache_count, 2);
	assert_int_equal(h.caches[0].bytes, 32 * KIB);
	assert_int_equal(h.caches[0].instances, 4);
	assert_int_equal(h.caches[1].level, 3);
	assert_int_equal(h.caches[1].instances, 2);
}

TEST(a_host_without_caches_and_nodes_is_fine)
{
	char root[] = "/tmp/ktstr-test-XXXXXX";
	struct host_info h;

	make_host(root, big_host, 2);
	assert_int_equal(host_info_read(root, &h), 0);
	remove_host(root);
	assert_int_equal(h.cache_count, 0);
	assert_int_equal(h.nodes, 1);
}

TEST(a_host_without_proc_is_an_error_that_says_so)
{
	struct host_info h;

	assert_int_equal(host_info_read("/no/such/root", &h), -ENOENT);
	assert_non_null(strstr(err_text(), "/no/such/root/proc"));
}

TEST(programs_are_found_in_path_and_by_path)
{
	cleanup(freep) char *found = NULL;
	cleanup(freep) char *again = NULL;

	setenv("PATH", "/no/such/dir::/usr/bin:/bin", 1);
	assert_int_equal(host_find_program("sh", &found), 0);
	assert_int_equal(host_find_program(found, &again), 0);
	assert_string_equal(found, again);
	assert_int_equal(host_find_program("no-such-program", &found), -ENOENT);
	assert_int_equal(host_find_program("/etc/passwd", &found), -ENOENT);
	assert_int_equal(host_find_program("/tmp", &found), -ENOENT);
}

TEST(this_host_is_probed_whatever_it_has)
{
	char text[256], advice[256];
	struct kvm_probe p;

	kvm_probe(&p);
	kvm_probe_text(&p, text, sizeof(text), advice, sizeof(advice));
	assert_true(strlen(text) > 0);
	/* Facts must agree: nothing but real hardware needs no advice. */
	assert_int_equal(kvm_probe_can_boot(&p), *advice == '\0');
	if (p.kind == KVM_HARDWARE || p.kind == KVM_PARAVIRTUAL)
		assert_true(p.guest_instructions_per_s > 0 && p.max_vcpus > 0);
	else
		assert_true(p.error > 0);
}

TESTS(T(a_host_is_read_from_its_files), T(a_host_without_caches_and_nodes_is_fine),
      T(a_host_without_proc_is_an_error_that_says_so), T(programs_are_found_in_path_and_by_path),
      T(this_host_is_probed_whatever_it_has))
