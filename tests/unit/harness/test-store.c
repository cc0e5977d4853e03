// SPDX-License-Identifier: GPL-2.0-only
#include "harness/store.h"

#include "harness/record_sink.h"

#include "test.h"

#include <sqlite3.h>

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

/* Bytes arrive as the carrier's stream cuts them. */
TEST(records_of_another_process_become_results_line_by_line)
{
	static const char record[] = "{\"scenario\":\"nice_pair\",\"topology\":\"1n1l1c1t\","
				     "\"kernel\":\"6.12.1\",\"verdict\":\"PASS\",\"total_ns\":5}\n";
	cleanup(store_freep) struct store *s = NULL;
	cleanup(record_sink_deinit) struct record_sink sink = RECORD_SINK_NULL;
	char both[2 * sizeof(record)];
	unsigned count = 0;

	snprintf(both, sizeof(both), "%s%s", record, record);
	assert_int_equal(store_open(path, &s), 0);
	sink.store = s;
	assert_int_equal(store_run_begin(s, "run", &sink.run), 0);
	for (size_t i = 0; i < sizeof(record) - 2; i++)
		assert_int_equal(record_sink_take(&sink, &record[i], 1), 0);
	assert_int_equal(store_results(s, sink.run, note_imported, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(record_sink_take(&sink, "\n", 1), 0);
	assert_int_equal(store_results(s, sink.run, note_imported, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(record_sink_take(&sink, both, strlen(both)), 0);
	assert_int_equal(sink.count, 3);
	assert_true(record_sink_take(&sink, "this is no record\n", 18) < 0);
}

TEST(records_go_to_a_file_as_well)
{
	cleanup(record_sink_deinit) struct record_sink sink = RECORD_SINK_NULL;
	cleanup(buf_deinit) struct buf got = BUF_NULL;
	char file[96];

	snprintf(file, sizeof(file), "%s/lines", dir);
	sink.file_fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(sink.file_fd >= 0);
	assert_int_equal(record_sink_take(&sink, "one\ntw", 6), 0);
	assert_int_equal(record_sink_take(&sink, "o\nthree", 7), 0);
	assert_int_equal(buf_read_file(&got, file, 100), 0);
	assert_string_equal(buf_text(&got), "one\ntwo\n");
}

static int note_unfinished(void *ctx, const struct store_unfinished *u)
{
	buf_printf(ctx, "%s: %llu; ", u->command, (unsigned long long)u->verdicts);
	return 0;
}

TEST(runs_without_an_end_are_unfinished)
{
	cleanup(store_freep) struct store *s = NULL;
	cleanup(buf_deinit) struct buf newest = BUF_NULL, one = BUF_NULL, all = BUF_NULL;
	int64_t first, second, third;

	assert_int_equal(store_open(path, &s), 0);
	assert_int_equal(store_run_begin(s, "first", &first), 0);
	assert_int_equal(store_add(s, first, &a_fail), 0);
	assert_int_equal(store_run_begin(s, "second", &second), 0);
	assert_int_equal(store_add(s, second, &a_fail), 0);
	assert_int_equal(store_run_end(s, second, 1), 0);
	assert_int_equal(store_run_begin(s, "third", &third), 0);
	assert_int_equal(store_unfinished(s, 0, note_unfinished, &newest), 0);
	assert_int_equal(store_unfinished(s, first, note_unfinished, &one), 0);
	assert_int_equal(store_unfinished(s, -1, note_unfinished, &all), 0);
	assert_string_equal(buf_text(&newest), "third: 0; ");
	assert_string_equal(buf_text(&one), "first: 1; ");
	assert_string_equal(buf_text(&all), "first: 1; third: 0; ");
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

static int put_figures(void *text, int count, char **values, char **names)
{
	for (int i = 0; i < count; i++) {
		strcat(text, values[i] ? values[i] : "NULL");
		strcat(text, " ");
	}
	return 0;
}

TEST(figures_of_payloads_are_rows_of_a_view)
{
	cleanup(store_freep) struct store *s = NULL;
	struct store_result with = a_fail;
	char text[256] = "";
	sqlite3 *db = NULL;
	int64_t run;

	with.record = "{\"payloads\":[{\"name\":\"fio\",\"metrics\":["
		      "{\"name\":\"iops\",\"value\":12.5,\"unit\":\"IOPS\"},"
		      "{\"name\":\"lost\",\"value\":null,\"unit\":null}]}]}";
	assert_int_equal(store_open(path, &s), 0);
	assert_int_equal(store_run_begin(s, "ktstr run", &run), 0);
	assert_int_equal(store_add(s, run, &a_fail), 0);
	assert_int_equal(store_add(s, run, &with), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT scenario, payload, name, value, unit FROM metric",
				      put_figures, text, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_string_equal(text, "weighted_cgroups fio iops 12.5 IOPS "
				  "weighted_cgroups fio lost NULL NULL ");
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
TEST(a_run_that_is_not_there_is_told_with_the_newest)
{
	cleanup(store_freep) struct store *s = NULL;
	int64_t run, newest = -1;

	assert_int_equal(store_open(path, &s), 0);
	assert_int_equal(store_find_run(s, 1, &newest), STORE_NO_RUN);
	assert_int_equal(newest, 0);
	assert_int_equal(store_run_begin(s, "ktstr run", &run), 0);
	assert_int_equal(store_find_run(s, run, &newest), 0);
	assert_int_equal(store_find_run(s, run + 1, &newest), STORE_NO_RUN);
	assert_int_equal(newest, run);
}

TESTS(IN_DIR(results_come_back_by_run), IN_DIR(a_run_that_is_not_there_is_told_with_the_newest),
      IN_DIR(records_of_another_process_become_results_line_by_line),
      IN_DIR(records_go_to_a_file_as_well), IN_DIR(runs_without_an_end_are_unfinished),
      IN_DIR(a_verdict_survives_the_death_of_its_process),
      IN_DIR(a_file_that_is_no_store_is_refused_by_name),
      IN_DIR(figures_of_payloads_are_rows_of_a_view), T(a_place_that_cannot_be_written_is_named))
