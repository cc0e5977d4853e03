// SPDX-License-Identifier: GPL-2.0-only
/* What a function of the test author may call. */
#include "guest/custom.h"

#include "guest/worker.h"

#include <sched.h>

static struct worker *worker_of(struct ktstr_self *self)
{
	return (struct worker *)self;
}

void ktstr_compute(struct ktstr_self *self, uint64_t units)
{
	worker_compute(worker_of(self), units);
}

void ktstr_burn_ns(struct ktstr_self *self, uint64_t ns)
{
	worker_burn(worker_of(self), ns);
}

void ktstr_sleep_ns(struct ktstr_self *self, uint64_t ns)
{
	worker_sleep(worker_of(self), ns);
}

void ktstr_yield(struct ktstr_self *self)
{
	sched_yield();
}

void ktstr_iterate(struct ktstr_self *self)
{
	worker_iterate(worker_of(self));
}

void ktstr_block(struct ktstr_self *self)
{
	worker_block(worker_of(self), DUE_UNKNOWN);
}

void ktstr_unblock(struct ktstr_self *self)
{
	worker_unblock(worker_of(self));
}

uint64_t ktstr_random(struct ktstr_self *self)
{
	return worker_random(worker_of(self));
}
