// SPDX-License-Identifier: GPL-2.0-only
#include "harness/store.h"

#include "harness/store_import.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static char dir[64];
static char path[96];

static int make_dir(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/ktstr-store-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/deep/results.db", dir);
	return 0;
}

static int remove_dir(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const struct store_result a_fail = {
	.scenario = "weighted_cgroups",
	.topology = "1n1l2c1t",
	.kernel = "6.12.1",
	.verdict = "FAIL",
	.duration_ns = 1234567890123,
	.record = "{\"claim\":\"share\"}",
};

struct seen {
	unsigned count;
	char verdicts[64];
};

static int note(void *ctx, const struct store_row *row)
{
	struct seen *seen = ctx;

	seen->count++;
	strcat(seen->verdicts, row->result.verdict);
	assert_true(row->result.duration_ns == 1234567890123);
	assert_string_equal(row->result.record, "{\"claim\":\"share\"}");
	return 0;
}

static struct seen read_back(int64_t run)
{
	cleanup(store_freep) struct store *s = NULL;
	struct seen seen = { 0 };

	assert_int_equal(store_open(path, &s), 0);
	assert_int_equal(store_results(s, run, note, &seen), 0);
	return seen;
}

static int note_imported(void *ctx, const struct store_row *row)
{
	unsigned *count = ctx;

	(*count)++;
	assert_string_equal(row->result.scenario, "nice_pair");
	assert_string_equal(row->result.topology, "1n1l1c1t");
	assert_string_equal(row->result.kernel, "6.12.1");
	assert_string_equal(row->result.verdict, "PASS");
	assert_int_equal(row->result.duration_ns, 5);
	return 0;
}

static void write_lines(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

TEST(records_of_another_process_become_results)
{
	static const char record[] = "{\"scenario\":\"nice_pair\",\"topology\":\"1n1l1c1t\","
				     "\"kernel\":\"6.12.1\",\"verdict\":\"PASS\",\"total_ns\":5}\n";
	cleanup(store_freep) struct store *s = NULL;
	char lines[96], text[512];
	unsigned count = 0;
	int64_t run;

	snprintf(lines, sizeof(lines), "%s/lines", dir);
	snprintf(text, sizeof(text), "%s%s", record, record);
	write_lines(lines, text);
	assert_int_equal(store_open(path, &s), 0);
	assert_int_equal(store_run_begin(s, "run", &run), 0);
	assert_int_equal(store_import(s, run, lines), 0);
	assert_int_equal(store_results(s, run, note_imported, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(store_import(s, run, "/no/such/file"), 0);
	write_lines(lines, "this is no record\n");
	assert_true(store_import(s, run, lines) < 0);
}

TEST(results_come_back_by_run)
{
	cleanup(store_freep) struct store *s = NULL;
	struct store_result a_pass = a_fail;
	int64_t first, second;

	a_pass.verdict = "PASS";
	assert_int_equal(store_open(path, &s), 0);
	assert_int_equal(store_run_begin(s, "ktstr run a", &first), 0);
	assert_int_equal(store_add(s, first, &a_fail), 0);
	assert_int_equal(store_run_end(s, first, 1), 0);
	assert_int_equal(store_run_begin(s, "ktstr run b", &second), 0);
	assert_true(second > first);
	assert_int_equal(store_add(s, second, &a_pass), 0);
	assert_string_equal(read_back(0).verdicts, "PASS");
	assert_string_equal(read_back(first).verdicts, "FAIL");
	assert_string_equal(read_back(-1).verdicts, "FAILPASS");
}

/* The writer dies by SIGKILL right after store_add(): the row is there, the run has no end. */
TEST(a_verdict_survives_the_death_of_its_process)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct store *s;
		int64_t run;

		if (store_open(path, &s) || store_run_begin(s, "dies", &run) ||
		    store_add(s, run, &a_fail))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_string_equal(read_back(0).verdicts, "FAIL");
}

TEST(a_file_that_is_no_store_is_refused_by_name)
{
	cleanup(store_freep) struct store *s = NULL;
	char text[4096];
	int fd;

	memset(text, 'x', sizeof(text));
	assert_int_equal(store_open(path, &s), 0);
	s = store_free(s);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write_all(fd, text, sizeof(text)), 0);
	fd_close(fd);
	assert_int_equal(store_open(path, &s), -EPROTO);
	assert_non_null(strstr(err_text(), path));
}

TEST(a_place_that_cannot_be_written_is_named)
{
	cleanup(store_freep) struct store *s = NULL;

	assert_int_not_equal(store_open("/proc/nowhere/results.db", &s), 0);
	assert_non_null(strstr(err_text(), "/proc/nowhere"));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
TESTS(IN_DIR(results_come_back_by_run), IN_DIR(records_of_another_process_become_results),
      IN_DIR(a_verdict_survives_the_death_of_its_process),
      IN_DIR(a_file_that_is_no_store_is_refused_by_name),
      T(a_place_that_cannot_be_written_is_named))
