// SPDX-License-Identifier: GPL-2.0-only
/* How rt-app's tasks are scheduled, in the words of scenarios. */
#include "base/util.h"
#include "harness/rtapp_internal.h"

#include <errno.h>
#include <stdio.h>

/* The kernel takes runtimes from 1024 ns. */
enum { RT_PRIORITY_DEFAULT = 10, CPUS_MAX = 512, DL_RUNTIME_MIN_US = 2, DL_MAX_US = 1000000000 };

static const char *const sched_keys[] = { "policy",	"priority",  "nice",	   "cpus",
					  "dl-runtime", "dl-period", "dl-deadline" };

bool rtapp_is_sched_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(sched_keys); i++) {
		if (strcmp(sched_keys[i], key) == 0)
			return true;
	}
	return false;
}

static int read_deadline(const struct rtapp_place *at, const json_t *task, struct rtapp_task *ret)
{
	int64_t runtime = 0, period = 0, deadline = 0;
	int r = rtapp_integer(at, task, "dl-runtime", DL_RUNTIME_MIN_US, DL_MAX_US, &runtime);

	if (r == 0 && !runtime)
		return rtapp_refuse(at, "dl-runtime", "SCHED_DEADLINE needs it, in us");
	period = runtime;
	if (r == 0)
		r = rtapp_integer(at, task, "dl-period", 1, DL_MAX_US, &period);
	deadline = period;
	if (r == 0)
		r = rtapp_integer(at, task, "dl-deadline", 1, DL_MAX_US, &deadline);
	if (r == 0 && (runtime > deadline || deadline > period))
		return rtapp_refuse(at, "dl-runtime",
				    "it must be dl-runtime <= dl-deadline <= dl-period");
	snprintf(ret->policy, sizeof(ret->policy), "deadline %lldus/%lldus/%lldus",
		 (long long)runtime, (long long)deadline, (long long)period);
	return r;
}

struct policy {
	const char *name;
	const char *word;
	bool has_nice;
	bool is_realtime;
};

static const struct policy policies[] = {
	{ "SCHED_OTHER", "", true, false },	{ "SCHED_BATCH", "batch", true, false },
	{ "SCHED_IDLE", "idle", false, false }, { "SCHED_FIFO", "fifo", false, true },
	{ "SCHED_RR", "rr", false, true },	{ "SCHED_DEADLINE", "deadline", false, false },
};

static const struct policy *find_policy(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(policies[i].name, name) == 0)
			return &policies[i];
	}
	return NULL;
}

static int refuse_dl_keys(const struct rtapp_place *at, const json_t *task)
{
	for (size_t i = 0; i < ARRAY_SIZE(sched_keys); i++) {
		if (strncmp(sched_keys[i], "dl-", 3) == 0 && json_object_get(task, sched_keys[i]))
			return rtapp_refuse(at, sched_keys[i], "only SCHED_DEADLINE has it");
	}
	return 0;
}

/* rt-app's priority is the nice value of those that have one; nice says the same by its name. */
static int read_priority(const struct rtapp_place *at, const json_t *task, const struct policy *p,
			 struct rtapp_task *ret)
{
	const char *key = json_object_get(task, "nice") ? "nice" : "priority";
	int64_t value = p->is_realtime ? RT_PRIORITY_DEFAULT : 0;
	int r;

	if (json_object_get(task, "nice") && json_object_get(task, "priority"))
		return rtapp_refuse(at, "nice", "priority says it already");
	if (p->is_realtime && strcmp(key, "nice") == 0)
		return rtapp_refuse(at, "nice", "%s has a priority instead", p->name);
	if (p->is_realtime)
		r = rtapp_integer(at, task, key, 1, 99, &value);
	else
		r = rtapp_integer(at, task, key, p->has_nice ? -20 : 0, p->has_nice ? 19 : 0,
				  &value);
	if (p->is_realtime)
		snprintf(ret->policy, sizeof(ret->policy), "%s %lld", p->word, (long long)value);
	else
		snprintf(ret->policy, sizeof(ret->policy), "%s", p->word);
	ret->nice = p->is_realtime ? 0 : (int)value;
	return r;
}

static int read_policy(const struct rtapp *r, const struct rtapp_place *at, const json_t *task,
		       struct rtapp_task *ret)
{
	const char *name = r->default_policy;
	const struct policy *p;
	int err = rtapp_text(at, task, "policy", &name);

	if (err < 0)
		return err_trace(err);
	p = find_policy(name);
	if (!p)
		return rtapp_refuse(at, "policy",
				    "%s: expected SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, "
				    "SCHED_FIFO, SCHED_RR or SCHED_DEADLINE",
				    name);
	err = read_priority(at, task, p, ret);
	if (err < 0)
		return err_trace(err);
	return strcmp(p->word, "deadline") == 0 ? read_deadline(at, task, ret)
						: refuse_dl_keys(at, task);
}

static int read_cpus(struct rtapp *r, const struct rtapp_place *at, const json_t *task,
		     struct rtapp_task *ret)
{
	const json_t *cpus = json_object_get(task, "cpus");
	size_t used, count = json_array_size(cpus);

	if (!cpus)
		return 0;
	if (!json_is_array(cpus) || !count)
		return rtapp_refuse(at, "cpus", "expected a list of CPU numbers");
	used = (size_t)snprintf(ret->affinity, sizeof(ret->affinity), "cpu ");
	for (size_t i = 0; i < count && used < sizeof(ret->affinity); i++) {
		const json_t *cpu = json_array_get(cpus, i);
		json_int_t number = json_integer_value(cpu);

		if (!json_is_integer(cpu) || number < 0 || number >= CPUS_MAX)
			return rtapp_refuse(at, "cpus", "entry %zu: expected a number from 0 to %d",
					    i, CPUS_MAX - 1);
		r->cpu_max = MAX(r->cpu_max, (unsigned)number);
		used += (size_t)snprintf(ret->affinity + used, sizeof(ret->affinity) - used,
					 "%s%lld", i ? "," : "", (long long)number);
	}
	return used < sizeof(ret->affinity) ? 0 : rtapp_refuse(at, "cpus", "the list is too long");
}

int rtapp_read_sched(struct rtapp *r, const struct rtapp_place *at, const json_t *task,
		     struct rtapp_task *ret)
{
	int err = read_policy(r, at, task, ret);

	return err < 0 ? err_trace(err) : read_cpus(r, at, task, ret);
}
