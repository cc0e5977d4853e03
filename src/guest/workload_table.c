// SPDX-License-Identifier: GPL-2.0-only
/* Which function does which workload. */
#include "guest/workload_table.h"

#include "base/util.h"
#include "guest/work.h"

#include <errno.h>

struct work {
	void (*run)(struct worker *w, const uint64_t *p);
	int (*prepare)(struct ensemble *e, const uint64_t *p);
};

static const struct work works[WORK_END] = {
	[WORK_SPIN] = { .run = work_spin },
	[WORK_YIELD] = { .run = work_yield },
	[WORK_BURSTY] = { .run = work_bursty },
	[WORK_PIPE_PINGPONG] = { .run = work_pipe_pingpong, .prepare = prepare_pipes },
	[WORK_FUTEX_PINGPONG] = { .run = work_futex_pingpong },
	[WORK_IO_RAND_READ] = { .run = work_io_rand_read },
	[WORK_ALU_HOT] = { .run = work_alu_hot },
	[WORK_MIXED] = { .run = work_mixed },
	[WORK_PERIODIC] = { .run = work_periodic },
	[WORK_IDLE_CHURN] = { .run = work_bursty },
	[WORK_TIMER_LATENCY] = { .run = work_timer_latency },
	[WORK_ASYMMETRIC_WAKER] = { .run = work_asymmetric_waker },
	[WORK_SIGNAL_STORM] = { .run = work_signal_storm },
	[WORK_CACHE_PIPE] = { .run = work_cache_pipe, .prepare = prepare_pipes },
	[WORK_IO_SYNC_WRITE] = { .run = work_io_sync_write },
	[WORK_NET_LOOPBACK] = { .run = work_net_loopback, .prepare = prepare_loopback },
	[WORK_IRQ_WAKE] = { .run = work_irq_wake },
};

bool workload_is_known(uint32_t id)
{
	return id < WORK_END && works[id].run;
}

int workload_prepare(uint32_t id, struct ensemble *e, const uint64_t params[PLAN_PARAMS])
{
	if (!workload_is_known(id))
		return err_new(-ENOSYS, "workload %s is not supported yet",
			       workload_by_id(id) ? workload_by_id(id)->name : "?");
	return works[id].prepare ? works[id].prepare(e, params) : 0;
}

void workload_run(struct worker *w)
{
	works[w->group->workload].run(w, w->group->params);
}
