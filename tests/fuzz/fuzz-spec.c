// SPDX-License-Identifier: GPL-2.0-only
/* The strings that scenarios and command lines hold: cpusets, work, counts, policies, quotas, checks.
 * Whatever the text: an answer or an error in words, and an answer keeps its promise. */
#include "base/cleanup.h"
#include "harness/check.h"
#include "harness/cpuspec.h"
#include "harness/spec.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_have_words(int r)
{
	assert(r == 0 || err_text()[0]);
	err_clear();
}

static void resolve(const char *text)
{
	static const struct topology machines[] = { { 1, 1, 1, 1 },
						    { 2, 4, 3, 2 },
						    { 4, 8, 8, 8 } };

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct cpu_mask mask = { 0 };
		int r = cpuspec_resolve(text, &machines[i], &mask);

		must_have_words(r);
		assert(r || !mask_is_empty(&mask));
		assert(r || mask_next(&mask, topology_cpu_count(&machines[i])) == WIRE_CPUS);
	}
}

static void read_work(const char *text)
{
	uint64_t params[PLAN_PARAMS];
	uint32_t id;
	int r = spec_work(text, &id, params);

	must_have_words(r);
	assert(r || workload_check(workload_by_id(id), params) == 0);
}

static void read_quantities(const char *text)
{
	struct plan_sched sched;
	uint64_t quota, period;
	uint32_t count;
	int r = spec_count(text, 8, &count);

	must_have_words(r);
	assert(r || (count >= 1 && count <= PLAN_WORKERS_MAX));
	must_have_words(spec_sched(text, 0, &sched));
	must_have_words(spec_max(text, &quota, &period));
}

static void read_claim(const char *text)
{
	struct claim claim;
	int r = claim_parse(text, &claim);

	must_have_words(r);
	if (r == 0)
		claim_deinit(&claim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(freep) char *text = strndup((const char *)data, size);

	if (!text)
		return 0;
	resolve(text);
	read_work(text);
	read_quantities(text);
	read_claim(text);
	return 0;
}
