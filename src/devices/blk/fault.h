/* SPDX-License-Identifier: GPL-2.0-only */
/* Fault rules: what goes wrong, for which requests, how often; repeatable by seed. Each firing is
 * logged with request and time into a ring of records.
 *
 * A rule is KEY=VALUE,... :
 *	op=read|write|flush|discard|write_zeroes|any   what it looks at (default any)
 *	sectors=A-B	only what touches these 512-byte sectors, both included; "A" alone is A-A
 *	nth=N		from the Nth match on (1 = the first); once, unless count or prob is given
 *	count=N		at most N firings
 *	prob=P		each match fires with probability P (0 to 1, up to 9 decimals)
 *	seed=S		of prob and of what the action chooses at random
 *	action=...	what happens, see the table
 *
 * | action          | counted per | meaning                                                       |
 * |-----------------|-------------|---------------------------------------------------------------|
 * | short           | host call   | it moves half of the first iovec (at least 1 byte)            |
 * | zero            | host call   | it returns 0                                                  |
 * | eintr           | host call   | it fails with EINTR                                           |
 * | errno:NAME      | host call   | it fails with that errno (EIO, ENOSPC, ...)                   |
 * | delay:TIME      | request     | the completion comes TIME after admission, plus the latency   |
 * | torn            | request     | only the first half of a write's sectors (rounded down)       |
 * |                 |             | reach the backing; answered OK                                |
 * | corrupt         | request     | one bit of the payload flips on its way; answered OK          |
 * | misdirect       | request     | the transfer goes to the extent behind (or, at the disk's end,|
 * |                 |             | before) the one asked for; answered OK                        |
 * | lost-flush      | request     | a flush is answered OK and not done                           |
 * | drop-completion | request     | the work is done, the request is never answered               |
 * | spurious-irq    | request     | an interrupt that announces nothing, before the request's own |
 *
 * "Per host call": a retry is a match of its own, so op=read,count=17,action=eintr fails one read
 * and count=16 does not. For a host-call action the first rule that fires decides the call, which is
 * a match of the others all the same; of the request actions all that fire apply. A refused request matches nothing: it never gets here. */
#pragma once

#include "base/buf.h"
#include "base/counter.h"
#include "base/err.h"
#include "devices/blk/rng.h"

#include <stdbool.h>
#include <stdint.h>

/* What a request asks for; the request parser's classes in the rule's words. */
enum blk_op {
	BLK_OP_READ,
	BLK_OP_WRITE,
	BLK_OP_FLUSH,
	BLK_OP_DISCARD,
	BLK_OP_WRITE_ZEROES,
	BLK_OP_GET_ID, /* matches no rule: it touches no host file */
	BLK_OP_COUNT,
};

enum blk_fault_action {
	BLK_FAULT_SHORT,
	BLK_FAULT_ZERO,
	BLK_FAULT_EINTR,
	BLK_FAULT_ERRNO,
	BLK_FAULT_DELAY,
	BLK_FAULT_TORN,
	BLK_FAULT_CORRUPT,
	BLK_FAULT_MISDIRECT,
	BLK_FAULT_LOST_FLUSH,
	BLK_FAULT_DROP_COMPLETION,
	BLK_FAULT_SPURIOUS_IRQ,
	BLK_FAULT_COUNT,
};

struct blk_fault_rule {
	uint32_t ops; /* bit 1 << enum blk_op */
	bool has_action;
	enum blk_fault_action action;
	int error;	   /* BLK_FAULT_ERRNO: a positive errno */
	uint64_t delay_ns; /* BLK_FAULT_DELAY */
	bool has_sectors;
	uint64_t first_sector;
	uint64_t last_sector;
	uint64_t nth;	/* 0 = not given */
	uint64_t count; /* 0 = not given */
	bool has_prob;
	uint32_t prob_billionths; /* 0 .. 10^9 */
	uint64_t seed;
};

enum { BLK_FAULT_RULES_MAX = 16, BLK_FAULT_LOG_RECORDS = 256 };

/* Who is asking: one request, or one host call of it. */
struct blk_fault_subject {
	enum blk_op op;
	uint64_t sector;  /* first one touched */
	uint64_t sectors; /* how many; 0 for a flush */
	uint64_t request; /* the device's number of it, from 1 */
	unsigned queue;
	uint64_t now_ns;
};

struct blk_fault_record {
	uint64_t time_ns;
	uint64_t request;
	uint64_t sector;
	uint64_t sectors;
	uint8_t rule; /* index, in the order given */
	uint8_t op;
	uint8_t action;
	uint8_t queue;
};

/* What the request actions that fired ask for, together. */
struct blk_fault_verdict {
	uint32_t actions; /* bit 1 << enum blk_fault_action */
	uint64_t delay_ns;
	uint64_t random; /* from the rule that corrupts: which byte and bit */
};

struct blk_faults {
	unsigned rule_count;
	struct blk_fault_rule rules[BLK_FAULT_RULES_MAX];
	struct {
		uint64_t matches;
		uint64_t firings;
		struct blk_rng rng;
	} states[BLK_FAULT_RULES_MAX];
	counter_t logged; /* firings ever; the ring holds the last BLK_FAULT_LOG_RECORDS */
	struct blk_fault_record log[BLK_FAULT_LOG_RECORDS];
};

extern const struct blk_option_table blk_fault_options;

/* Read one rule. 0, -EINVAL or -ERANGE with words: no action, an action that its op cannot suffer
 * (lost-flush of a read), an unknown errno. Any thread. */
int blk_fault_parse(const char *text, struct blk_fault_rule *ret) must_check;
/* What parsing one key at a time cannot see; narrows op=any to what the action can hit. */
int blk_fault_check(struct blk_fault_rule *rule) must_check;
/* A rule before its first key. */
void blk_fault_rule_init(struct blk_fault_rule *rule);

/* 0, or -ENOSPC with words beyond BLK_FAULT_RULES_MAX rules. @count rules are copied. */
int blk_faults_init(struct blk_faults *f, const struct blk_fault_rule *rules,
		    unsigned count) must_check;

/* One host call is about to be made: the action of the first host-call rule that fires, or
 * BLK_FAULT_COUNT for none; *@error_ret gets the errno of BLK_FAULT_ERRNO. The caller serialises
 * calls. */
enum blk_fault_action blk_faults_call(struct blk_faults *f, const struct blk_fault_subject *s,
				      int *error_ret);

/* One request was admitted: what befalls it. The caller serialises calls. */
struct blk_fault_verdict blk_faults_request(struct blk_faults *f,
					    const struct blk_fault_subject *s);

const char *blk_op_name(enum blk_op op);
const char *blk_fault_action_name(enum blk_fault_action action);

/* Append a JSON array of the logged firings, oldest first, under @key. */
struct json;
void blk_faults_json(const struct blk_faults *f, struct json *j, const char *key);
