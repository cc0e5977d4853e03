// SPDX-License-Identifier: GPL-2.0-only
/* Steps and holds. Time passes only inside conductor_wait() and its like, which handle everything
 * that happens meanwhile: children, payload output, the host's stop, samples, loops. */
#include "guest/conductor.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "guest/cgroup.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONDUCTOR_PRIORITY = 99, DEFAULT_REPORT_DEADLINE_NS = 10 * NSEC_PER_SEC };

static void flush(struct conductor *c)
{
	if (write_all(c->out_fd, c->out.data, c->out.len))
		_exit(CONDUCTOR_FAILED);
	buf_reset(&c->out);
}

void conductor_keep(struct conductor *c, enum frame_type type, const void *head, size_t head_len,
		    const void *tail, size_t tail_len)
{
	enum { KEPT_MAX = 1 << 20 };
	cleanup(buf_deinit) struct buf payload = BUF_NULL;
	int r;

	buf_add(&payload, head, head_len);
	if (tail_len)
		buf_add(&payload, tail, tail_len);
	r = buf_ok(&payload);
	if (!r)
		r = frame_put(&c->out, &c->seq, type, payload.data, payload.len);
	if (!r)
		r = buf_ok(&c->out);
	if (r)
		_exit(CONDUCTOR_FAILED);
	if (c->out.len > KEPT_MAX)
		flush(c);
}

void conductor_send(struct conductor *c, enum frame_type type, const void *head, size_t head_len,
		    const void *tail, size_t tail_len)
{
	conductor_keep(c, type, head, head_len, tail, tail_len);
	if (c->out.len)
		flush(c);
}

void conductor_event(struct conductor *c, const struct wire_event *e)
{
	conductor_send(c, FRAME_EVENT, e, sizeof(*e), NULL, 0);
}

/* Something about the current step that happened at @ns. */
static void tell(struct conductor *c, enum wire_event_code code, uint64_t ns, uint64_t arg)
{
	struct wire_event e = { .ns = ns, .code = code, .index = c->step, .args = { arg } };

	conductor_event(c, &e);
}

static void tell_plan(struct conductor *c, enum wire_event_code code)
{
	struct wire_event e = { .ns = now_ns(), .code = code, .index = c->plan->header.id };

	conductor_event(c, &e);
}

void conductor_fail(struct conductor *c, enum wire_failed_kind kind, uint32_t index,
		    const char *text)
{
	struct wire_failed f = { .plan_id = c->plan->header.id, .kind = kind, .index = index };

	if (c->has_failed)
		return;
	c->has_failed = true;
	conductor_send(c, FRAME_FAILED, &f, sizeof(f), text, strlen(text));
}

bool conductor_is_ending(const struct conductor *c)
{
	return c->has_failed || c->is_stopped;
}

static int child_ready(void *ctx, uint32_t events)
{
	struct conductor *c = ctx;
	struct signalfd_siginfo info;
	struct rusage usage;
	int status;
	pid_t pid;

	while (read(c->child_watch.fd, &info, sizeof(info)) > 0)
		;
	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
		if (!crew_ended(c, pid, status))
			payload_ended(c, pid, status, &usage);
	return 0;
}

static int control_ready(void *ctx, uint32_t events)
{
	struct conductor *c = ctx;
	char byte;

	/* A byte, or the end: init is gone, and so are we soon. */
	(void)!read(c->control_watch.fd, &byte, 1);
	c->is_stopped = true;
	loop_unwatch(&c->loop, &c->control_watch);
	return 0;
}

int conductor_wait(struct conductor *c, bool (*is_done)(const struct conductor *c, uint32_t index),
		   uint32_t index, uint64_t deadline_ns)
{
	while (!is_done(c, index)) {
		int r;

		if (conductor_is_ending(c))
			return -ECANCELED;
		r = loop_round(&c->loop, MIN(deadline_ns, payload_deadline_ns(c)));
		if (r < 0)
			return err_trace(r);
		payload_enforce_deadlines(c);
		if (now_ns() >= deadline_ns)
			return err_new(-ETIMEDOUT, "no event in time");
	}
	return 0;
}

/* Run a list of ops. A failure is told and ends the plan. */
static void run_ops(struct conductor *c, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count && !conductor_is_ending(c); i++) {
		int r = op_run(c, first + i);

		if (r && r != -ECANCELED)
			conductor_fail(c, op_failure(c, first + i), first + i, err_text());
	}
}

/* Has the condition of the hold come? */
static bool is_condition_met(const struct conductor *c, const struct plan_step *s)
{
	switch (s->hold) {
	case HOLD_EXITS:
		return crew_has_exited(c, s->target);
	case HOLD_PAYLOAD:
		return payload_has_ended(c, s->target);
	case HOLD_ITERATIONS:
		return crew_iterations(c, s->target) >= s->value;
	default:
		return false;
	}
}

/* The things that recur inside a hold, by the time of their next turn. */
struct beat {
	uint64_t interval_ns; /* 0: never */
	uint64_t next_ns;
};

static struct beat beat_from(uint64_t start_ns, uint64_t interval_ns)
{
	return (struct beat){ .interval_ns = interval_ns,
			      .next_ns = interval_ns ? start_ns + interval_ns : UINT64_MAX };
}

/* Is it time? Turns that were missed are left out, not made up for. */
static bool beat_is_due(struct beat *b)
{
	uint64_t now = now_ns();

	if (now < b->next_ns)
		return false;
	b->next_ns += b->interval_ns;
	if (b->next_ns <= now)
		b->next_ns = now + b->interval_ns;
	return true;
}

static void tick(struct conductor *c)
{
	crew_sample(c, now_ns());
	sample_tasks(c, SAMPLE_TICK);
	sample_system(c, SAMPLE_TICK);
}

static void run_loop_turn(struct conductor *c, const struct plan_step *s)
{
	run_ops(c, s->loop_first_op, s->loop_op_count);
	/* Workers that this turn spawned go now. */
	crew_open_gates(c);
}

/* Counting iterations has no event of its own: it is looked at this often. */
enum { ITERATIONS_LOOK_NS = 1000 * 1000 };

/* Returns whether the condition came in time. */
static bool hold(struct conductor *c, const struct plan_step *s)
{
	uint64_t start = now_ns(), end = start + s->hold_ns;
	struct beat sample = beat_from(start, c->plan->header.sample_ns);
	struct beat turn = beat_from(start, s->loop_op_count ? s->loop_interval_ns : 0);
	struct beat look = beat_from(start, s->hold == HOLD_ITERATIONS ? ITERATIONS_LOOK_NS : 0);

	while (now_ns() < end && !conductor_is_ending(c)) {
		uint64_t beat = MIN(sample.next_ns, turn.next_ns);
		uint64_t next = MIN(end, beat);

		if (is_condition_met(c, s))
			return true;
		next = MIN(next, look.next_ns);
		if (loop_round(&c->loop, MIN(next, payload_deadline_ns(c))) < 0)
			conductor_fail(c, FAILED_GUEST, 0, err_text());
		payload_enforce_deadlines(c);
		if (beat_is_due(&sample) && now_ns() < end)
			tick(c);
		if (beat_is_due(&turn) && now_ns() < end)
			run_loop_turn(c, s);
		beat_is_due(&look);
	}
	return false;
}

/* The window is the hold: what takes time (the kernel's files, the reports) is done outside. */
static void run_hold(struct conductor *c, const struct plan_step *s)
{
	bool is_met;

	sample_system(c, SAMPLE_HOLD_BEGIN);
	crew_begin_window(c);
	sample_tasks(c, SAMPLE_HOLD_BEGIN);
	tell(c, EVENT_HOLD_BEGIN, c->window_start_ns, 0);
	crew_open_gates(c);
	is_met = hold(c, s);
	crew_end_window(c);
	sample_system(c, SAMPLE_HOLD_END);
	sample_tasks(c, SAMPLE_HOLD_END);
	tell(c, EVENT_HOLD_END, c->window_end_ns, is_met);
	crew_report_window(c);
}

static void run_steps(struct conductor *c)
{
	for (c->step = 0; c->step < c->plan->header.step_count; c->step++) {
		const struct plan_step *s = &c->plan->steps[c->step];

		run_ops(c, s->first_op, s->op_count);
		if (conductor_is_ending(c))
			return;
		if (s->hold != HOLD_NONE)
			run_hold(c, s);
		if (conductor_is_ending(c))
			return;
	}
	c->step = c->plan->header.step_count - 1;
}

/* A frozen worker would not hear the stop. */
static void thaw_all(struct conductor *c)
{
	for (uint32_t i = 0; i < c->plan->header.cgroup_count; i++)
		if (c->is_frozen[i] &&
		    cgroup_freeze(c->plan->cgroups[i].path, false, now_ns() + NSEC_PER_SEC))
			err_clear();
}

/* A worker is born with it blocked, and takes it when it can. */
static void block_stop_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, worker_stop_signal());
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int watch_events(struct conductor *c, int control_fd)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	block_stop_signal();
	c->child_watch = (struct watch){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
					 .ready = child_ready,
					 .ctx = c };
	if (c->child_watch.fd < 0)
		return err_new(-errno, "signalfd: %s", strerror(errno));
	r = loop_watch(&c->loop, &c->child_watch, EPOLLIN);
	if (r)
		return err_trace(r);
	c->control_watch = (struct watch){ .fd = control_fd, .ready = control_ready, .ctx = c };
	return loop_watch(&c->loop, &c->control_watch, EPOLLIN);
}

static int allocate(struct conductor *c)
{
	const struct plan_header *h = &c->plan->header;

	c->members = calloc(h->worker_count + 1, sizeof(*c->members));
	c->allowed = calloc(h->worker_count + 1, sizeof(*c->allowed));
	c->payloads = calloc(h->payload_count + 1, sizeof(*c->payloads));
	c->has_cgroup = calloc(h->cgroup_count + 1, sizeof(*c->has_cgroup));
	c->is_frozen = calloc(h->cgroup_count + 1, sizeof(*c->is_frozen));
	c->undos = calloc(h->op_count + 1, sizeof(*c->undos));
	if (!c->members || !c->allowed || !c->payloads || !c->has_cgroup || !c->is_frozen ||
	    !c->undos)
		return err_new(-ENOMEM, "plan: out of memory");
	for (uint32_t i = 0; i < h->worker_count; i++)
		c->allowed[i] = c->plan->workers[i].allowed;
	return 0;
}

/* Above everything it watches, so that its clock is right when all CPUs are busy. A kernel or a
 * container that refuses is no reason not to run. */
static void raise_priority(void)
{
	struct sched_param param = { .sched_priority = CONDUCTOR_PRIORITY };

	(void)!sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

static int set_up(struct conductor *c, int control_fd)
{
	int r = allocate(c);

	if (!r)
		r = pool_init(&c->pool, c->plan);
	if (!r)
		r = loop_init(&c->loop);
	if (!r)
		r = watch_events(c, control_fd);
	if (!r)
		r = crew_init(c);
	raise_priority();
	return r;
}

static void tear_down(struct conductor *c)
{
	crew_deinit(c);
	fd_close(loop_unwatch(&c->loop, &c->child_watch));
	loop_unwatch(&c->loop, &c->control_watch);
	loop_deinit(&c->loop);
	pool_deinit(&c->pool);
	buf_deinit(&c->out);
	free(c->members);
	free(c->allowed);
	free(c->payloads);
	free(c->has_cgroup);
	free(c->is_frozen);
	free(c->undos);
}

enum conductor_status conductor_run(const struct plan *plan, int out_fd, int control_fd)
{
	struct conductor c = { .plan = plan,
			       .pool = POOL_NULL,
			       .loop = LOOP_NULL,
			       .child_watch = WATCH_NULL,
			       .ready_watch = WATCH_NULL,
			       .control_watch = WATCH_NULL,
			       .out_fd = out_fd,
			       .report_deadline_ns = plan->header.report_deadline_ns };
	int r = set_up(&c, control_fd);

	if (!c.report_deadline_ns)
		c.report_deadline_ns = DEFAULT_REPORT_DEADLINE_NS;
	if (r)
		conductor_fail(&c, FAILED_GUEST, 0, err_text());
	if (!r) {
		tell_plan(&c, EVENT_PLAN_BEGIN);
		run_steps(&c);
		thaw_all(&c);
		crew_stop_all(&c);
		payload_kill_all(&c);
		ops_undo(&c);
		tell_plan(&c, EVENT_PLAN_END);
	}
	tear_down(&c);
	if (c.has_failed)
		return CONDUCTOR_FAILED;
	return c.is_stopped ? CONDUCTOR_STOPPED : CONDUCTOR_OK;
}
