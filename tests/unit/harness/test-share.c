// SPDX-License-Identifier: GPL-2.0-only
/* What share makes of parts that are off: right kernels with a burst, and wrong ones. */
#include "harness/check.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/cell.h"
#include "harness/telemetry.h"

#include "test.h"

#include <ktstr/ktstr.h>

#include <string.h>

enum { WORKERS_MAX = 4 };

#define SPIN .workers = WORKERS({ .work = "spin" })
#define BOUND .checks = CHECKS("share distance=40permille")

static const struct ktstr_scenario with_burst = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "capped", .max = "100ms/500ms", .max_burst = "100ms", SPIN },
			   { .name = "free", SPIN }),
	.hold = "1s",
	BOUND,
};
static const struct ktstr_scenario without_burst = {
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "capped", .max = "100ms/500ms", SPIN }, { .name = "free", SPIN }),
	.hold = "1s",
	BOUND,
};
static const struct ktstr_scenario short_periods = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "capped", .max = "1ms/10ms", .max_burst = "1ms", SPIN },
			   { .name = "free", SPIN }),
	.hold = "1s",
	BOUND,
};
static const struct ktstr_scenario burst_in_a_turn = {
	.topology = "1n1l1c1t",
	.cgroups =
		CGROUPS({ .name = "capped", .max = "100ms/500ms", SPIN }, { .name = "free", SPIN }),
	.steps = STEPS({ .hold = "1s",
			 .loop = OPS("set capped max_burst=100ms", "set capped max_burst=0s"),
			 .every = "200ms" }),
	BOUND,
};

/* Two of four move into one cgroup, where they are equals. */
#define PAIR .workers = WORKERS({ .name = "x", .work = "spin" }, { .name = "y", .work = "spin" })
static const struct ktstr_scenario moved = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", PAIR }, { .name = "b", PAIR },
			   { .name = "c", .weight = 200 }),
	.steps = STEPS({ .ops = OPS("move a/x to c", "move b/x to c"), .hold = "1s" }),
	BOUND,
};
static const struct ktstr_scenario capped_in_turns = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .max = "20ms/100ms", SPIN },
			   { .name = "b", .max = "20ms/100ms", SPIN }),
	.steps = STEPS({ .hold = "1s", .loop = OPS("mark x"), .every = "200ms" }),
	BOUND,
};
static const struct ktstr_scenario lifted_in_turns = {
	.topology = "1n1l2c1t",
	.cgroups = CGROUPS({ .name = "a", .max = "20ms/100ms", SPIN },
			   { .name = "b", .max = "20ms/100ms", SPIN }),
	.steps = STEPS({ .hold = "1s",
			 .loop = OPS("set a max=20ms/100ms", "set b max=20ms/100ms"),
			 .every = "200ms" }),
	BOUND,
};
static const struct ktstr_scenario frozen = {
	.topology = "1n1l1c1t",
	.cgroups = CGROUPS({ .name = "a", SPIN }, { .name = "b", SPIN }),
	.steps = STEPS({ .ops = OPS("freeze a", "freeze b"), .hold = "1s" }),
	BOUND,
};

struct share_case {
	const char *what;
	const struct ktstr_scenario *scenario;
	unsigned capped_ms, free_ms; /* what they had of a second */
	unsigned between_ms;	     /* while a loop's operations were done */
	enum verdict verdict;
	const char *words;	      /* in the evidence; NULL: none asked for */
	unsigned got_ms[WORKERS_MAX]; /* instead of the two above, where there are more */
};

static const struct share_case cases[] = {
	{ "the quota", &with_burst, 200, 800, 0, VERDICT_PASS, .words = NULL },
	{ "what was saved on top", &with_burst, 300, 700, 0, VERDICT_UNDECIDED,
	  .words = "a burst may have been saved before the window" },
	{ "more than that", &with_burst, 350, 650, 0, VERDICT_FAIL, .words = NULL },
	{ "too little by more than it", &with_burst, 50, 950, 0, VERDICT_FAIL, .words = NULL },
	{ "nobody ran", &with_burst, 0, 0, 0, VERDICT_FAIL, .words = NULL },
	{ "no burst, nothing saved", &without_burst, 300, 700, 0, VERDICT_FAIL, .words = NULL },
	/* 102 quotas, a burst, and 15 ms: 118. */
	{ "a burst is no burst in each period", &short_periods, 180, 820, 0, VERDICT_FAIL,
	  .words = "its quota allows no more than 118 ms" },
	{ "a burst that a loop sets", &burst_in_a_turn, 300, 700, 0, VERDICT_UNDECIDED,
	  .words = NULL },
	{ "equals where they are now", &moved, 0, 0, 0, VERDICT_PASS, .words = NULL,
	  .got_ms = { 250, 250, 250, 250 } },
	{ "one of them in front", &moved, 0, 0, 0, VERDICT_FAIL, .words = "a/x: 45.0%",
	  .got_ms = { 450, 250, 50, 250 } },
	{ "quotas kept in a loop about other things", &capped_in_turns, 200, 200, 0, VERDICT_PASS,
	  .words = NULL },
	{ "quotas not kept in one", &capped_in_turns, 900, 900, 0, VERDICT_FAIL,
	  .words = "its quota allows no more than" },
	{ "each quota that is written begins a period", &lifted_in_turns, 900, 900, 0, VERDICT_PASS,
	  .words = NULL },
	{ "who is frozen need not run", &frozen, 0, 0, 0, VERDICT_UNDECIDED,
	  .words = "nothing to see" },
	{ "and must not", &frozen, 300, 300, 0, VERDICT_FAIL, .words = NULL },
	{ "burst and loop together", &burst_in_a_turn, 350, 650, 50, VERDICT_UNDECIDED,
	  .words = "the loop's operations took 50 permille" },
};

struct play {
	struct cell cell;
	struct telemetry t;
	struct finding *findings;
	uint32_t count;
};

static void play_deinit(struct play *p)
{
	findings_free(p->findings, p->count);
	telemetry_deinit(&p->t);
	cell_deinit(&p->cell);
}

static void fill(struct play *p, const struct share_case *c)
{
	struct window_data *d = &p->t.windows[0];
	const unsigned of_two[WORKERS_MAX] = { c->capped_ms, c->free_ms };
	const unsigned *got_ms = c->got_ms[0] ? c->got_ms : of_two;

	d->begin_ns = NSEC_PER_SEC;
	d->end_ns = 2 * NSEC_PER_SEC;
	d->turns.between_ns = c->between_ms * NSEC_PER_MSEC;
	if (p->cell.windows[0].turn_count)
		d->turns.ns[0] = NSEC_PER_SEC;
	for (uint32_t w = 0; w < p->t.worker_count; w++) {
		d->reports[w].is_there = true;
		d->reports[w].report.cpu_ns = got_ms[w] * NSEC_PER_MSEC;
	}
}

static void run(struct play *p, const struct share_case *c)
{
	static struct ktstr_record record = { .name = "x" };
	static const struct cell_options options = { 0 };

	*p = (struct play){ 0 };
	record.scenario = c->scenario;
	if (cell_compile(&record, &options, &p->cell))
		fail_msg("%s: %s", c->what, err_text());
	assert_int_equal(telemetry_init(&p->t, &p->cell), 0);
	fill(p, c);
	assert_int_equal(check_all(&p->cell, &p->t, &p->findings, &p->count), 0);
	assert_int_equal(p->count, 1);
}

TEST(parts_are_judged)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct share_case *c = &cases[i];
		cleanup(play_deinit) struct play p;
		const char *evidence;

		run(&p, c);
		evidence = buf_text(&p.findings[0].evidence);
		if (p.findings[0].verdict != c->verdict)
			fail_msg("%s: %s\n%s", c->what, verdict_name(p.findings[0].verdict),
				 evidence);
		if (c->words && !strstr(evidence, c->words))
			fail_msg("%s: no \"%s\" in\n%s", c->what, c->words, evidence);
	}
}

TESTS(T(parts_are_judged))
