// SPDX-License-Identifier: GPL-2.0-only
/* The socket beside a running disk: limits change and counters are read while requests wait. */
#include "rig.h"

#include "devices/blk/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct bench {
	struct rig r;
	char dir[32];
	char path[64];
	int fd;
};

static int connected(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void begin(struct bench *b, enum rig_mode mode, const char *options)
{
	char all[256];

	memcpy(b->dir, "/tmp/ktstr-control-XXXXXX", 26);
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/socket", b->dir);
	snprintf(all, sizeof(all), ",control=%s%s", b->path, options);
	rig_init(&b->r, mode, all);
	b->fd = connected(b->path);
}

static void end(struct bench *b)
{
	struct stat st;

	close(b->fd);
	rig_deinit(&b->r);
	assert_int_equal(stat(b->path, &st), -1); /* the socket went with the disk */
	rmdir(b->dir);
}

/* One line of answer; "" if the disk has hung up. */
static void take_line(int fd, char *ret, size_t size)
{
	size_t at = 0;

	while (at + 1 < size) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		assert_int_equal(poll(&p, 1, 10000), 1);
		if (read(fd, ret + at, 1) <= 0)
			break;
		if (ret[at++] == '\n')
			break;
	}
	ret[at] = '\0';
}

static const char *ask(struct bench *b, const char *line)
{
	static char answer[16384];

	assert_int_equal(send(b->fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	take_line(b->fd, answer, sizeof(answer));
	return answer;
}

static void post_reads(struct rig *r, unsigned count)
{
	static const struct piece read[] = { { RIG_HEADER, 16, R },
					     { RIG_DATA, 512, W },
					     { RIG_STATUS, 1, W } };

	rig_header(r, RIG_HEADER, VIRTIO_BLK_T_IN, 0);
	for (unsigned i = 0; i < count; i++)
		rig_post(r, read, 3);
	rig_kick(r);
}

ETEST(limits_change_while_a_request_waits_for_them)
{
	struct bench b;

	begin(&b, RIG_MODE, ",throttle=iops=1,iops-burst=2");
	post_reads(&b.r, 10);
	rig_wait_on(&b.r, 0, 2);
	/* The third waits for most of a second; without limits it and the others go at once. */
	while (!strstr(ask(&b, "counters\n"), "\"currently_throttled\":1"))
		;
	assert_string_equal(ask(&b, "throttle none\n"), "OK\n");
	rig_wait_on(&b.r, 0, 10);
	assert_non_null(strstr(ask(&b, "counters\n"), "\"reads_completed\":10,"));
	/* And limits come back; nothing was saved meanwhile. */
	assert_string_equal(ask(&b, "throttle write-iops=1000,read-iops=1\n"), "OK\n");
	post_reads(&b.r, 3);
	rig_wait_on(&b.r, 0, 11);
	while (!strstr(ask(&b, "counters\n"), "\"currently_throttled\":1"))
		;
	assert_string_equal(ask(&b, "throttle none\n"), "OK\n");
	rig_wait_on(&b.r, 0, 13);
	end(&b);
}

ETEST(what_is_no_command_is_refused_in_words)
{
	static const char *const bad[] = { "\n",	   "throttle\n",   "throttle x=1\n",
					   "counters 1\n", "Throttle 1\n", "throttle iops=0\n" };
	struct bench b;

	begin(&b, RIG_MODE, "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_memory_equal(ask(&b, bad[i]), "FAIL ", 5);
	assert_string_equal(ask(&b, "faults\n"), "OK []\n");
	end(&b);
}

ETEST(lines_come_in_any_pieces_and_one_without_end_ends_the_client)
{
	static char endless[BLK_CONTROL_LINE_MAX + 1];
	char answer[64];
	struct bench b;

	begin(&b, RIG_MODE, "");
	assert_int_equal(send(b.fd, "fau", 3, 0), 3);
	assert_string_equal(ask(&b, "lts\nthrottle none\n"), "OK []\n");
	take_line(b.fd, answer, sizeof(answer));
	assert_string_equal(answer, "OK\n");
	memset(endless, 'x', sizeof(endless));
	assert_true(send(b.fd, endless, sizeof(endless), MSG_NOSIGNAL) > 0);
	take_line(b.fd, answer, sizeof(answer));
	assert_string_equal(answer, "");
	/* The next one is served. */
	close(b.fd);
	b.fd = connected(b.path);
	assert_string_equal(ask(&b, "faults\n"), "OK []\n");
	end(&b);
}

TEST(a_socket_that_cannot_be_stops_the_start)
{
	struct blk_spec spec;
	struct blk *blk;

	assert_int_equal(blk_spec_parse("ram:1M,control=/proc/none/socket", &spec), 0);
	assert_int_equal(blk_new(&spec, NULL, &blk), 0);
	assert_int_equal(blk_start(blk), -ENOENT);
	assert_non_null(strstr(err_text(), "/proc/none/socket"));
	err_clear();
	blk_free(blk);
}

#define WITH_THREADS(name)                                                                         \
	ON(name, RIG_INLINE_THREADS), ON(name, RIG_WORKER_THREADS), ON(name, RIG_URING_THREADS)

TESTS(WITH_THREADS(limits_change_while_a_request_waits_for_them),
      WITH_THREADS(what_is_no_command_is_refused_in_words),
      WITH_THREADS(lines_come_in_any_pieces_and_one_without_end_ends_the_client),
      T(a_socket_that_cannot_be_stops_the_start))
