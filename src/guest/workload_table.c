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
	[WORK_FUTEX_FANOUT] = { .run = work_futex_fanout },
	[WORK_FANOUT_COMPUTE] = { .run = work_fanout_compute },
	[WORK_WAKE_CHAIN] = { .run = work_wake_chain },
	[WORK_ASYMMETRIC_WAKER] = { .run = work_asymmetric_waker },
	[WORK_THUNDERING_HERD] = { .run = work_thundering_herd },
	[WORK_EPOLL_STORM] = { .run = work_epoll_storm, .prepare = prepare_epoll_storm },
	[WORK_SIGNAL_STORM] = { .run = work_signal_storm },
	[WORK_PRODUCER_CONSUMER] = { .run = work_producer_consumer },
	[WORK_MUTEX] = { .run = work_mutex },
	[WORK_PRIORITY_INVERSION] = { .run = work_priority_inversion },
	[WORK_RT_STARVATION] = { .run = work_rt_starvation },
	[WORK_PREEMPT_STORM] = { .run = work_preempt_storm },
	[WORK_FORK_EXIT] = { .run = work_fork_exit },
	[WORK_NICE_SWEEP] = { .run = work_nice_sweep },
	[WORK_AFFINITY_CHURN] = { .run = work_affinity_churn },
	[WORK_CROSS_AFFINITY_CHURN] = { .run = work_cross_affinity_churn },
	[WORK_POLICY_CHURN] = { .run = work_policy_churn },
	[WORK_CGROUP_CHURN] = { .run = work_cgroup_churn },
	[WORK_CGROUP_ATTACH_STORM] = { .run = work_cgroup_attach_storm },
	[WORK_NUMA_MIGRATION_CHURN] = { .run = work_numa_migration_churn },
	[WORK_NUMA_WORKING_SET] = { .run = work_numa_working_set },
	[WORK_PAGE_FAULT_CHURN] = { .run = work_page_fault_churn },
	[WORK_CACHE_PRESSURE] = { .run = work_cache_pressure },
	[WORK_CACHE_YIELD] = { .run = work_cache_yield },
	[WORK_CACHE_PIPE] = { .run = work_cache_pipe, .prepare = prepare_pipes },
	[WORK_IPC_VARIANCE] = { .run = work_ipc_variance },
	[WORK_SMT_SIBLING_SPIN] = { .run = work_smt_sibling_spin },
	[WORK_IO_SYNC_WRITE] = { .run = work_io_sync_write },
	[WORK_IO_CONVOY] = { .run = work_io_convoy },
	[WORK_NET_LOOPBACK] = { .run = work_net_loopback, .prepare = prepare_loopback },
	[WORK_IRQ_WAKE] = { .run = work_irq_wake },
	[WORK_SCHBENCH] = { .run = work_schbench },
	[WORK_REQUEST_MIX] = { .run = work_request_mix },
	[WORK_SEQUENCE] = { .run = work_sequence },
	[WORK_CUSTOM] = { .run = work_custom },
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
