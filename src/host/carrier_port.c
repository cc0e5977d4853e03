// SPDX-License-Identifier: GPL-2.0-only
#include "host/carrier_port.h"

#include "base/buf.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int carrier_port_open(const char *name, int flags, int *ret)
{
	char device[PATH_MAX] = "", wanted[64];
	glob_t found;

	snprintf(wanted, sizeof(wanted), "%s\n", name);
	if (glob("/sys/class/virtio-ports/*/name", 0, NULL, &found))
		return err_new(-ENODEV, "carrier: no virtio-serial port");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		cleanup(buf_deinit) struct buf is = BUF_NULL;

		if (buf_read_file(&is, found.gl_pathv[i], sizeof(wanted)) >= 0 &&
		    !strcmp(buf_text(&is), wanted))
			snprintf(device, sizeof(device), "/dev/%s",
				 basename(dirname(found.gl_pathv[i])));
	}
	globfree(&found);
	if (!*device)
		return err_new(-ENODEV, "carrier: no port named %s", name);
	int fd = open(device, flags | O_CLOEXEC);
	if (fd < 0)
		return err_new(-errno, "carrier: open %s: %s", device, strerror(errno));
	*ret = fd;
	return 0;
}

/* ---- inside ---- */

static int read_answer(int fd, uint64_t deadline_ns, char answer[8])
{
	size_t have = 0;

	while (have < 8) {
		struct pollfd ready = { fd, POLLIN, 0 };
		ssize_t n;

		if (poll(&ready, 1, timeout_ms_until(deadline_ns)) == 0)
			return err_new(-ETIMEDOUT, "carrier: no answer about its delay");
		n = read(fd, answer + have, 8 - have);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return err_new(n ? -errno : -EPIPE, "carrier: read the delay: %s",
				       strerror(n ? errno : EPIPE));
		have += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int carrier_delay_ask(int fd, uint64_t *ret)
{
	char answer[8];
	int r;

	if (write(fd, "?", 1) != 1)
		return err_new(-errno, "carrier: ask for the delay: %s", strerror(errno));
	r = read_answer(fd, now_ns() + NSEC_PER_SEC, answer);
	if (r < 0)
		return err_trace(r);
	*ret = le64_get(answer);
	return *ret == CARRIER_DELAY_UNKNOWN ? -ENODATA : 0;
}

/* ---- outside ---- */

/* QEMU (-name debug-threads=on) calls the threads that emulate CPUs "CPU 0/TCG", or "ALL CPUs/TCG". */
static bool emulates_cpus(const char *task)
{
	cleanup(buf_deinit) struct buf name = BUF_NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/comm", task);
	return buf_read_file(&name, path, 64) >= 0 && strstr(buf_text(&name), "/TCG");
}

/* The second number: time spent on a runqueue. */
static uint64_t run_delay_ns(const char *task)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	char path[PATH_MAX];
	uint64_t ran_ns, delay_ns;

	snprintf(path, sizeof(path), "%s/schedstat", task);
	if (buf_read_file(&text, path, 128) < 0 ||
	    sscanf(buf_text(&text), "%" SCNu64 " %" SCNu64, &ran_ns, &delay_ns) != 2)
		return CARRIER_DELAY_UNKNOWN;
	/* A kernel without these figures says that nobody ever ran. */
	return ran_ns ? delay_ns : CARRIER_DELAY_UNKNOWN;
}

uint64_t carrier_delay_ns(pid_t qemu)
{
	uint64_t delay_ns = CARRIER_DELAY_UNKNOWN;
	char pattern[64];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*", (int)qemu);
	if (glob(pattern, 0, NULL, &found))
		return CARRIER_DELAY_UNKNOWN;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (emulates_cpus(found.gl_pathv[i]))
			delay_ns = run_delay_ns(found.gl_pathv[i]);
	}
	globfree(&found);
	err_clear();
	return delay_ns;
}

void carrier_delay_answer(int fd, pid_t qemu)
{
	char questions[64], answer[8];
	ssize_t n = read(fd, questions, sizeof(questions));

	if (n <= 0)
		return;
	le64_put(answer, carrier_delay_ns(qemu));
	for (ssize_t i = 0; i < n; i++) {
		if (send(fd, answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer))
			return;
	}
}
