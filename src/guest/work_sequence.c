// SPDX-License-Identifier: GPL-2.0-only
/* Programs of phases, and functions of the test author. */
#include "base/util.h"
#include "guest/custom.h"
#include "guest/work.h"

#include <sched.h>

struct sequence {
	struct worker *w;
	struct disk disk;
	uint64_t start_ns;
	uint64_t timer_ns; /* the period of the timer that was waited for last */
	uint64_t due_ns;   /* and when that was due */
};

/* To the next multiple of the period since the gate. One that passed while the work before it went on
 * is a deadline missed; a timer that was not the last one in use has missed nothing. */
static void wait_for_timer(struct sequence *s, uint64_t period_ns)
{
	uint64_t periods = (now_ns() - s->start_ns) / period_ns + 1;
	uint64_t due_ns = s->start_ns + periods * period_ns;

	if (s->timer_ns == period_ns && due_ns > s->due_ns + period_ns)
		shared_add(&s->w->telemetry->deadline_misses, (due_ns - s->due_ns) / period_ns - 1);
	s->timer_ns = period_ns;
	s->due_ns = due_ns;
	worker_sleep_until(s->w, due_ns);
}

static void run_phase(struct sequence *s, const struct plan_phase *phase)
{
	switch (phase->kind) {
	case PHASE_RUN:
		worker_burn(s->w, phase->value);
		break;
	case PHASE_SLEEP:
		worker_sleep(s->w, phase->value);
		break;
	case PHASE_TIMER:
		wait_for_timer(s, phase->value);
		break;
	case PHASE_YIELD:
		for (uint64_t i = 0; i < phase->value; i++)
			sched_yield();
		break;
	case PHASE_IO:
		for (uint64_t i = 0; i < phase->value; i++)
			work_read_block(s->w, &s->disk);
		break;
	}
}

void work_sequence(struct worker *w, const uint64_t *p)
{
	const struct plan_phase *phases = &w->plan->phases[w->group->first_phase];
	struct sequence s = { .w = w, .start_ns = w->last_ns };
	uint64_t turns[PLAN_PHASES_MAX] = { 0 };

	for (uint32_t i = 0;; worker_iterate(w)) {
		const struct plan_phase *phase = &phases[i];

		if (phase->kind != PHASE_LOOP) {
			run_phase(&s, phase);
			i++;
		} else if (turns[i] < phase->value) {
			turns[i]++;
			i = phase->to;
		} else {
			turns[i++] = 0;
		}
		if (i == w->group->phase_count)
			i = 0;
	}
}

void work_custom(struct worker *w, const uint64_t *p)
{
	const char *name = plan_string(w->plan, w->group->text);
	const struct ktstr_work_record *record = custom_find(name);

	if (!record)
		worker_fail(w, "no function is registered as KTSTR_WORK(%s)", name);
	for (;;) {
		record->run((struct ktstr_self *)w, p);
		worker_iterate(w);
	}
}
