// SPDX-License-Identifier: GPL-2.0-only
#include "harness/trial.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/pulse.h"
#include "vmm/machine.h"

#include <errno.h>
#include <stdlib.h>

static int send_plan(struct session *session, const struct cell *cell)
{
	cleanup(buf_deinit) struct buf payload = BUF_NULL;
	int r = plan_encode(cell_sent_plan(cell), &payload);

	return r < 0 ? err_trace(r) : session_send(session, FRAME_PLAN, payload.data, payload.len);
}

/* Where the counters of an edge go. */
struct edge {
	uint64_t *delays_ns, *taken_ns;
	struct window_data *window; /* NULL: a payload's */
};

static struct edge find_edge(const struct telemetry *t, int what, uint32_t index, bool is_end)
{
	struct payload_data *p;
	struct window_data *w;

	if (what == TELEMETRY_PAYLOAD_EDGE) {
		p = &t->payloads[index];
		return is_end ? (struct edge){ p->host_delay_end_ns, &p->taken.end_ns, NULL }
			      : (struct edge){ p->host_delay_begin_ns, &p->taken.begin_ns, NULL };
	}
	w = telemetry_window(t, cell_window_of_step(t->cell, index));
	return is_end ? (struct edge){ w->host_delay_end_ns, &w->taken.end_ns, w }
		      : (struct edge){ w->host_delay_begin_ns, &w->taken.begin_ns, w };
}

/* The counters of the vCPU threads at an edge of a window or a payload's life. A thread that is gone
 * has none; the machine's end will say so. False: one is missing. */
static bool sample_host(struct machine *machine, const struct telemetry *t, uint64_t *to)
{
	bool has_all = true;

	for (unsigned cpu = 0; machine && cpu < t->cpu_count; cpu++) {
		struct vcpu_noise noise;

		if (machine_vcpu_noise(machine, cpu, &noise) == 0)
			to[cpu] = noise.run_delay_ns;
		else
			has_all = false;
	}
	if (!has_all)
		err_clear();
	return has_all;
}

static int take_in(const struct frame *f, struct machine *machine, struct pulse *pulse,
		   struct telemetry *t)
{
	uint32_t index = 0;
	bool is_end = false, has_all;
	struct edge edge;
	int r = telemetry_add(t, f, &index, &is_end);

	if (r != TELEMETRY_WINDOW_EDGE && r != TELEMETRY_PAYLOAD_EDGE)
		return r;
	edge = find_edge(t, r, index, is_end);
	has_all = sample_host(machine, t, edge.delays_ns);
	*edge.taken_ns = pulse_taken_ns(pulse);
	if (!edge.window)
		return 0;
	edge.window->lost_ns = pulse_lost_ns(pulse);
	edge.window->is_host_silent |= !has_all;
	return 0;
}

static enum trial_end end_of_outcome(int outcome)
{
	switch (outcome) {
	case SESSION_TIMEOUT:
		return TRIAL_TIMEOUT;
	case SESSION_ENDED:
		return TRIAL_ENDED;
	case SESSION_INTERRUPTED:
		return TRIAL_INTERRUPTED;
	default:
		return TRIAL_GARBLED;
	}
}

int trial_run(struct session *session, struct machine *machine, struct cell *cell,
	      struct telemetry *telemetry, enum trial_end *end_ret)
{
	uint64_t deadline_ns = now_ns() + cell->timeout_ns;
	cleanup(pulse_stop) struct pulse pulse = { .is_beating = false };
	int r = getenv("KTSTR_IN_CARRIER") ? pulse_start(&pulse) : 0;

	if (r == 0)
		r = send_plan(session, cell);
	while (r == 0 && !telemetry->is_done) {
		struct frame f;

		r = session_next(session, deadline_ns, &f);
		if (r == 0)
			r = take_in(&f, machine, &pulse, telemetry);
	}
	if (r == -ENOMEM)
		return err_trace(r);
	*end_ret = r == 0 ? TRIAL_DONE : end_of_outcome(r);
	return 0;
}
