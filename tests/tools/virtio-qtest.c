// SPDX-License-Identifier: GPL-2.0-only
/* Our block device behind QEMU's qtest protocol on stdin and stdout; qtest.h has the commands. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/util.h"
#include "devices/blk/options.h"
#include "qtest.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"usage: virtio-qtest --disk SPEC [OPTION]...\n"
	"  --disk SPEC      PATH, ram:SIZE or null:SIZE, with the options of ktstr --disk\n"
	"  --read-only      offer a read-only disk\n"
	"  --ram MIB        guest RAM at address 0 (default 64, at most 4074)\n"
	"  --queues N       1 to 16\n"
	"  --throttle LIST  iops=100,iops-burst=10,bps=1M,read-iops=...\n"
	"  --latency MODEL  5ms, table:1ms/2ms, uniform:1ms-2ms,seed=1, exp:1ms\n"
	"  --fault RULE     op=read,nth=2,action=errno:EIO (may be given again)\n"
	"Speaks QEMU's qtest protocol on stdin and stdout, and `counters`, `faults`, `irq`, "
	"`throttle LIST`.\n"
	"Registers are at 0xfeb02e00; time moves only by clock_step.\n";

struct config {
	struct blk_spec spec;
	bool has_disk;
	uint64_t ram_mib;
};

static int set_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	int r = parse_u64_in(text, min, max, ret);

	return r < 0 ? err_new(r, "%s %s: a number from %lu to %lu", name, text, min, max) : 0;
}

static int set_queues(struct config *c, const char *text)
{
	uint64_t queues;
	int r = set_number("--queues", text, 1, BLK_QUEUES_MAX, &queues);

	if (r == 0)
		c->spec.queues = (unsigned)queues;
	return r;
}

static int add_fault(struct config *c, const char *text)
{
	if (c->spec.fault_count == BLK_FAULT_RULES_MAX)
		return err_new(-ENOSPC, "more than %d --fault rules", BLK_FAULT_RULES_MAX);
	return blk_fault_parse(text, &c->spec.faults[c->spec.fault_count++]);
}

enum { HELP = 256, DISK, READ_ONLY, RAM, QUEUES, THROTTLE, LATENCY, FAULT };

static int apply(struct config *c, int option, const char *value)
{
	switch (option) {
	case READ_ONLY:
		c->spec.is_read_only = true;
		return 0;
	case RAM:
		/* RAM ends below the registers. */
		return set_number("--ram", value, 1, QTEST_REGISTERS / MIB, &c->ram_mib);
	case QUEUES:
		return set_queues(c, value);
	case THROTTLE:
		return blk_throttle_parse(value, &c->spec.throttle);
	case LATENCY:
		return blk_latency_parse(value, &c->spec.latency);
	case FAULT:
		return add_fault(c, value);
	default:
		return 0;
	}
}

static const struct option options[] = {
	{ "disk", required_argument, NULL, DISK },
	{ "read-only", no_argument, NULL, READ_ONLY },
	{ "ram", required_argument, NULL, RAM },
	{ "queues", required_argument, NULL, QUEUES },
	{ "throttle", required_argument, NULL, THROTTLE },
	{ "latency", required_argument, NULL, LATENCY },
	{ "fault", required_argument, NULL, FAULT },
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

/* The disk first, so that the other options may change it wherever they stand. */
static int read_disk(int argc, char **argv, struct config *c)
{
	int r = 0;

	for (int o; r == 0 && (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == HELP || o == '?')
			return -EINVAL;
		if (o == DISK) {
			r = blk_spec_parse(optarg, &c->spec);
			c->has_disk = true;
		}
	}
	optind = 1;
	return r;
}

static int read_options(int argc, char **argv, struct config *c)
{
	int r = read_disk(argc, argv, c);

	if (r < 0)
		return r;
	if (!c->has_disk)
		return err_new(-EINVAL, "--disk is needed");
	for (int o; r == 0 && (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
		r = apply(c, o, optarg);
	return r;
}

static int serve(struct qtest *q)
{
	cleanup(freep) char *line = NULL;
	cleanup(buf_deinit) struct buf answer = BUF_NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) >= 0) {
		int r;

		buf_reset(&answer);
		qtest_command(q, line, &answer);
		r = buf_ok(&answer);
		if (r == 0)
			r = write_all(STDOUT_FILENO, answer.data, answer.len);
		if (r < 0)
			return r;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct qtest q;
	struct config c = { .ram_mib = 64 };
	int r = read_options(argc, argv, &c);

	if (r < 0) {
		if (err_text()[0])
			fprintf(stderr, "virtio-qtest: %s\n", err_text());
		fputs(usage, stderr);
		return 2;
	}
	r = qtest_init(&q, &c.spec, c.ram_mib * MIB);
	if (r < 0)
		fprintf(stderr, "virtio-qtest: %s\n", err_text());
	else
		r = serve(&q);
	qtest_deinit(&q);
	return r < 0;
}
