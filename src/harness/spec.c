// SPDX-License-Identifier: GPL-2.0-only
#include "harness/spec.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/util.h"
#include "harness/program.h"
#include "wire/feature.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

static int add_arg(const char *text, struct spec *s, char *word)
{
	char *equals = strchr(word, '=');

	if (!equals || equals == word || !equals[1])
		return err_new(-EINVAL, "\"%s\": %s is not KEY=VALUE", text, word);
	if (s->count == SPEC_ARGS_MAX)
		return err_new(-EINVAL, "\"%s\": more than %d settings", text, SPEC_ARGS_MAX);
	*equals = '\0';
	for (unsigned i = 0; i < s->count; i++) {
		if (strcmp(s->args[i].key, word) == 0)
			return err_new(-EINVAL, "\"%s\": %s is set twice", text, word);
	}
	s->args[s->count++] = (struct spec_arg){ .key = word, .value = equals + 1 };
	return 0;
}

int spec_parse(const char *text, struct spec *ret)
{
	cleanup(spec_deinit) struct spec s = { .storage = strdup(text) };
	char *rest = NULL;

	if (!s.storage)
		return err_new(-ENOMEM, "out of memory for \"%s\"", text);
	s.name = strtok_r(s.storage, " ", &rest);
	if (!s.name || strchr(s.name, '='))
		return err_new(-EINVAL, "\"%s\": a name must come first", text);
	for (char *word = strtok_r(NULL, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		int r = add_arg(text, &s, word);

		if (r < 0)
			return err_trace(r);
	}
	*ret = s;
	s.storage = NULL;
	return 0;
}

void spec_deinit(struct spec *s)
{
	free(s->storage);
	*s = SPEC_NULL;
}

static int parse_permille(const char *text, uint64_t *ret)
{
	static const char unit[] = "permille";
	size_t len = strlen(text);
	char number[16];

	if (!str_ends_with(text, unit) || len - (sizeof(unit) - 1) >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, len - (sizeof(unit) - 1));
	number[len - (sizeof(unit) - 1)] = '\0';
	return parse_u64_in(number, 0, 1000, ret);
}

/* 12, 0.5, 12.345: thousandths. */
static int parse_milli(const char *text, uint64_t *ret)
{
	enum { DECIMALS = 3 };
	size_t whole = strspn(text, "0123456789");
	size_t decimals = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	size_t zeros; /* in front, which the point has left there */
	char digits[32];

	if (!whole || (whole > 1 && text[0] == '0') || whole + DECIMALS >= sizeof(digits) ||
	    decimals > DECIMALS || text[whole + (decimals ? decimals + 1 : 0)])
		return -EINVAL;
	memcpy(digits, text, whole);
	memset(digits + whole, '0', DECIMALS);
	memcpy(digits + whole, text + whole + 1, decimals);
	digits[whole + DECIMALS] = '\0';
	zeros = strspn(digits, "0");
	return parse_u64(digits + MIN(zeros, whole + DECIMALS - 1), ret);
}

struct unit_form {
	int (*parse)(const char *text, uint64_t *ret);
	const char *text;
};

static const struct unit_form unit_forms[] = {
	[PARAM_COUNT] = { parse_u64, "a number" },
	[PARAM_NS] = { parse_duration_ns, "a duration with its unit, such as 50ms" },
	[PARAM_BYTES] = { parse_size, "a size with its unit, such as 4KiB or 64B" },
	[PARAM_PERMILLE] = { parse_permille, "thousandths from 0permille to 1000permille" },
	[PARAM_HZ] = { parse_u64, "a number of times in a second" },
	[PARAM_MILLI] = { parse_milli, "a number with at most three decimals" },
};

const char *spec_unit_text(enum param_unit unit)
{
	return unit_forms[unit].text;
}

int spec_value(const char *text, enum param_unit unit, uint64_t *ret)
{
	int r = unit_forms[unit].parse(text, ret);

	if (r == -ERANGE && unit != PARAM_PERMILLE)
		return err_new(-EINVAL, "\"%s\": the number is too large, or too fine", text);
	if (r < 0)
		return err_new(-EINVAL, "\"%s\": expected %s", text, unit_forms[unit].text);
	return 0;
}

static int set_param(const struct workload *w, const struct spec_arg *arg,
		     uint64_t params[PLAN_PARAMS])
{
	int index = workload_param_index(w, arg->key);
	int r;

	if (index < 0)
		return err_new(-EINVAL, "\"%s\": workload %s has no such parameter", arg->key,
			       w->name);
	r = spec_value(arg->value, w->params[index].unit, &params[index]);
	return r < 0 ? err_prefix(r, "%s ", arg->key) : 0;
}

static int set_params(const struct workload *w, const struct spec *s, uint64_t params[PLAN_PARAMS])
{
	const char *key = w->text_name;
	bool has_text = false;
	struct program program;
	int r = 0;

	for (unsigned i = 0; i < s->count && r == 0; i++) {
		if (!key || strcmp(s->args[i].key, key) != 0) {
			r = set_param(w, &s->args[i], params);
			continue;
		}
		has_text = true;
		if (w->flags & WORKLOAD_HAS_PHASES)
			r = program_parse(s->args[i].value, &program);
	}
	if (r == 0 && key && !has_text)
		return err_new(-EINVAL, "workload %s needs %s=", w->name, key);
	return r;
}

int spec_work_text(const char *text, char **ret)
{
	cleanup(spec_deinit) struct spec s = SPEC_NULL;
	const struct workload *w;
	int r = spec_parse(text, &s);

	if (r < 0)
		return err_trace(r);
	w = workload_by_name(s.name, NULL);
	for (unsigned i = 0; w && w->text_name && i < s.count; i++) {
		if (strcmp(s.args[i].key, w->text_name) == 0)
			return str_printf(ret, "%s", s.args[i].value);
	}
	return err_new(-EINVAL, "\"%s\": it has no text", text);
}

int spec_work(const char *text, uint32_t *id_ret, uint64_t params_ret[PLAN_PARAMS])
{
	cleanup(spec_deinit) struct spec s = SPEC_NULL;
	uint64_t params[PLAN_PARAMS] = { 0 };
	const struct workload *w;
	uint32_t id;
	int r = spec_parse(text, &s);

	if (r < 0)
		return err_trace(r);
	w = workload_by_name(s.name, &id);
	if (!w)
		return err_new(-EINVAL,
			       "\"%s\": no workload has that name; `ktstr workloads` lists them",
			       s.name);
	workload_defaults(w, params);
	r = set_params(w, &s, params);
	if (r == 0)
		r = workload_check(w, params);
	if (r < 0)
		return err_prefix(r, "\"%s\": ", text);
	*id_ret = id;
	memcpy(params_ret, params, sizeof(params));
	return 0;
}

static int parse_percent(const char *text, uint64_t *ret)
{
	char number[16];
	size_t len = strlen(text);

	if (len == 0 || len > sizeof(number) || text[len - 1] != '%')
		return -EINVAL;
	memcpy(number, text, len - 1);
	number[len - 1] = '\0';
	return parse_u64_in(number, 1, 100000, ret);
}

int spec_count(const char *text, unsigned cpus, uint32_t *ret)
{
	uint64_t count;

	if (!text)
		count = 1;
	else if (strcmp(text, "per-cpu") == 0)
		count = cpus;
	else if (parse_percent(text, &count) == 0)
		count = (count * cpus + 99) / 100;
	else if (parse_u64_in(text, 1, PLAN_WORKERS_MAX, &count) < 0)
		return err_new(-EINVAL, "\"%s\": expected a number from 1 to %d, per-cpu, or N%%",
			       text, PLAN_WORKERS_MAX);
	if (count > PLAN_WORKERS_MAX)
		return err_new(-EINVAL, "\"%s\": that is more than %d workers", text,
			       PLAN_WORKERS_MAX);
	*ret = (uint32_t)count;
	return 0;
}

enum { SCHED_DEADLINE_POLICY = 6 /* linux/sched.h, whose sched_attr libc has not */ };

struct policy_word {
	const char *word;
	uint32_t policy;
	bool has_priority;
	/* What follows the word, if it is no priority; NULL: nothing. */
	int (*parse)(const char *text, const char *rest, struct plan_sched *ret);
};

static int take_duration(const char **p, char end, uint64_t *ret)
{
	size_t len = strcspn(*p, "/");
	char text[32];

	if ((*p)[len] != end || len >= sizeof(text))
		return -EINVAL;
	memcpy(text, *p, len);
	text[len] = '\0';
	*p += len + (end != '\0');
	return parse_duration_ns(text, ret);
}

/* Linux kernel/sched/deadline.c, __checkparam_dl(): runtimes are at least 2^DL_SCALE ns, periods
 * within sched_deadline_period_min_us and _max_us. */
static int parse_deadline(const char *text, const char *rest, struct plan_sched *ret)
{
	static const uint64_t period_min_ns = 100000, period_max_ns = UINT64_C(4194304000);
	enum { RUNTIME_MIN_NS = 1024 };

	if (take_duration(&rest, '/', &ret->runtime_ns) < 0 ||
	    take_duration(&rest, '/', &ret->deadline_ns) < 0 ||
	    take_duration(&rest, '\0', &ret->period_ns) < 0)
		return err_new(-EINVAL,
			       "\"%s\": expected deadline RUNTIME/DEADLINE/PERIOD, as "
			       "2ms/10ms/10ms",
			       text);
	if (ret->runtime_ns < RUNTIME_MIN_NS)
		return err_new(-EINVAL, "\"%s\": the kernel takes runtimes from 1024ns", text);
	if (ret->period_ns < period_min_ns || ret->period_ns > period_max_ns)
		return err_new(-EINVAL, "\"%s\": the kernel takes periods from 100us to 4194304us",
			       text);
	if (ret->runtime_ns > ret->deadline_ns || ret->deadline_ns > ret->period_ns)
		return err_new(-EINVAL, "\"%s\": it must be RUNTIME <= DEADLINE <= PERIOD", text);
	return 0;
}

static const struct policy_word policy_words[] = {
	{ "normal", SCHED_OTHER, false, NULL },
	{ "batch", SCHED_BATCH, false, NULL },
	{ "idle", SCHED_IDLE, false, NULL },
	{ "fifo", SCHED_FIFO, true, NULL },
	{ "rr", SCHED_RR, true, NULL },
	{ "deadline", SCHED_DEADLINE_POLICY, false, parse_deadline },
	{ "ext", POLICY_EXT, false, NULL },
};

/* Does @text begin with the word of @p? Then the rest is its priority, or nothing. */
static const char *policy_rest(const char *text, const struct policy_word *p)
{
	size_t len = strlen(p->word);

	if (strncmp(text, p->word, len) != 0 || (text[len] && text[len] != ' '))
		return NULL;
	return text[len] ? text + len + 1 : text + len;
}

static int set_numbers(const char *text, const char *rest, const struct policy_word *p,
		       struct plan_sched *ret)
{
	ret->policy = p->policy;
	ret->flags |= SCHED_HAS_POLICY;
	return p->parse(text, rest, ret);
}

static int set_policy(const char *text, struct plan_sched *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(policy_words); i++) {
		const struct policy_word *p = &policy_words[i];
		const char *rest = policy_rest(text, p);
		uint64_t priority = 0;

		if (!rest)
			continue;
		if (p->has_priority && parse_u64_in(rest, 1, 99, &priority) < 0)
			return err_new(-EINVAL, "\"%s\": expected a priority from 1 to 99", text);
		if (p->parse)
			return set_numbers(text, rest, p, ret);
		if (!p->has_priority && *rest)
			return err_new(-EINVAL, "\"%s\": %s takes no priority", text, p->word);
		ret->policy = p->policy;
		ret->priority = (uint32_t)priority;
		ret->flags |= SCHED_HAS_POLICY;
		return 0;
	}
	return err_new(-EINVAL,
		       "\"%s\": expected normal, batch, idle, fifo PRIO, rr PRIO, "
		       "deadline RUNTIME/DEADLINE/PERIOD or ext",
		       text);
}

int spec_sched(const char *policy, int nice, struct plan_sched *ret)
{
	struct plan_sched s = { 0 };
	int r;

	if (nice < -20 || nice > 19)
		return err_new(-EINVAL, "\"%d\": nice is from -20 to 19", nice);
	if (nice) {
		s.nice = nice;
		s.flags |= SCHED_HAS_NICE;
	}
	r = policy ? set_policy(policy, &s) : 0;
	if (r < 0)
		return err_trace(r);
	if (nice && (s.priority || s.period_ns))
		return err_new(-EINVAL, "\"%s\": real-time workers have no nice value", policy);
	*ret = s;
	return 0;
}

/* Linux kernel/sched/syscalls.c clamps custom slices to these bounds without a word. */
int spec_slice(const char *text, struct plan_sched *sched)
{
	uint64_t ns;
	int r = spec_value(text, PARAM_NS, &ns);

	if (r < 0)
		return err_trace(r);
	if (ns < NSEC_PER_MSEC / 10 || ns > 100 * NSEC_PER_MSEC)
		return err_new(-EINVAL, "\"%s\": the kernel takes slices from 100us to 100ms",
			       text);
	if (sched->flags & SCHED_HAS_POLICY && sched->policy != SCHED_OTHER &&
	    sched->policy != SCHED_BATCH)
		return err_new(-EINVAL, "\"%s\": only normal and batch workers have a slice", text);
	sched->runtime_ns = ns;
	sched->flags |= SCHED_HAS_SLICE;
	return 0;
}

int spec_feature(const char *text, unsigned *ret)
{
	unsigned id = feature_by_name(text);
	char names[FEATURE_NAMES_BYTES];

	if (id == FEATURE_COUNT)
		return err_new(-EINVAL, "\"%s\": expected one of %s", text,
			       feature_names(names, sizeof(names)));
	*ret = id;
	return 0;
}

int spec_name(const char *text)
{
	if (!*text || strlen(text) >= PLAN_NAME_BYTES)
		return err_new(-EINVAL, "\"%s\": it has 1 to %d characters", text,
			       PLAN_NAME_BYTES - 1);
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
			return err_new(-EINVAL, "\"%s\": it has letters, digits, _ - .", text);
	return 0;
}

int spec_release(const char *text, unsigned ret[3])
{
	unsigned parts[3] = { 0 };
	const char *p = text;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t len = strspn(p, "0123456789");
		bool is_last = !p[len];

		if (len < 1 || len > 5 || (!is_last && (p[len] != '.' || i == 2)))
			break;
		parts[i] = (unsigned)strtoul(p, NULL, 10);
		p += len + 1;
		if (!is_last)
			continue;
		memcpy(ret, parts, sizeof(parts));
		return 0;
	}
	return err_new(-EINVAL, "\"%s\": expected a kernel release such as 6.6 or 6.12.85", text);
}

int spec_timeout(const char *text, uint64_t *ns_ret)
{
	uint64_t ns;
	int r = spec_value(text, PARAM_NS, &ns);

	if (r < 0)
		return err_trace(r);
	if (ns < NSEC_PER_MSEC)
		return err_new(-EINVAL, "\"%s\": it must be at least 1ms", text);
	*ns_ret = ns;
	return 0;
}

int spec_burst(const char *text, uint64_t *us_ret)
{
	uint64_t ns;
	int r = spec_value(text, PARAM_NS, &ns);

	if (r < 0)
		return err_trace(r);
	if (ns % NSEC_PER_USEC)
		return err_new(-EINVAL, "\"%s\": the kernel counts in whole microseconds", text);
	*us_ret = ns / NSEC_PER_USEC;
	return 0;
}

int spec_limit(const char *text, uint64_t *ret)
{
	int r;

	if (strcmp(text, "max") == 0) {
		*ret = PLAN_MAX;
		return 0;
	}
	r = parse_size(text, ret);
	if (r < 0 && r != -ERANGE)
		return err_new(-EINVAL,
			       "\"%s\": expected a size with its unit, such as 64M, or max", text);
	if (r == -ERANGE || *ret > INT64_MAX)
		return err_new(-EINVAL,
			       "\"%s\": it is more than the kernel counts; max is no limit", text);
	return 0;
}

/* As plan_check() has it: a little under what the kernel's own arithmetic takes. */
#define QUOTA_MAX_US (UINT64_C(1) << 43)

int spec_max(const char *text, uint64_t *quota_us_ret, uint64_t *period_us_ret)
{
	const char *slash = strchr(text, '/');
	uint64_t quota_ns, period_ns;
	int quota_r, period_r;
	char quota[32];

	if (strcmp(text, "max") == 0) {
		*quota_us_ret = PLAN_MAX;
		*period_us_ret = PLAN_PERIOD_US;
		return 0;
	}
	if (!slash || (size_t)(slash - text) >= sizeof(quota))
		return err_new(-EINVAL, "\"%s\": expected max, or QUOTA/PERIOD as 10ms/100ms",
			       text);
	memcpy(quota, text, (size_t)(slash - text));
	quota[slash - text] = '\0';
	quota_r = parse_duration_ns(quota, &quota_ns);
	period_r = parse_duration_ns(slash + 1, &period_ns);
	if (quota_r == -ERANGE || period_r == -ERANGE)
		return err_new(-EINVAL, "\"%s\": a number is too large, or too fine", text);
	if (quota_r < 0 || period_r < 0)
		return err_new(-EINVAL, "\"%s\": expected max, or QUOTA/PERIOD as 10ms/100ms",
			       text);
	if (quota_ns < NSEC_PER_MSEC)
		return err_new(-EINVAL, "\"%s\": the kernel takes quotas from 1ms", text);
	if (quota_ns / NSEC_PER_USEC > QUOTA_MAX_US)
		return err_new(-EINVAL, "\"%s\": quotas can be up to 8796093s; max is none", text);
	if (quota_ns % NSEC_PER_USEC || period_ns % NSEC_PER_USEC)
		return err_new(-EINVAL, "\"%s\": the kernel counts in whole microseconds", text);
	if (period_ns < NSEC_PER_MSEC || period_ns > NSEC_PER_SEC)
		return err_new(-EINVAL, "\"%s\": the kernel takes periods from 1ms to 1s", text);
	*quota_us_ret = quota_ns / NSEC_PER_USEC;
	*period_us_ret = period_ns / NSEC_PER_USEC;
	return 0;
}
