// SPDX-License-Identifier: GPL-2.0-only
/* The outer side against a carrier that is this program itself: started in QEMU's place, it finds
 * the stream in the command line that QEMU would get and plays the part that the command's name
 * asks for. */
#include "host/carrier.h"

#include "base/buf.h"
#include "base/util.h"
#include "host/carrier_frame.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- the part of the carrier ---- */

struct part {
	int fd;
	struct carrier_reader reader;
};

static void say(struct part *p, enum carrier_frame_type type, const void *payload, size_t length)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;

	carrier_frame_add(&out, type, payload, length);
	if (write_all(p->fd, out.data, out.len) < 0)
		_exit(1);
}

static void say_exit(struct part *p, uint32_t is_signal, uint32_t status)
{
	uint32_t payload[] = { is_signal, status };

	say(p, CARRIER_EXIT, payload, sizeof(payload));
}

static struct carrier_frame hear(struct part *p)
{
	struct carrier_frame f;
	char chunk[4096];

	while (carrier_reader_next(&p->reader, &f) != 0) {
		ssize_t n = read(p->fd, chunk, sizeof(chunk));

		if (n <= 0)
			_exit(0);
		buf_add(&p->reader.in, chunk, (size_t)n);
	}
	return f;
}

static void play_echo(struct part *p)
{
	for (;;) {
		struct carrier_frame f = hear(p);
		uint32_t length = f.length;

		if (f.type == CARRIER_STDIN_END)
			break;
		if (f.type != CARRIER_STDIN)
			continue;
		say(p, CARRIER_STDOUT, f.payload, f.length);
		say(p, CARRIER_STDIN_TAKEN, &length, sizeof(length));
	}
	say_exit(p, 0, 0);
}

static void play_until_signal(struct part *p, bool obeys)
{
	say(p, CARRIER_STDOUT, "waiting\n", 8);
	for (;;) {
		struct carrier_frame f = hear(p);

		if (f.type == CARRIER_SIGNAL && (obeys || le32_get(f.payload) == SIGKILL))
			return say_exit(p, 1, le32_get(f.payload));
	}
}

static void play(struct part *p, const struct carrier_run_request *q)
{
	const char *name = q->argv[0];
	uint32_t lie = 1 << 20;

	if (!strcmp(name, "seven"))
		say_exit(p, 0, 7);
	else if (!strcmp(name, "echo"))
		play_echo(p);
	else if (!strcmp(name, "environment"))
		say_exit(p, 0, !q->envp[0] || strcmp(q->envp[0], "KTSTR_IN_CARRIER=1"));
	else if (!strcmp(name, "die"))
		_exit(1);
	else if (!strcmp(name, "fail"))
		say(p, CARRIER_FAILED, "out of luck", 11);
	else if (!strcmp(name, "obey"))
		play_until_signal(p, true);
	else if (!strcmp(name, "ignore"))
		play_until_signal(p, false);
	else if (!strcmp(name, "nudged")) {
		while (hear(p).type != CARRIER_NUDGE)
			;
		while (hear(p).type != CARRIER_NUDGE)
			;
		say_exit(p, 0, 0);
	} else if (!strcmp(name, "lie"))
		say(p, CARRIER_STDIN_TAKEN, &lie, sizeof(lie));
	else if (!strcmp(name, "record")) {
		say(p, CARRIER_RECORD, "verdict\n", 8);
		_exit(1);
	} else if (!strcmp(name, "file")) {
		say(p, CARRIER_FILE, "\xa4\x01\0\0sub/x", 10);
		say(p, CARRIER_FILE_DATA, "result", 6);
		say_exit(p, 0, 0);
	}
}

static int play_carrier(char **argv)
{
	struct part p = { .fd = -1 };
	uint32_t version = CARRIER_VERSION;

	for (; *argv; argv++)
		sscanf(*argv, "socket,id=stream,fd=%d", &p.fd);
	if (getenv("FAKE_CARRIER_DIES")) {
		fputs("qemu: no such machine\n", stderr);
		return 1;
	}
	if (getenv("FAKE_CARRIER_HANGS"))
		pause();
	say(&p, CARRIER_READY, &version, sizeof(version));
	for (;;) {
		cleanup(carrier_run_request_deinit) struct carrier_run_request q = { 0 };
		struct carrier_frame f = hear(&p);

		if (f.type == CARRIER_RUN && carrier_run_request_read(f.payload, f.length, &q) == 0)
			play(&p, &q);
	}
}

/* ---- the tests ---- */

static struct carrier *start(int signal_fd)
{
	struct carrier_desc d = {
		.qemu = "/proc/self/exe",
		.kernel_path = "/proc/self/exe",
		.initramfs = "x",
		.initramfs_bytes = 1,
		.signal_fd = signal_fd,
	};
	struct carrier *c = NULL;

	assert_int_equal(carrier_start(&d, &c), 0);
	return c;
}

static struct carrier_command command(const char *const *argv)
{
	return (struct carrier_command){
		.argv = argv,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
	};
}

#define ARGV(name) ((const char *const[]){ name, NULL })

TEST(a_command_s_status_comes_back_and_others_may_follow)
{
	cleanup(carrier_freep) struct carrier *c = start(-1);

	for (int i = 0; i < 3; i++) {
		struct carrier_command q = command(ARGV("seven"));
		struct carrier_result result;

		assert_int_equal(carrier_exec(c, &q, &result), 0);
		assert_int_equal(result.end, CARRIER_EXITED);
		assert_int_equal(carrier_exit_status(&result), 7);
	}
}

TEST(a_carrier_is_nudged_while_its_command_runs)
{
	cleanup(carrier_freep) struct carrier *c = start(-1);
	struct carrier_command q = command(ARGV("nudged"));
	struct carrier_result result;

	q.timeout_ns = 60 * NSEC_PER_SEC;
	assert_int_equal(carrier_exec(c, &q, &result), 0);
	assert_int_equal(result.end, CARRIER_EXITED);
}

TEST(the_command_is_told_where_it_runs)
{
	cleanup(carrier_freep) struct carrier *c = start(-1);
	struct carrier_command q = command(ARGV("environment"));
	const char *const none[] = { NULL };
	struct carrier_result result;

	q.envp = none;
	assert_int_equal(carrier_exec(c, &q, &result), 0);
	assert_int_equal(result.status, 0);
}

TEST(more_input_than_the_window_passes_through_unharmed)
{
	cleanup(carrier_freep) struct carrier *c = start(-1);
	struct carrier_command q = command(ARGV("echo"));
	struct carrier_result result;
	cleanup(buf_deinit) struct buf got = BUF_NULL;
	FILE *in = tmpfile(), *out = tmpfile();

	for (int i = 0; i < 100000; i++)
		fprintf(in, "%d\n", i);
	rewind(in);
	q.stdin_fd = fileno(in);
	q.stdout_fd = fileno(out);
	assert_int_equal(carrier_exec(c, &q, &result), 0);
	rewind(out);
	assert_int_equal(buf_read_fd(&got, fileno(out), 1 << 20, "out"), 0);
	assert_int_equal(got.len, 588890);
	assert_int_equal(strncmp(got.data + got.len - 12, "99998\n99999\n", 12), 0);
	fclose(in);
	fclose(out);
}

TEST(a_carrier_that_dies_says_its_last_words)
{
	struct carrier_desc d = { .qemu = "/proc/self/exe",
				  .kernel_path = "/proc/self/exe",
				  .signal_fd = -1 };
	struct carrier *c = NULL;

	setenv("FAKE_CARRIER_DIES", "1", 1);
	assert_int_equal(carrier_start(&d, &c), -EIO);
	unsetenv("FAKE_CARRIER_DIES");
	assert_null(c);
	assert_non_null(strstr(err_text(), "while booting: qemu: no such machine"));
}

TEST(a_carrier_that_does_not_boot_is_given_up)
{
	struct carrier_desc d = { .qemu = "/proc/self/exe",
				  .kernel_path = "/proc/self/exe",
				  .boot_timeout_ns = 50 * NSEC_PER_MSEC,
				  .signal_fd = -1 };
	struct carrier *c = NULL;

	setenv("FAKE_CARRIER_HANGS", "1", 1);
	assert_int_equal(carrier_start(&d, &c), -ETIMEDOUT);
	unsetenv("FAKE_CARRIER_HANGS");
}

TEST(bad_descriptions_are_refused_with_the_name_of_the_file)
{
	static const struct {
		const char *qemu, *kernel, *disk, *words;
		int r;
	} cases[] = {
		{ "no-such-qemu", "/proc/self/exe", NULL, "no-such-qemu", -ENOENT },
		{ "/proc/self/exe", "/no/kernel", NULL, "/no/kernel", -ENOENT },
		{ "/proc/self/exe", "/proc/self/exe", "/no/disk", "disk /no/disk", -ENOENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct carrier_desc d = { .qemu = cases[i].qemu,
					  .kernel_path = cases[i].kernel,
					  .rw_disks = &cases[i].disk,
					  .rw_disk_count = cases[i].disk ? 1 : 0,
					  .signal_fd = -1 };
		struct carrier *c = NULL;

		assert_int_equal(carrier_start(&d, &c), cases[i].r);
		assert_non_null(strstr(err_text(), cases[i].words));
	}
}

TEST(death_failure_and_lies_of_a_running_carrier_are_errors)
{
	static const struct {
		const char *name;
		int r;
		const char *words;
	} cases[] = {
		{ "die", -EIO, "died" },
		{ "fail", -EIO, "out of luck" },
		{ "lie", -EPROTO, "more input" },
		{ "file", -EPROTO, "nobody asked" },
		{ "record", -EPROTO, "nobody asked" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(carrier_freep) struct carrier *c = start(-1);
		struct carrier_command q = command(ARGV(cases[i].name));
		struct carrier_result result;

		assert_int_equal(carrier_exec(c, &q, &result), cases[i].r);
		assert_non_null(strstr(err_text(), cases[i].words));
	}
}

TEST(a_deadline_kills_the_command_and_the_carrier_lives)
{
	cleanup(carrier_freep) struct carrier *c = start(-1);
	struct carrier_command q = command(ARGV("ignore"));
	struct carrier_result result;

	q.timeout_ns = 30 * NSEC_PER_MSEC;
	assert_int_equal(carrier_exec(c, &q, &result), 0);
	assert_int_equal(result.end, CARRIER_TIMED_OUT);
	assert_int_equal(carrier_exit_status(&result), 124);
	q = command(ARGV("seven"));
	assert_int_equal(carrier_exec(c, &q, &result), 0);
	assert_int_equal(result.status, 7);
}

/* Run @name, and send ourselves a SIGTERM when it says that it waits. */
static struct carrier_result interrupt_command(const char *name)
{
	cleanup(fd_closep) int signal_fd = -1;
	struct carrier_result result = { 0 };
	sigset_t old;
	int out[2];
	char byte;

	assert_int_equal(carrier_signals_take(&signal_fd, &old), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid_t self = getpid();
	pid_t killer = fork();
	if (killer == 0)
		_exit(read(out[0], &byte, 1) == 1 ? kill(self, SIGTERM) : 1);
	cleanup(carrier_freep) struct carrier *c = start(signal_fd);
	struct carrier_command q = command(ARGV(name));
	q.stdout_fd = out[1];
	assert_int_equal(carrier_exec(c, &q, &result), 0);
	waitpid(killer, NULL, 0);
	close(out[0]);
	close(out[1]);
	carrier_signals_give_back(&signal_fd, &old);
	return result;
}

TEST(a_signal_reaches_the_command_and_ends_the_run)
{
	struct carrier_result result = interrupt_command("obey");

	assert_int_equal(result.end, CARRIER_INTERRUPTED);
	assert_int_equal(carrier_exit_status(&result), 128 + SIGTERM);
}

TEST(a_command_that_ignores_signals_does_not_hold_us_up)
{
	uint64_t start_ns = now_ns();
	struct carrier_result result = interrupt_command("ignore");

	assert_int_equal(result.end, CARRIER_INTERRUPTED);
	assert_true(now_ns() - start_ns < 20 * NSEC_PER_SEC);
}

TEST(results_arrive_below_their_directory)
{
	cleanup(carrier_freep) struct carrier *c = start(-1);
	struct carrier_command q = command(ARGV("file"));
	struct carrier_result result;
	char dir[] = "/tmp/ktstr-test-XXXXXX", path[64];
	cleanup(buf_deinit) struct buf got = BUF_NULL;

	assert_non_null(mkdtemp(dir));
	q.results_dir = dir;
	assert_int_equal(carrier_exec(c, &q, &result), 0);
	assert_int_equal(result.result_files, 1);
	snprintf(path, sizeof(path), "%s/sub/x", dir);
	assert_int_equal(buf_read_file(&got, path, 100), 0);
	assert_string_equal(buf_text(&got), "result");
	unlink(path);
	snprintf(path, sizeof(path), "%s/sub", dir);
	rmdir(path);
	rmdir(dir);
}

static int note_record(void *ctx, const void *bytes, size_t len)
{
	buf_add(ctx, bytes, len);
	return 0;
}

TEST(a_record_comes_out_before_its_carrier_dies)
{
	cleanup(carrier_freep) struct carrier *c = start(-1);
	cleanup(buf_deinit) struct buf got = BUF_NULL;
	struct carrier_command q = command(ARGV("record"));
	struct carrier_result result;

	q.record = note_record;
	q.record_ctx = &got;
	assert_int_equal(carrier_exec(c, &q, &result), -EIO);
	assert_string_equal(buf_text(&got), "verdict\n");
}

TEST(the_carrier_is_gone_after_free)
{
	struct carrier *c = start(-1);
	int pid = carrier_pid(c);

	assert_int_equal(kill(pid, 0), 0);
	carrier_free(c);
	assert_int_equal(kill(pid, 0), -1);
	assert_null(carrier_free(NULL));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(a_command_s_status_comes_back_and_others_may_follow),
		T(a_carrier_is_nudged_while_its_command_runs),
		T(the_command_is_told_where_it_runs),
		T(more_input_than_the_window_passes_through_unharmed),
		T(a_carrier_that_dies_says_its_last_words),
		T(a_carrier_that_does_not_boot_is_given_up),
		T(bad_descriptions_are_refused_with_the_name_of_the_file),
		T(death_failure_and_lies_of_a_running_carrier_are_errors),
		T(a_deadline_kills_the_command_and_the_carrier_lives),
		T(a_signal_reaches_the_command_and_ends_the_run),
		T(a_command_that_ignores_signals_does_not_hold_us_up),
		T(results_arrive_below_their_directory),
		T(a_record_comes_out_before_its_carrier_dies),
		T(the_carrier_is_gone_after_free),
	};

	if (argc > 1)
		return play_carrier(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
