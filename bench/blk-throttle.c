// SPDX-License-Identifier: GPL-2.0-only
/* How exact the throttle is while it bites: a second of virtual time with the ring never empty; the
 * rate reached beside the one set, and the longest time without an answer beside the time in which
 * one request's tokens are earned. (What it costs while it does not bite: vhost-blk.) */
#include "blk-driver.h"

#include "base/util.h"

#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 32 };

static void must(int r)
{
	if (r == 0)
		return;
	fprintf(stderr, "blk-throttle: %s\n", err_text());
	exit(1);
}

struct virtual_time {
	uint64_t ns;
};

static uint64_t virtual_now(void *ctx)
{
	return ((struct virtual_time *)ctx)->ns;
}

struct limit_row {
	const char *limits;
	uint32_t type;
	uint64_t rate;
	uint64_t cost; /* of a request, in the limit's tokens */
	uint64_t burst;
};

static const struct limit_row limit_rows[] = {
	{ "iops=777", VIRTIO_BLK_T_IN, 777, 1, 0 },
	{ "iops=1000,iops-burst=10", VIRTIO_BLK_T_OUT, 1000, 1, 10 },
	{ "bps=4096000", VIRTIO_BLK_T_IN, 4096000, 4096, 0 },
	{ "bps=40960000,bps-burst=409600", VIRTIO_BLK_T_OUT, 40960000, 4096, 409600 },
	{ "read-iops=100000", VIRTIO_BLK_T_IN, 100000, 1, 0 },
	{ "read-bps=123456789", VIRTIO_BLK_T_IN, 123456789, 4096, 0 },
	{ "write-iops=50,write-iops-burst=5", VIRTIO_BLK_T_OUT, 50, 1, 5 },
	{ "write-bps=1365333", VIRTIO_BLK_T_OUT, 1365333, 4096, 0 },
};

/* A second with the ring never empty; how many requests went, and the longest time without one. */
static uint64_t run_second(struct blk_driver *d, struct virtual_time *t, uint64_t *gap_ns_ret)
{
	uint64_t done = 0, posted = 0, last_ns = t->ns;
	const uint64_t end_ns = t->ns + NSEC_PER_SEC;

	for (;;) {
		uint16_t more = (uint16_t)(blk_driver_done(d) - (uint16_t)done);

		if (more) {
			*gap_ns_ret = MAX(*gap_ns_ret, t->ns - last_ns);
			last_ns = t->ns;
		}
		done += more;
		if (done == posted) {
			posted += d->batch;
			blk_driver_turn(d);
			continue;
		}
		uint64_t due_ns = blk_next_due_ns(d->blk);

		if (due_ns > end_ns)
			return done;
		t->ns = due_ns;
		blk_run_due(d->blk);
	}
}

static void print_accuracy(const struct limit_row *row)
{
	const double set = (double)row->rate / (double)row->cost;
	const uint64_t at_once = MAX(row->burst / row->cost, (uint64_t)1);
	struct virtual_time t = { 1 };
	const struct blk_clock clock = { virtual_now, &t };
	uint64_t done, gap_ns = 0;
	struct blk_driver d;
	char text[256];

	snprintf(text, sizeof(text), "null:64M,engine=inline,throttle=%s", row->limits);
	must(blk_driver_init(&d, text, &clock, row->type, BATCH));
	done = run_second(&d, &t, &gap_ns) - at_once;
	printf("  %-34s %6lu of %8.1f in 1 s (and %lu at once): %+.2f %%; longest gap %lu ns, "
	       "token %.0f ns\n",
	       row->limits, done, set, at_once, ((double)done / set - 1) * 100, gap_ns, 1e9 / set);
	blk_driver_deinit(&d);
}

int main(void)
{
	printf("throttle that bites, virtual time (limits: 1 %% of the rate, one token of gap)\n");
	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++)
		print_accuracy(&limit_rows[i]);
	return 0;
}
