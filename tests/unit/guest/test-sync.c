// SPDX-License-Identifier: GPL-2.0-only
/* Since when is who is woken due? Members of one ensemble, all played by the test's own thread: what is
 * between a wake-up and running is as long as the test says. */
#include "guest/conductor.h"
#include "guest/work.h"
#include "guest/work_sync.h"

#include "base/cleanup.h"
#include "base/util.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMBERS = 4 };
static const uint64_t LATE_NS = 350 * NSEC_PER_MSEC;

struct stage {
	struct worker members[MEMBERS];
	struct telemetry telemetry[MEMBERS];
	struct pool_head head;
	struct plan_group group;
	struct ensemble ensemble;
	char shared[WORKER_SHARED_BYTES] __attribute__((aligned(128)));
};

static struct stage *stage_new(void)
{
	struct stage *s = aligned_alloc(128, align_up(sizeof(*s), 128));

	assert_non_null(s);
	memset(s, 0, sizeof(*s));
	s->ensemble = (struct ensemble){ .fds = { -1, -1 }, .shared = s->shared };
	for (uint32_t i = 0; i < MEMBERS; i++) {
		telemetry_part_clear(&s->telemetry[i].part[0]);
		telemetry_part_clear(&s->telemetry[i].part[1]);
		s->members[i] = (struct worker){ .pool = &s->head,
						 .telemetry = &s->telemetry[i],
						 .group = &s->group,
						 .ensemble = &s->ensemble,
						 .member = i,
						 .members = MEMBERS,
						 .stride = 1,
						 .left = 1,
						 .cpu = REPORT_NO_CPU,
						 .last_ns = now_ns() };
	}
	return s;
}

static void stagep(struct stage **s)
{
	for (int i = 0; i < 2; i++)
		fd_close((*s)->ensemble.fds[i]);
	free(*s);
}

static uint64_t due_of(const struct stage *s, uint32_t member)
{
	return shared_get(&s->telemetry[member].due_ns);
}

/* Time passes, and it has not come to run. */
static void let_wait(struct stage *s, uint32_t member)
{
	assert_true(due_of(s, member) >= DUE_TIMES);
	shared_set(&s->telemetry[member].due_ns, due_of(s, member) - LATE_NS);
}

static void assert_was_late(const struct stage *s, uint32_t member)
{
	const struct hist *wakes = &s->telemetry[member].part[0].wakes;

	assert_int_equal(wakes->count, 1);
	assert_true(wakes->max_ns >= LATE_NS);
}

/* One turn of a workload that goes on for ever. */
static void perform_once(struct worker *w, void (*work)(struct worker *w, const uint64_t *p),
			 const uint64_t *p)
{
	struct plan_group once = { .iterations = shared_get(&w->telemetry->iterations) + 1 };

	w->group = &once;
	w->left = 1;
	if (!sigsetjmp(w->stop, 0))
		work(w, p);
}

TEST(who_is_woken_again_and_again_is_due_since_the_first_time)
{
	cleanup(stagep) struct stage *s = stage_new();

	worker_block(&s->members[1], DUE_STAMPED);
	worker_stamp(&s->members[0], 1);
	let_wait(s, 1);
	worker_stamp(&s->members[0], 1);
	worker_unblock(&s->members[1]);
	assert_was_late(s, 1);
}

TEST(who_runs_or_sleeps_to_a_time_is_not_stamped)
{
	cleanup(stagep) struct stage *s = stage_new();
	uint64_t later = now_ns() + NSEC_PER_SEC;

	worker_stamp(&s->members[0], 1);
	assert_int_equal(due_of(s, 1), DUE_UNKNOWN);
	worker_block(&s->members[1], later);
	worker_stamp(&s->members[0], 1);
	assert_int_equal(due_of(s, 1), later);
	worker_block(&s->members[1], DUE_CALLED);
	worker_stamp(&s->members[0], 1);
	assert_int_equal(due_of(s, 1), DUE_CALLED);
}

TEST(rounds_that_go_on_without_a_waiter_do_not_make_it_look_in_time)
{
	static const uint64_t herd[] = { MEMBERS - 1, 10 * NSEC_PER_USEC };
	static const uint64_t fanout[] = { MEMBERS - 1, 4096, 1, NSEC_PER_USEC };
	cleanup(stagep) struct stage *s = stage_new();

	worker_block(&s->members[1], DUE_STAMPED);
	worker_block(&s->members[2], DUE_STAMPED);
	perform_once(&s->members[0], work_thundering_herd, herd);
	let_wait(s, 1);
	perform_once(&s->members[0], work_thundering_herd, herd);
	worker_unblock(&s->members[1]);
	assert_was_late(s, 1);
	let_wait(s, 2);
	perform_once(&s->members[0], work_fanout_compute, fanout);
	worker_unblock(&s->members[2]);
	assert_was_late(s, 2);
}

TEST(a_consumer_is_due_since_the_oldest_item_that_it_was_woken_for)
{
	cleanup(stagep) struct stage *s = stage_new();
	struct work_semaphore *items = s->ensemble.shared;

	work_bell_begin(&s->members[1], &items->bell);
	assert_true(work_semaphore_release(&s->members[0], items, 64));
	let_wait(s, 1);
	for (int i = 0; i < 63; i++)
		assert_true(work_semaphore_release(&s->members[0], items, 64));
	assert_false(work_semaphore_release(&s->members[0], items, 64));
	work_bell_end(&s->members[1], &items->bell);
	assert_was_late(s, 1);
	assert_int_equal(items->count, 64);
}

TEST(an_item_makes_one_consumer_due_and_they_take_turns)
{
	cleanup(stagep) struct stage *s = stage_new();
	struct work_semaphore *items = s->ensemble.shared;

	for (uint32_t i = 1; i < MEMBERS; i++)
		work_bell_begin(&s->members[i], &items->bell);
	for (uint32_t i = 1; i < MEMBERS; i++) {
		assert_int_equal(due_of(s, i), DUE_CALLED);
		assert_true(work_semaphore_release(&s->members[0], items, 64));
		assert_true(due_of(s, i) >= DUE_TIMES);
		/* It runs, takes the item, and is back before the next. */
		work_bell_end(&s->members[i], &items->bell);
		work_semaphore_take(&s->members[i], items);
		work_bell_begin(&s->members[i], &items->bell);
		assert_int_equal(due_of(s, i), DUE_CALLED);
	}
}

TEST(who_was_called_for_what_another_took_is_due_until_it_has_run)
{
	cleanup(stagep) struct stage *s = stage_new();
	struct work_semaphore *items = s->ensemble.shared;

	work_bell_begin(&s->members[1], &items->bell);
	assert_true(work_semaphore_release(&s->members[0], items, 64));
	work_semaphore_take(&s->members[2], items);
	let_wait(s, 1);
	work_bell_end(&s->members[1], &items->bell);
	assert_was_late(s, 1);
	/* It finds nothing, and waits for nothing that is there. */
	work_bell_begin(&s->members[1], &items->bell);
	assert_int_equal(due_of(s, 1), DUE_CALLED);
}

TEST(who_waits_for_a_lock_is_due_since_the_release_that_called_it)
{
	cleanup(stagep) struct stage *s = stage_new();
	struct work_lock *lock = s->ensemble.shared;

	work_lock_take(&s->members[0], lock);
	work_bell_begin(&s->members[1], &lock->bell);
	work_bell_begin(&s->members[2], &lock->bell);
	assert_int_equal(due_of(s, 1), DUE_CALLED);
	work_lock_release(&s->members[0], lock);
	let_wait(s, 1);
	assert_int_equal(due_of(s, 2), DUE_CALLED);
	/* The releaser is faster, and releases it a second time. */
	work_lock_take(&s->members[0], lock);
	work_lock_release(&s->members[0], lock);
	assert_true(due_of(s, 2) >= DUE_TIMES);
	work_bell_end(&s->members[1], &lock->bell);
	assert_was_late(s, 1);
}

TEST(a_lone_epoll_waiter_is_due_since_the_first_event_and_of_many_nobody_knows)
{
	static const uint64_t storms[][3] = { { 1, 1, 4 }, { 1, 3, 4 } };
	cleanup(stagep) struct stage *s = stage_new();

	assert_int_equal(prepare_epoll_storm(&s->ensemble, storms[0]), 0);
	worker_block(&s->members[1], DUE_STAMPED);
	perform_once(&s->members[0], work_epoll_storm, storms[0]);
	let_wait(s, 1);
	perform_once(&s->members[0], work_epoll_storm, storms[0]);
	worker_unblock(&s->members[1]);
	assert_was_late(s, 1);
	worker_block(&s->members[1], DUE_UNKNOWN);
	perform_once(&s->members[0], work_epoll_storm, storms[1]);
	assert_int_equal(due_of(s, 1), DUE_UNKNOWN);
}

TEST(an_open_wait_is_seen_from_the_stamp_on_and_not_before)
{
	cleanup(stagep) struct stage *s = stage_new();
	struct conductor c = {
		.pool = { .head = &s->head, .workers = s->members, .telemetry = s->telemetry }
	};
	uint64_t now = now_ns();
	static const uint64_t nobodys[] = { DUE_UNKNOWN, DUE_STAMPED, DUE_CALLED };
	bool is_wake;

	for (size_t i = 0; i < ARRAY_SIZE(nobodys); i++) {
		worker_block(&s->members[0], nobodys[i]);
		assert_int_equal(sample_waiting_ns(&c, 0, now, &is_wake), 0);
	}
	assert_true(worker_call(&s->members[1], 0));
	assert_false(worker_call(&s->members[1], 0));
	assert_int_equal(sample_waiting_ns(&c, 0, due_of(s, 0) + LATE_NS, &is_wake), LATE_NS);
	assert_true(is_wake);
}

TEST(items_that_a_late_producer_skips_are_misses_and_dropped_ones_count_once)
{
	static const uint64_t queue[] = { 1, MEMBERS - 1, 100, 0 };
	cleanup(stagep) struct stage *s = stage_new();
	struct worker *w = &s->members[0];
	_Atomic uint64_t *misses = &s->telemetry[0].deadline_misses;
	struct work_semaphore *items = s->ensemble.shared;
	struct plan_group two = { .iterations = 2 };

	/* Its first item was due 350 ms ago: that, and those of 34 periods that are over. */
	w->group = &two;
	w->last_ns = now_ns() - LATE_NS;
	if (!sigsetjmp(w->stop, 0))
		work_producer_consumer(w, queue);
	assert_int_equal(items->count, 2);
	assert_true(shared_get(misses) >= 35);
	items->count = 64;
	shared_set(misses, 0);
	shared_set(&s->telemetry[0].iterations, 0);
	w->last_ns = now_ns() - LATE_NS;
	w->left = 1;
	if (!sigsetjmp(w->stop, 0))
		work_producer_consumer(w, queue);
	assert_int_equal(items->count, 64);
	/* The second one is dropped as well. */
	assert_true(shared_get(misses) >= 36 && shared_get(misses) < 70);
}

TEST(who_could_not_read_its_figures_at_its_end_keeps_those_known_before)
{
	cleanup(stagep) struct stage *s = stage_new();
	struct plan_worker record = { .group = 0 };
	struct plan plan = { .workers = &record, .groups = &s->group };
	struct member member = { .schedstat_fd = -1 };
	struct conductor c = { .plan = &plan,
			       .pool = { .telemetry = s->telemetry },
			       .members = &member };
	struct worker_sample sample = { .cpu_ns = 5, .run_delay_ns = 6, .slices = 7 };

	shared_set(&s->telemetry[0].state, (uint32_t)STATE_ENDED);
	s->telemetry[0].cpu_ns = 50;
	sample_worker(&c, 0, &sample);
	assert_int_equal(sample.cpu_ns, 50);
	assert_int_equal(sample.run_delay_ns, 6);
	assert_int_equal(sample.slices, 7);
}

/* The report that @c sends of the window that is over. */
static struct wire_report report_of(struct conductor *c)
{
	static const struct wire_limits limits = { .workers = 1,
						   .steps = 1,
						   .buckets = HIST_BUCKETS };
	cleanup(fd_closep) int fd = memfd_create("frames", MFD_CLOEXEC);
	cleanup(buf_deinit) struct buf in = BUF_NULL;
	struct wire_report ret;
	char bytes[4096];
	struct frame f;

	assert_true(fd >= 0);
	c->out_fd = fd;
	crew_report_window(c);
	buf_deinit(&c->out);
	buf_add(&in, bytes, (size_t)pread(fd, bytes, sizeof(bytes), 0));
	assert_int_equal(frame_peek(&in, 0, &f), 0);
	assert_int_equal(report_decode(f.payload, f.len, &limits, &ret), 0);
	return ret;
}

TEST(a_wakeup_that_is_open_is_reported_behind_a_longer_gap)
{
	cleanup(stagep) struct stage *s = stage_new();
	uint64_t now = now_ns();
	struct plan plan = { .header.worker_count = 1 };
	struct member member = { .is_alive = true,
				 .waiting = { .length_ns = LATE_NS,
					      .start_ns = now - LATE_NS,
					      .is_open = 1,
					      .is_wake = 1 } };
	struct conductor c = {
		.plan = &plan,
		.pool = { .head = &s->head, .workers = s->members, .telemetry = s->telemetry },
		.members = &member,
		.window_start_ns = now - NSEC_PER_SEC,
		.window_end_ns = now
	};
	struct wire_report r;

	shared_set(&s->head.window, 1);
	s->telemetry[0].part[0].gap.length_ns = LATE_NS + NSEC_PER_MSEC;
	r = report_of(&c);
	assert_int_equal(r.gap.length_ns, LATE_NS + NSEC_PER_MSEC);
	assert_int_equal(r.open_wake_ns, LATE_NS);
	c.seq = 0;
	member.waiting.is_wake = 0;
	assert_int_equal(report_of(&c).open_wake_ns, 0);
}

TESTS(T(who_is_woken_again_and_again_is_due_since_the_first_time),
      T(who_runs_or_sleeps_to_a_time_is_not_stamped),
      T(rounds_that_go_on_without_a_waiter_do_not_make_it_look_in_time),
      T(a_consumer_is_due_since_the_oldest_item_that_it_was_woken_for),
      T(an_item_makes_one_consumer_due_and_they_take_turns),
      T(who_was_called_for_what_another_took_is_due_until_it_has_run),
      T(who_waits_for_a_lock_is_due_since_the_release_that_called_it),
      T(a_lone_epoll_waiter_is_due_since_the_first_event_and_of_many_nobody_knows),
      T(an_open_wait_is_seen_from_the_stamp_on_and_not_before),
      T(items_that_a_late_producer_skips_are_misses_and_dropped_ones_count_once),
      T(who_could_not_read_its_figures_at_its_end_keeps_those_known_before),
      T(a_wakeup_that_is_open_is_reported_behind_a_longer_gap))
