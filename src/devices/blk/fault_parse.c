// SPDX-License-Identifier: GPL-2.0-only
/* The text of a fault rule. Two tables: its keys, and the actions with what each can befall. */
#include "base/parse.h"
#include "base/util.h"
#include "devices/blk/fault.h"
#include "devices/blk/options.h"

#include <errno.h>
#include <string.h>

enum {
	READS = 1 << BLK_OP_READ,
	WRITES = 1 << BLK_OP_WRITE,
	FLUSHES = 1 << BLK_OP_FLUSH,
	DISCARDS = 1 << BLK_OP_DISCARD,
	ZEROES = 1 << BLK_OP_WRITE_ZEROES,
	ALL = READS | WRITES | FLUSHES | DISCARDS | ZEROES,
};

static const struct action_row {
	const char *name;
	uint32_t ops;	      /* what it can befall */
	const char *argument; /* behind a colon, or NULL */
} action_rows[BLK_FAULT_COUNT] = {
	[BLK_FAULT_SHORT] = { "short", READS | WRITES, NULL },
	[BLK_FAULT_ZERO] = { "zero", READS | WRITES, NULL },
	[BLK_FAULT_EINTR] = { "eintr", ALL, NULL },
	[BLK_FAULT_ERRNO] = { "errno", ALL, "NAME" },
	[BLK_FAULT_DELAY] = { "delay", ALL, "TIME" },
	[BLK_FAULT_TORN] = { "torn", WRITES | ZEROES, NULL },
	[BLK_FAULT_CORRUPT] = { "corrupt", READS | WRITES, NULL },
	[BLK_FAULT_MISDIRECT] = { "misdirect", READS | WRITES, NULL },
	[BLK_FAULT_LOST_FLUSH] = { "lost-flush", FLUSHES, NULL },
	[BLK_FAULT_DROP_COMPLETION] = { "drop-completion", ALL, NULL },
	[BLK_FAULT_SPURIOUS_IRQ] = { "spurious-irq", ALL, NULL },
};

static const char *const op_names[BLK_OP_COUNT] = {
	[BLK_OP_READ] = "read",	    [BLK_OP_WRITE] = "write",
	[BLK_OP_FLUSH] = "flush",   [BLK_OP_DISCARD] = "discard",
	[BLK_OP_GET_ID] = "get_id", [BLK_OP_WRITE_ZEROES] = "write_zeroes",
};

static const struct {
	const char *name;
	int error;
} errno_rows[] = {
	{ "EIO", EIO },
	{ "ENOSPC", ENOSPC },
	{ "EAGAIN", EAGAIN },
	{ "EINTR", EINTR },
	{ "EFAULT", EFAULT },
	{ "EINVAL", EINVAL },
	{ "ENOMEM", ENOMEM },
	{ "EDQUOT", EDQUOT },
	{ "EFBIG", EFBIG },
	{ "EROFS", EROFS },
	{ "EBADF", EBADF },
	{ "ENODEV", ENODEV },
	{ "ENXIO", ENXIO },
	{ "EPERM", EPERM },
	{ "EACCES", EACCES },
	{ "EBUSY", EBUSY },
	{ "ESTALE", ESTALE },
	{ "EPIPE", EPIPE },
	{ "EREMOTEIO", EREMOTEIO },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "EOPNOTSUPP", EOPNOTSUPP },
};

const char *blk_op_name(enum blk_op op)
{
	return op_names[op];
}

const char *blk_fault_action_name(enum blk_fault_action action)
{
	return action_rows[action].name;
}

static int set_op(void *target, const struct blk_option *option, const char *value)
{
	struct blk_fault_rule *rule = target;

	if (!strcmp(value, "any")) {
		rule->ops = ALL;
		return 0;
	}
	for (unsigned op = 0; op < BLK_OP_COUNT; op++) {
		if (!strcmp(op_names[op], value) && ALL & 1 << op) {
			rule->ops = 1u << op;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_sectors(void *target, const struct blk_option *option, const char *value)
{
	struct blk_fault_rule *rule = target;
	char first[32];
	const char *dash = strchrnul(value, '-');
	int r;

	if ((size_t)(dash - value) >= sizeof(first))
		return -ERANGE;
	memcpy(first, value, (size_t)(dash - value));
	first[dash - value] = '\0';
	r = parse_u64(first, &rule->first_sector);
	if (r < 0)
		return r;
	rule->last_sector = rule->first_sector;
	if (*dash)
		r = parse_u64(dash + 1, &rule->last_sector);
	rule->has_sectors = true;
	return r < 0 ? r : rule->first_sector <= rule->last_sector ? 0 : -EINVAL;
}

static int set_nth(void *target, const struct blk_option *option, const char *value)
{
	struct blk_fault_rule *rule = target;

	return parse_u64_in(value, 1, UINT64_MAX, &rule->nth);
}

static int set_count(void *target, const struct blk_option *option, const char *value)
{
	struct blk_fault_rule *rule = target;

	return parse_u64_in(value, 1, UINT64_MAX, &rule->count);
}

static int set_seed(void *target, const struct blk_option *option, const char *value)
{
	struct blk_fault_rule *rule = target;

	return parse_u64(value, &rule->seed);
}

/* A probability as a decimal fraction is a duration in seconds to the nanosecond: parse_duration_ns
 * knows the digits. */
static int set_prob(void *target, const struct blk_option *option, const char *value)
{
	struct blk_fault_rule *rule = target;
	char seconds[32];
	uint64_t billionths;
	size_t len = strlen(value);
	int r;

	if (len == 0 || len + 2 > sizeof(seconds) || !strchr("0123456789.", value[len - 1]))
		return -EINVAL;
	memcpy(seconds, value, len);
	memcpy(seconds + len, "s", 2);
	r = parse_duration_ns(seconds, &billionths);
	if (r < 0)
		return r;
	if (billionths > NSEC_PER_SEC)
		return -ERANGE;
	rule->has_prob = true;
	rule->prob_billionths = (uint32_t)billionths;
	return 0;
}

static int set_argument(struct blk_fault_rule *rule, const char *argument)
{
	if (rule->action == BLK_FAULT_DELAY)
		return parse_duration_ns(argument, &rule->delay_ns);
	for (size_t i = 0; i < ARRAY_SIZE(errno_rows); i++) {
		if (!strcmp(errno_rows[i].name, argument)) {
			rule->error = errno_rows[i].error;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_action(void *target, const struct blk_option *option, const char *value)
{
	struct blk_fault_rule *rule = target;
	const char *colon = strchrnul(value, ':');
	size_t len = (size_t)(colon - value);

	for (unsigned i = 0; i < BLK_FAULT_COUNT; i++) {
		const struct action_row *row = &action_rows[i];

		if (strlen(row->name) != len || memcmp(row->name, value, len))
			continue;
		if (!row->argument != !*colon)
			return -EINVAL;
		rule->action = i;
		rule->has_action = true;
		return row->argument ? set_argument(rule, colon + 1) : 0;
	}
	return -EINVAL;
}

static const struct blk_option fault_rows[] = {
	{ "op", "read|write|flush|discard|write_zeroes|any", set_op, 0 },
	{ "sectors", "A-B", set_sectors, 0 },
	{ "nth", "N", set_nth, 0 },
	{ "count", "N", set_count, 0 },
	{ "prob", "P (0 to 1)", set_prob, 0 },
	{ "seed", "S", set_seed, 0 },
	{ "action",
	  "short|zero|eintr|errno:NAME|delay:TIME|torn|corrupt|misdirect|lost-flush|"
	  "drop-completion|spurious-irq",
	  set_action, 0 },
};

const struct blk_option_table blk_fault_options = {
	.what = "fault",
	.rows = fault_rows,
	.count = ARRAY_SIZE(fault_rows),
};

void blk_fault_rule_init(struct blk_fault_rule *rule)
{
	*rule = (struct blk_fault_rule){ .ops = ALL };
}

int blk_fault_check(struct blk_fault_rule *rule)
{
	if (!rule->has_action)
		return err_new(-EINVAL, "fault without action=");
	if (!(rule->ops & action_rows[rule->action].ops))
		return err_new(-EINVAL, "fault action=%s cannot befall that op",
			       action_rows[rule->action].name);
	rule->ops &= action_rows[rule->action].ops;
	return 0;
}

int blk_fault_parse(const char *text, struct blk_fault_rule *ret)
{
	struct blk_fault_rule rule;
	int r;

	blk_fault_rule_init(&rule);
	r = blk_options_parse(&blk_fault_options, &rule, text);
	if (r == 0)
		r = blk_fault_check(&rule);
	if (r < 0)
		return err_trace(r);
	*ret = rule;
	return 0;
}
