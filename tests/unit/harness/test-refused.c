// SPDX-License-Identifier: GPL-2.0-only
/* What a scenario file may not say, and the words that it is refused with: the whole way of it, from
 * text to plan, as before a boot. */
#include "harness/cell.h"
#include "harness/yaml_load.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/util.h"

#include "test.h"

#include <ktstr/custom.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "scenario: x\nsummary: s\ntopology: 1n1l2c1t\n"
#define HOLD "hold: 1s\n"
#define ISOLATED "checks: [isolation]\n"
#define SPIN "workers: [{ work: spin }]\n"
/* A scenario with one more line, the fourth; cgroups or workers that are given in a mapping; checks;
 * a step; operations. */
#define LINE(line) HEAD line "\n" SPIN HOLD ISOLATED
#define CGROUP(keys) HEAD "cgroups: [{ name: g, " keys ", " SPIN_IN "}]\n" HOLD ISOLATED
#define SPIN_IN "workers: [{ work: spin }] "
#define WORKERS_OF(keys) HEAD "workers: [{ " keys " }]\n" HOLD ISOLATED
#define CHECK(check) HEAD "cgroups: [{ name: g, " SPIN_IN "}]\n" HOLD "checks: [" check "]\n"
#define STEP(keys) HEAD "cgroups: [{ name: g, " SPIN_IN "}]\nsteps: [{ " keys " }]\n" ISOLATED
#define OP(op) STEP("ops: ['" op "'], hold: 1s")

struct refusal {
	const char *text;
	const char *words; /* that the error has; NULL: it is accepted */
};

static int compile_text(const char *text, struct cell *cell)
{
	static const struct cell_options options = { 0 };
	struct scenario_file *file = NULL;
	int r = scenario_file_parse("x.yaml", text, strlen(text), &file);

	if (r == 0)
		r = cell_compile(scenario_file_record(file, 0), &options, cell);
	if (r == 0)
		cell_deinit(cell);
	scenario_file_free(file);
	return r;
}

static void expect_all(const struct refusal *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cell cell = CELL_NULL;
		int r = compile_text(cases[i].text, &cell);

		if (!cases[i].words && r)
			fail_msg("case %zu is refused: %s", i, err_text());
		if (!cases[i].words)
			continue;
		if (r != -EINVAL)
			fail_msg("case %zu: %d, should say \"%s\"", i, r, cases[i].words);
		if (!strstr(err_text(), cases[i].words))
			fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err_text(),
				 cases[i].words);
		err_clear();
	}
}

#define EXPECT(...)                                                                                \
	do {                                                                                       \
		static const struct refusal cases_[] = { __VA_ARGS__ };                            \
		expect_all(cases_, ARRAY_SIZE(cases_));                                            \
	} while (0)

TEST(sizes_have_units)
{
#define SIZE "expected a size with its unit, such as "
	EXPECT({ LINE("memory: 512M"), NULL },
	       { LINE("memory: 512"), "x.yaml:4:9: memory \"512\": " SIZE },
	       { LINE("needs: { memory: 512 }"), "x.yaml:4:18: memory \"512\": " SIZE },
	       { CGROUP("memory_max: 64"), "memory_max \"64\": " SIZE },
	       { CGROUP("memory_low: 0"), NULL }, { OP("set g memory_max=64M"), NULL },
	       { OP("set g memory_max=64"), "memory_max \"64\": " SIZE },
	       { OP("set g memory_low=0"), NULL },
	       { WORKERS_OF("work: cache_pressure set=65536"), "set \"65536\": " SIZE },
	       { WORKERS_OF("work: cache_yield stride=64B"), NULL });
}

TEST(memory_is_whole_mib_and_enough_for_the_machine)
{
	EXPECT({ LINE("memory: 64M"), NULL },
	       { LINE("memory: 63M"),
		 "scenario x: memory \"63M\": a machine with 1 nodes has whole "
		 "MiB, at least 64M" },
	       { LINE("memory: 65537K"), "scenario x: memory \"65537K\": a machine with 1" },
	       { LINE("memory: 0"), "scenario x: memory \"0\": a machine with 1 nodes" });
}

TEST(slices_of_operations_are_as_declared_ones)
{
	EXPECT({ OP("policy g/spin normal slice=3ms"), NULL },
	       { OP("policy g/spin batch slice=100us"), NULL },
	       { OP("policy g/spin fifo 5 slice=3ms"),
		 "slice \"3ms\": only normal and batch workers have a slice" },
	       { OP("policy g/spin normal slice=3"), "slice \"3\": expected a duration" },
	       { OP("policy g/spin normal slice=1s"),
		 "slice \"1s\": the kernel takes slices from 100us to 100ms" },
	       { OP("policy g/spin normal slice="), "slice \"\": expected a duration" },
	       { OP("policy g/spin slice=3ms"), "\"slice=3ms\": expected normal, batch" });
}

KTSTR_WORK(known)
{
	(void)self;
	(void)params;
}

TEST(functions_are_registered)
{
	EXPECT({ WORKERS_OF("work: custom function=known a=3"), NULL },
	       { WORKERS_OF("work: custom function=nope"),
		 "work function \"nope\": no KTSTR_WORK(nope) is in this program; "
		 "it "
		 "has known" });
}

TEST(zero_is_not_taken_for_not_given)
{
	EXPECT({ CGROUP("weight: 0"),
		 "x.yaml:4:30: weight \"0\": the least is 1; without the key" },
	       { CGROUP("io_weight: 0"), "io_weight \"0\": the least is 1" },
	       { CGROUP("pids_max: 0"), "pids_max \"0\": the least is 1" },
	       { LINE("timeout: 0"), "x.yaml:4:10: timeout \"0\": it must be at least 1ms" },
	       { LINE("timeout: 1ns"), "timeout \"1ns\": it must be at least 1ms" },
	       { LINE("timeout: 1ms"), NULL },
	       { LINE("payloads: [{ name: p, command: sh, timeout: 0 }]"),
		 "timeout \"0\": it must be at least 1ms" });
}

TEST(releases_are_numbers)
{
	EXPECT({ LINE("needs: { kernel: 6.10 }"), NULL }, { LINE("needs: { kernel: '7' }"), NULL },
	       { LINE("needs: { kernel: 6.12.85 }"), NULL },
	       { LINE("needs: { kernel: x }"),
		 "x.yaml:4:18: kernel \"x\": expected a kernel release such as 6.6 or 6.12.85" },
	       { LINE("needs: { kernel: 6.6.x }"), "kernel \"6.6.x\"" },
	       { LINE("needs: { kernel: 6. }"), "kernel \"6.\"" },
	       { LINE("needs: { kernel: 6.6-rc1 }"), "kernel \"6.6-rc1\"" },
	       { LINE("needs: { kernel: 6.6.1.2 }"), "kernel \"6.6.1.2\"" },
	       { LINE("needs: { kernel: 6..1 }"), "kernel \"6..1\"" },
	       { LINE("needs: { kernel: '' }"), "kernel \"\"" });
}

TEST(names_of_the_kernels_files_are_no_cgroups)
{
#define NAMED(name) HEAD "cgroups: [{ name: " name ", " SPIN_IN "}]\n" HOLD ISOLATED
	EXPECT({ NAMED("cgroup.procs"), "cgroup \"cgroup.procs\": names that begin like a file" },
	       { NAMED("a/cpu.max"), "cgroup \"a/cpu.max\": names that begin like a file" },
	       { NAMED("cgroup"), NULL }, { NAMED("a.cgroup.b"), NULL });
}

TEST(blocks_are_whole_pages)
{
#define DISK "disks: ['ram:64M']\n"
	EXPECT({ DISK WORKERS_OF("work: io_sync_write block=8KiB"), NULL },
	       { DISK WORKERS_OF("work: io_sync_write block=4097B"),
		 "workload io_sync_write: block 4097 is no multiple of 4096 (bytes)" },
	       { DISK WORKERS_OF("work: io_rand_read block=6KiB"), "is no multiple of 4096" });
}

TEST(a_loop_turns_in_its_hold)
{
#define LOOP(hold, every) STEP("hold: " hold ", loop: [nice g/spin 5], every: " every)
	EXPECT({ LOOP("500ms", "499ms"), NULL }, { LOOP("1s", "100us"), NULL },
	       { LOOP("500ms", "500ms"),
		 "scenario x: step hold-0: every \"500ms\": the hold, 500ms, "
		 "ends before the first turn in it" },
	       { LOOP("500ms", "2s"), "every \"2s\": the hold, 500ms, ends" },
	       { LOOP("500ms", "10us"), "step hold-0: every \"10us\": it must be at least 100us" },
	       { LOOP("500ms", "0"), "every \"0\": it must be at least 100us" });
}

TEST(claims_that_nothing_could_meet_are_none)
{
#define QUOTA(check) CGROUP_WITH("max: 10ms/100ms", check)
#define CGROUP_WITH(keys, check)                                                                   \
	HEAD "cgroups: [{ name: g, " keys ", " SPIN_IN "}]\n" HOLD "checks: [" check "]\n"
	EXPECT({ QUOTA("throttling min=1 max=1"), NULL },
	       { QUOTA("throttling min=5 max=1"), "\"throttling min=5 max=1\": min is over max" },
	       { CHECK("metric name=x min=0.002 max=0.001"), "min is over max" },
	       { CHECK("starvation gap=0"),
		 "x.yaml:6:10: checks \"starvation gap=0\": gap: a bound "
		 "of no time cannot hold" },
	       { CHECK("wake_latency p99=0"), "p99: a bound of no time" },
	       { CHECK("throttling min=1"), "check \"throttling min=1\": none of the cgroups has a "
					    "quota: give one max=QUOTA/PERIOD" },
	       { CHECK("throttling max=1"), NULL },
	       { CHECK("locality min=900permille"),
		 "check \"locality min=900permille\": none of the "
		 "workers looks where its pages are" },
	       { HEAD
		 "steps: [{ ops: ['set g max=5ms/10ms'], hold: 1s }]\ncgroups: [{ name: g, " SPIN_IN
		 "}]\nchecks: [throttling min=1]\n",
		 NULL });
}

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X63 X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

TEST(names_have_letters_and_an_end)
{
	EXPECT({ WORKERS_OF("work: spin, name: " X63), NULL },
	       { WORKERS_OF("work: spin, name: " X63 "x"),
		 "name \"" X63 "x\": it has 1 to 63 characters" },
	       { WORKERS_OF("work: spin, name: ''"),
		 "x.yaml:4:31: name \"\": it has 1 to 63 characters" },
	       { WORKERS_OF("work: spin, name: a b"),
		 "name \"a b\": it has letters, digits, _ - ." },
	       { WORKERS_OF("work: spin, name: a/b"),
		 "name \"a/b\": it has letters, digits, _ - ." },
	       { STEP("hold: 1s, name: " X63), NULL },
	       { STEP("hold: 1s, name: " X63 "x"), "it has 1 to 63 characters" },
	       { STEP("hold: 1s, name: a b"), "name \"a b\": it has letters" },
	       { STEP("hold: 1s, name: ''"), "x.yaml:5:27: name \"\": it has 1" });
}

TEST(entries_of_a_cgroup_have_different_names)
{
	EXPECT({ WORKERS_OF("work: spin }, { work: spin"), NULL },
	       { WORKERS_OF("work: spin, name: a }, { work: spin, name: b"), NULL },
	       { WORKERS_OF("work: spin, name: a }, { work: yield }, { work: spin, name: a"),
		 "scenario x: workers a: name \"a\": another entry has it" },
	       { HEAD "cgroups: [{ name: g, workers: [{ work: spin, name: a }, { work: spin, name: "
		      "a }] }]\n" HOLD ISOLATED,
		 "cgroup g: workers a: name \"a\": another entry has it" },
	       { HEAD "cgroups: [{ name: g, workers: [{ work: spin, name: a }] }]\n"
		      "workers: [{ work: spin, name: a }]\n" HOLD ISOLATED,
		 NULL });
}

TEST(what_the_kernel_cannot_count_is_refused_with_its_field)
{
	EXPECT({ CGROUP("max: 8796093s/1s"), NULL },
	       { CGROUP("max: 20000000s/1s"),
		 "x.yaml:4:27: max \"20000000s/1s\": quotas can be up to 8796093s" },
	       { CGROUP("max: 1.0005ms/100ms"),
		 "max \"1.0005ms/100ms\": the kernel counts in whole" },
	       { CGROUP("max: 5ms/100.0005ms"), "the kernel counts in whole microseconds" },
	       { CGROUP("max: 5ms/100ms, max_burst: 2.0005ms"),
		 "max_burst \"2.0005ms\": the kernel counts in whole microseconds" },
	       { CGROUP("memory_max: 99999999999T"), "it is more than the kernel counts" },
	       { CGROUP("memory_max: 8388608T"),
		 "memory_max \"8388608T\": it is more than the kernel" },
	       { CGROUP("cpuset: part 1/2 overlap=1"), NULL },
	       { CGROUP("cpuset: part 1/2 overlap=2"),
		 "the overlap is more than the neighbour has" },
	       { CGROUP("cpuset: part 2/2 overlap=2"),
		 "the overlap is more than the neighbour has" });
}

TEST(what_is_no_text_is_refused_at_its_place)
{
	EXPECT({ "scenario: x\nsummary: \"\xc3\xa4 \xff\"\n",
		 "x.yaml:2:13: invalid leading UTF-8 octet (0xff)" },
	       { "scenario: x\nsummary: \xc3(\n", "x.yaml:2:11: invalid trailing UTF-8 octet" },
	       { "scenario: x\nsummary: a\001b\n",
		 "x.yaml:2:11: control characters are not allowed (0x01)" },
	       { "scenario: x\nsummary: \xc3", "x.yaml:2:10: incomplete UTF-8 octet sequence" });
}

TEST(words_name_the_thing_once_and_the_way_out)
{
	EXPECT({ HEAD "topology: 1n\n", "x.yaml:4:1: topology: given twice" },
	       { "scenario: x\nsummary: s\ntopology: 1n\n",
		 "x.yaml:3:11: topology \"1n\": not of the form" },
	       { CGROUP("weight: 99999999999999999999"),
		 "weight \"99999999999999999999\": the most is 2147483647" },
	       { CGROUP("weight: 1.5"), "weight \"1.5\": not a number" },
	       { LINE("timeout: 99999999999s"),
		 "timeout \"99999999999s\": the number is too large, or too fine" },
	       { CGROUP("max: 99999999999999s/100ms"), "a number is too large, or too fine" },
	       { STEP("hold: 99999999999s"),
		 "hold \"99999999999s\": the time is too large, or too fine" },
	       { LINE("memory: 99999999999T"), "memory \"99999999999T\": the number is too large" },
	       { OP("set g is_idle=true"), "\"is_idle=true\": an operation calls it idle, 0 or 1" },
	       { OP("kill nope"), "no payload is named nope, and no workers are named nope" },
	       { WORKERS_OF("work: SPIN"),
		 "\"SPIN\": no workload has that name; `ktstr workloads` lists" },
	       { CHECK("fairness gap=1ms"), "no check has that name; `ktstr checks` lists them" });
}

TEST(a_file_that_is_too_large_is_a_bad_scenario)
{
	static char text[1024 * 1024 + 1];
	char path[] = "/tmp/ktstr-test-XXXXXX.yaml";
	struct scenario_file *file = NULL;
	int fd = mkstemps(path, 5), r;

	assert_true(fd >= 0);
	memset(text, '#', sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	close(fd);
	r = scenario_file_load(path, &file);
	unlink(path);
	assert_int_equal(r, -EINVAL);
	assert_non_null(strstr(err_text(), "a scenario file has at most 1048576 bytes"));
}

TESTS(T(sizes_have_units), T(memory_is_whole_mib_and_enough_for_the_machine),
      T(slices_of_operations_are_as_declared_ones), T(functions_are_registered),
      T(zero_is_not_taken_for_not_given), T(releases_are_numbers),
      T(names_of_the_kernels_files_are_no_cgroups), T(blocks_are_whole_pages),
      T(a_loop_turns_in_its_hold), T(claims_that_nothing_could_meet_are_none),
      T(names_have_letters_and_an_end), T(entries_of_a_cgroup_have_different_names),
      T(what_the_kernel_cannot_count_is_refused_with_its_field),
      T(what_is_no_text_is_refused_at_its_place), T(words_name_the_thing_once_and_the_way_out),
      T(a_file_that_is_too_large_is_a_bad_scenario))
