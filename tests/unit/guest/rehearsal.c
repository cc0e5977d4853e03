// SPDX-License-Identifier: GPL-2.0-only
#include "rehearsal.h"

#include "base/util.h"
#include "guest/conductor.h"
#include "stats/hist.h"
#include "wire/frame.h"

#include "test.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct plan rehearsal_plan(uint32_t workload, uint32_t workers, uint64_t iterations)
{
	const struct workload *w = workload_by_id(workload);
	struct plan p = PLAN_NULL;
	struct plan_group group = { .name = "group",
				    .workload = workload,
				    .worker_count = workers };
	struct plan_worker worker = { .cgroup = PLAN_NONE };
	struct plan_op spawn = { .code = OP_SPAWN };
	struct plan_step step = { .name = "hold",
				  .op_count = 1,
				  .hold = HOLD_ITERATIONS,
				  .value = iterations,
				  .hold_ns = 10 * NSEC_PER_SEC };
	uint32_t offset;

	workload_defaults(w, group.params);
	group.ensemble = workload_ensemble(w, group.params);
	p.header.version = WIRE_VERSION;
	p.header.id = 7;
	assert_int_equal(plan_add_string(&p, "", &offset), 0);
	assert_int_equal(plan_add_group(&p, &group, NULL), 0);
	for (uint32_t i = 0; i < workers; i++)
		assert_int_equal(plan_add_worker(&p, &worker, NULL), 0);
	assert_int_equal(plan_add_op(&p, &spawn, NULL), 0);
	assert_int_equal(plan_add_step(&p, &step, NULL), 0);
	return p;
}

/* Until the conductor ends; a packet of its socket is what it gave to one write(). */
static void collect(struct rehearsal *r, int fd)
{
	enum { WRITE_MAX = 1 << 20 };
	char *packet = malloc(WRITE_MAX);
	ssize_t n;

	assert_non_null(packet);
	while ((n = recv(fd, packet, WRITE_MAX, MSG_TRUNC)) > 0) {
		assert_true(n <= WRITE_MAX);
		buf_add(&r->stream, packet, (size_t)n);
		buf_add(&r->write_ends, &r->stream.len, sizeof(r->stream.len));
	}
	assert_int_equal(n, 0);
	free(packet);
}

static struct rehearsal perform(const struct plan *p, bool is_stopped)
{
	struct rehearsal r = { .limits = { .workers = p->header.worker_count,
					   .cgroups = p->header.cgroup_count,
					   .payloads = p->header.payload_count,
					   .steps = p->header.step_count,
					   .ops = p->header.op_count,
					   .buckets = HIST_BUCKETS } };
	int frames[2], control[2];
	pid_t pid;

	assert_int_equal(plan_check(p), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, frames), 0);
	assert_int_equal(pipe(control), 0);
	if (is_stopped)
		assert_int_equal(write(control[1], "s", 1), 1);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(frames[0]);
		close(control[1]);
		_exit(conductor_run(p, frames[1], control[0]));
	}
	close(frames[1]);
	close(control[0]);
	collect(&r, frames[0]);
	close(frames[0]);
	close(control[1]);
	assert_int_equal(waitpid(pid, &r.status, 0), pid);
	return r;
}

struct rehearsal rehearse(const struct plan *p)
{
	return perform(p, false);
}

struct rehearsal rehearse_stopped(const struct plan *p)
{
	return perform(p, true);
}

void rehearsal_deinit(struct rehearsal *r)
{
	buf_deinit(&r->stream);
	buf_deinit(&r->write_ends);
}

const void *rehearsal_frame(const struct rehearsal *r, unsigned type, unsigned nth, size_t *len_ret)
{
	size_t at = 0;

	for (uint32_t seq = 0; at < r->stream.len; seq++) {
		struct buf rest = { .data = r->stream.data + at, .len = r->stream.len - at };
		struct frame f;

		if (frame_peek(&rest, seq, &f))
			fail_msg("%s", err_text());
		if (f.type == type && nth-- == 0) {
			*len_ret = f.len;
			return f.payload;
		}
		at += FRAME_HEADER_BYTES + f.len;
	}
	return NULL;
}

unsigned rehearsal_count(const struct rehearsal *r, unsigned type)
{
	unsigned n = 0;
	size_t len;

	while (rehearsal_frame(r, type, n, &len))
		n++;
	return n;
}

struct wire_report rehearsal_report(const struct rehearsal *r, uint32_t worker, uint16_t window)
{
	const void *payload;
	struct wire_report m;
	size_t len = 0;

	for (unsigned n = 0; (payload = rehearsal_frame(r, FRAME_REPORT, n, &len)); n++) {
		assert_int_equal(report_decode(payload, len, &r->limits, &m), 0);
		for (uint32_t i = 0; i < m.bucket_count; i++) {
			struct wire_bucket b;

			assert_int_equal(report_bucket(payload, i, &r->limits, &b), 0);
		}
		if (m.worker == worker && m.window == window)
			return m;
	}
	fail_msg("no report of worker %u for window %u", worker, window);
	return m;
}

const char *rehearsal_failure(const struct rehearsal *r, char text[512])
{
	size_t len = 0, text_len = 0;
	const void *payload = rehearsal_frame(r, FRAME_FAILED, 0, &len);
	struct wire_failed head;
	const char *words = "";

	if (payload)
		assert_int_equal(failed_decode(payload, len, &head, &words, &text_len), 0);
	snprintf(text, 512, "%.*s", (int)text_len, words);
	return text;
}
