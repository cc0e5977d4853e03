// SPDX-License-Identifier: GPL-2.0-only
/* A guest that gave up, and what the verdict says about it. */
#include "stage.h"

#include "test.h"

#include <signal.h>
#include <string.h>

static const struct ktstr_scenario scenario = {
	.topology = "1n1l2c1t",
	.workers = WORKERS({ .name = "w", .work = "spin", .count = "2" }),
	.steps = STEPS({ .name = "first", .ops = OPS("mark x", "write /proc/sys/kernel/nope=1") },
		       { .name = "second",
			 .hold = "1s",
			 .loop = OPS("nice w -5", "nice w 0"),
			 .every = "100ms" }),
	.checks = CHECKS("isolation"),
};

static uint32_t op_of(const struct stage *s, const char *text)
{
	const struct cell *c = &s->result.cell;

	for (uint32_t i = 0; i < c->plan.header.op_count; i++)
		if (c->op_texts[i] && strcmp(c->op_texts[i], text) == 0)
			return i;
	fail_msg("no operation %s", text);
	return 0;
}

static void fail_with(struct stage *s, enum wire_failed_kind kind, uint32_t index)
{
	s->t.has_failed = true;
	s->t.failed.kind = kind;
	s->t.failed.index = index;
	strcpy(s->t.failed_text, "words of the guest");
}

static void ends_with(struct stage *s, enum verdict verdict, const char *reason)
{
	assert_int_equal(stage_verdict(s), verdict);
	assert_string_equal(buf_text(&s->result.reason), reason);
}

TEST(a_file_that_the_kernel_lacks_is_a_skip_with_step_and_path)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &scenario);
	fail_with(&s, FAILED_NO_FILE, op_of(&s, "write /proc/sys/kernel/nope=1"));
	ends_with(&s, VERDICT_SKIP,
		  "step first, \"write /proc/sys/kernel/nope=1\": this kernel has no "
		  "/proc/sys/kernel/nope");
}

TEST(an_operation_that_failed_is_infra_in_its_own_words)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &scenario);
	fail_with(&s, FAILED_OP, op_of(&s, "nice w -5"));
	ends_with(&s, VERDICT_INFRA, "step second, \"nice w -5\": words of the guest");
}

TEST(what_no_operation_of_the_scenario_says_has_the_guests_words)
{
	static const enum wire_failed_kind kinds[] = { FAILED_PLAN, FAILED_GUEST, FAILED_OP,
						       FAILED_NO_FILE };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		cleanup(stage_deinit) struct stage s;

		stage_set(&s, &scenario);
		fail_with(&s, kinds[i], i < 2 ? 0 : s.result.cell.plan.header.op_count);
		ends_with(&s, VERDICT_INFRA, "the guest: words of the guest");
	}
}

TEST(a_hostile_guest_makes_no_skip_of_another_operation)
{
	cleanup(stage_deinit) struct stage s;

	stage_set(&s, &scenario);
	fail_with(&s, FAILED_NO_FILE, op_of(&s, "mark x"));
	ends_with(&s, VERDICT_INFRA, "step first, \"mark x\": words of the guest");
}

TEST(a_worker_that_was_killed_says_by_what)
{
	static const struct {
		int status;
		const char *text, *reason;
	} cases[] = {
		{ SIGKILL, "", "w[1] crashed: killed by signal 9 (Killed)" },
		{ SIGKILL, "by x", "w[1] crashed: killed by signal 9 (Killed), by x" },
		{ 3 << 8, "", "w[1] crashed: exit status 3" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup(stage_deinit) struct stage s;
		struct wire_report *r;

		stage_set(&s, &scenario);
		r = &s.t.whole[1].report;
		r->end = WORKER_CRASHED;
		r->end_status = cases[i].status;
		strcpy(r->text, cases[i].text);
		ends_with(&s, VERDICT_INFRA, cases[i].reason);
	}
}

TESTS(T(a_file_that_the_kernel_lacks_is_a_skip_with_step_and_path),
      T(an_operation_that_failed_is_infra_in_its_own_words),
      T(what_no_operation_of_the_scenario_says_has_the_guests_words),
      T(a_hostile_guest_makes_no_skip_of_another_operation),
      T(a_worker_that_was_killed_says_by_what))
