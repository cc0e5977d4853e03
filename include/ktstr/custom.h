/* SPDX-License-Identifier: GPL-2.0-only */
/* Work of your own: a function that runs in the guest as the body of a worker.
 *
 *	KTSTR_WORK(my_lookup)
 *	{
 *		ktstr_compute(self, params[0]);
 *		ktstr_sleep_ns(self, 1000000);
 *	}
 *
 * It is called again and again until the worker is stopped; each call counts as one iteration. The
 * stop takes it out wherever it is, so it must hold nothing that outlives its process, and as a
 * thread must not call what takes locks of the C library (malloc, stdio). A scenario names it with
 * `work = "custom function=my_lookup a=1000"`; params[0..3] are a, b, c, d. */
#pragma once

#include <stdint.h>

struct ktstr_self;

struct ktstr_work_record {
	const char *name;
	void (*run)(struct ktstr_self *self, const uint64_t *params);
};

#define KTSTR_WORK(id)                                                                             \
	static void ktstr_work_##id(struct ktstr_self *self, const uint64_t *params);              \
	static const struct ktstr_work_record ktstr_work_record_##id                               \
		__attribute__((used, retain, section("ktstr_works"),                               \
			       aligned(_Alignof(struct ktstr_work_record)))) = {                   \
			.name = #id,                                                               \
			.run = ktstr_work_##id,                                                    \
		};                                                                                 \
	static void ktstr_work_##id(struct ktstr_self *self, const uint64_t *params)

/* Compute: about a nanosecond for each unit, the same work everywhere. */
void ktstr_compute(struct ktstr_self *self, uint64_t units);
/* Compute until that much CPU time is spent. */
void ktstr_burn_ns(struct ktstr_self *self, uint64_t ns);
/* Sleep; how late it runs again is measured as wake latency. */
void ktstr_sleep_ns(struct ktstr_self *self, uint64_t ns);
void ktstr_yield(struct ktstr_self *self);
/* In a function that loops by itself: one more iteration is done. Without it, waiting for a CPU
 * inside the loop is not seen. */
void ktstr_iterate(struct ktstr_self *self);
/* Around anything that waits for something other than a CPU. */
void ktstr_block(struct ktstr_self *self);
void ktstr_unblock(struct ktstr_self *self);
/* From the plan's seed: the same for the same scenario. */
uint64_t ktstr_random(struct ktstr_self *self);
