// SPDX-License-Identifier: GPL-2.0-only
#include "devices/blk/fault.h"

#include "base/json.h"
#include "base/util.h"

#include "test.h"

#include <errno.h>
#include <string.h>

static struct blk_faults faults; /* too large for a stack frame; set up anew by each test */

static void faults_of(const char *text)
{
	struct blk_fault_rule rule;

	assert_int_equal(blk_fault_parse(text, &rule), 0);
	assert_int_equal(blk_faults_init(&faults, &rule, 1), 0);
}

static struct blk_fault_subject subject(enum blk_op op, uint64_t sector, uint64_t sectors)
{
	return (struct blk_fault_subject){ .op = op, .sector = sector, .sectors = sectors };
}

/* Which of the first @n host calls of @op fail, as a string of x and dots. */
static const char *pattern(enum blk_op op, unsigned n)
{
	static __thread char marks[64];
	struct blk_fault_subject s = subject(op, 0, 8);

	for (unsigned i = 0; i < n; i++) {
		int error;

		marks[i] = blk_faults_call(&faults, &s, &error) == BLK_FAULT_COUNT ? '.' : 'x';
	}
	marks[n] = '\0';
	return marks;
}

TEST(nth_and_count_choose_the_matches)
{
	static const struct {
		const char *rule, *expected;
	} cases[] = {
		{ "action=zero", "xxxxxxxx" },
		{ "op=any,action=zero", "xxxxxxxx" },
		{ "op=read,action=zero", "xxxxxxxx" },
		{ "op=write,action=zero", "........" },
		{ "op=read,nth=3,action=zero", "..x....." },
		{ "op=read,count=3,action=zero", "xxx....." },
		{ "nth=2,count=3,action=zero", ".xxx...." },
		{ "prob=0,action=zero", "........" },
		{ "prob=1,action=zero", "xxxxxxxx" },
		{ "sectors=0-7,action=zero", "xxxxxxxx" },
		{ "sectors=8-9,action=zero", "........" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		faults_of(cases[i].rule);
		assert_string_equal(pattern(BLK_OP_READ, 8), cases[i].expected);
	}
}

TEST(a_sector_range_matches_what_touches_it)
{
	static const struct {
		uint64_t sector, sectors;
		bool is_hit;
	} cases[] = { { 0, 10, false }, { 0, 11, true },  { 10, 1, true }, { 20, 1, true },
		      { 21, 1, false }, { 15, 0, false }, { 0, 100, true } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blk_fault_subject s =
			subject(BLK_OP_READ, cases[i].sector, cases[i].sectors);
		int error;

		faults_of("sectors=10-20,action=zero");
		assert_int_equal(blk_faults_call(&faults, &s, &error) == BLK_FAULT_ZERO,
				 cases[i].is_hit);
	}
}

TEST(a_probability_is_kept_and_repeats_by_seed)
{
	struct blk_fault_subject s = subject(BLK_OP_WRITE, 0, 8);
	unsigned fired = 0;
	char first[64];
	int error;

	faults_of("prob=0.25,seed=42,action=eintr");
	strcpy(first, pattern(BLK_OP_WRITE, 60));
	faults_of("prob=0.25,seed=42,action=eintr");
	assert_string_equal(pattern(BLK_OP_WRITE, 60), first);
	faults_of("prob=0.25,seed=43,action=eintr");
	assert_string_not_equal(pattern(BLK_OP_WRITE, 60), first);
	for (int i = 0; i < 20000; i++)
		fired += blk_faults_call(&faults, &s, &error) == BLK_FAULT_EINTR;
	assert_in_range(fired, 4700, 5300);
}

TEST(every_action_parses)
{
	static const struct {
		const char *text;
		enum blk_fault_action action;
	} cases[] = {
		{ "action=short", BLK_FAULT_SHORT },
		{ "action=zero", BLK_FAULT_ZERO },
		{ "action=eintr", BLK_FAULT_EINTR },
		{ "action=errno:ENOSPC", BLK_FAULT_ERRNO },
		{ "action=delay:5ms", BLK_FAULT_DELAY },
		{ "action=torn", BLK_FAULT_TORN },
		{ "action=corrupt", BLK_FAULT_CORRUPT },
		{ "action=misdirect", BLK_FAULT_MISDIRECT },
		{ "action=lost-flush", BLK_FAULT_LOST_FLUSH },
		{ "action=drop-completion", BLK_FAULT_DROP_COMPLETION },
		{ "action=spurious-irq", BLK_FAULT_SPURIOUS_IRQ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blk_fault_rule rule;

		assert_int_equal(blk_fault_parse(cases[i].text, &rule), 0);
		assert_int_equal(rule.action, cases[i].action);
		if (rule.action == BLK_FAULT_ERRNO)
			assert_int_equal(rule.error, ENOSPC);
		if (rule.action == BLK_FAULT_DELAY)
			assert_int_equal(rule.delay_ns, 5 * NSEC_PER_MSEC);
	}
}

TEST(request_actions_add_up_and_call_actions_do_not)
{
	struct blk_fault_rule rules[4];
	struct blk_fault_subject s = subject(BLK_OP_WRITE, 0, 8);
	struct blk_fault_verdict v;
	int error;

	assert_int_equal(blk_fault_parse("action=delay:5ms", &rules[0]), 0);
	assert_int_equal(blk_fault_parse("action=delay:1ms", &rules[1]), 0);
	assert_int_equal(blk_fault_parse("action=errno:EIO", &rules[2]), 0);
	assert_int_equal(blk_fault_parse("action=torn", &rules[3]), 0);
	assert_int_equal(blk_faults_init(&faults, rules, 4), 0);
	v = blk_faults_request(&faults, &s);
	assert_int_equal(v.delay_ns, 6 * NSEC_PER_MSEC);
	assert_int_equal(v.actions, 1 << BLK_FAULT_DELAY | 1 << BLK_FAULT_TORN);
	assert_int_equal(blk_faults_call(&faults, &s, &error), BLK_FAULT_ERRNO);
	assert_int_equal(error, EIO);
}

TEST(a_call_that_one_rule_decides_is_a_match_of_the_others)
{
	struct blk_fault_rule rules[3];
	struct blk_fault_subject s = subject(BLK_OP_READ, 0, 8);
	static const enum blk_fault_action expected[] = { BLK_FAULT_SHORT, BLK_FAULT_ERRNO,
							  BLK_FAULT_ZERO, BLK_FAULT_COUNT };
	int error;

	assert_int_equal(blk_fault_parse("nth=1,action=short", &rules[0]), 0);
	assert_int_equal(blk_fault_parse("nth=2,action=errno:EIO", &rules[1]), 0);
	/* Its match comes while the second decides; it fires on the next. */
	assert_int_equal(blk_fault_parse("nth=2,action=zero", &rules[2]), 0);
	assert_int_equal(blk_faults_init(&faults, rules, 3), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(blk_faults_call(&faults, &s, &error), expected[i]);
}

TEST(each_firing_is_logged_with_request_and_time)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct json j = json_to(&out);
	struct blk_fault_subject s = { .op = BLK_OP_READ,
				       .sector = 16,
				       .sectors = 2,
				       .request = 77,
				       .queue = 3,
				       .now_ns = 1234 };
	int error;

	faults_of("op=read,nth=2,action=eintr");
	blk_faults_call(&faults, &s, &error);
	blk_faults_call(&faults, &s, &error);
	blk_faults_json(&faults, &j, NULL);
	assert_string_equal(buf_text(&out),
			    "[{\"time_ns\":1234,\"rule\":0,\"action\":\"eintr\",\"request\":77,"
			    "\"queue\":3,\"op\":\"read\",\"sector\":16,\"sectors\":2}]");
}

TEST(the_log_keeps_the_last_records)
{
	struct blk_fault_subject s = subject(BLK_OP_READ, 0, 1);
	int error;

	faults_of("action=zero");
	for (s.request = 1; s.request <= 1000; s.request++)
		blk_faults_call(&faults, &s, &error);
	assert_int_equal(faults.logged, 1000);
	assert_int_equal(faults.log[999 % BLK_FAULT_LOG_RECORDS].request, 1000);
}

TEST(bad_rules_are_refused_in_words)
{
	static const char *const bad[] = {
		"",
		"op=read",
		"action=explode",
		"action=errno",
		"action=errno:EWHAT",
		"action=errno:",
		"action=delay",
		"action=delay:5",
		"action=zero:1",
		"op=erase,action=zero",
		"op=get_id,action=zero",
		"nth=0,action=zero",
		"count=0,action=zero",
		"prob=1.5,action=zero",
		"prob=50m,action=zero",
		"prob=,action=zero",
		"sectors=5-3,action=zero",
		"sectors=,action=zero",
		"op=read,action=lost-flush",
		"op=flush,action=short",
		"op=read,action=torn",
		"op=read,,action=zero",
		"op=read action=zero",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct blk_fault_rule rule;

		err_clear();
		if (blk_fault_parse(bad[i], &rule) >= 0)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_true(err_text()[0]);
	}
}

TESTS(T(nth_and_count_choose_the_matches), T(a_sector_range_matches_what_touches_it),
      T(a_probability_is_kept_and_repeats_by_seed), T(every_action_parses),
      T(request_actions_add_up_and_call_actions_do_not),
      T(a_call_that_one_rule_decides_is_a_match_of_the_others),
      T(each_firing_is_logged_with_request_and_time), T(the_log_keeps_the_last_records),
      T(bad_rules_are_refused_in_words))
