// SPDX-License-Identifier: GPL-2.0-only
/* Is a plan one that the guest can execute? Every index within its table, every number within its
 * range, every text terminated: after plan_check() the guest indexes without asking again. */
#include "base/util.h"
#include "wire/frame.h"
#include "wire/plan.h"
#include "wire/workloads.h"

#include <errno.h>
#include <inttypes.h>

/* What an op's target and other are indices of. */
enum index_kind {
	INDEX_NONE,
	INDEX_CGROUP,
	INDEX_CGROUP_OR_NONE,
	INDEX_GROUP,
	INDEX_PAYLOAD,
	INDEX_WORKER
};

struct op_rule {
	const char *name;
	enum index_kind target;
	enum index_kind other;
	bool is_reserved;
	bool needs_mask;
};

static const struct op_rule op_rules[] = {
	[OP_CGROUP_ADD] = { .name = "cgroup-add", .target = INDEX_CGROUP },
	[OP_CGROUP_REMOVE] = { .name = "cgroup-remove", .target = INDEX_CGROUP },
	[OP_CGROUP_SET] = { .name = "cgroup-set", .target = INDEX_CGROUP },
	[OP_CGROUP_SWAP] = { .name = "cgroup-swap", .target = INDEX_CGROUP, .other = INDEX_CGROUP },
	[OP_CGROUP_FREEZE] = { .name = "cgroup-freeze", .target = INDEX_CGROUP },
	[OP_CGROUP_THAW] = { .name = "cgroup-thaw", .target = INDEX_CGROUP },
	[OP_SPAWN] = { .name = "spawn", .target = INDEX_GROUP },
	[OP_STOP] = { .name = "stop", .target = INDEX_GROUP },
	[OP_MOVE] = { .name = "move", .target = INDEX_GROUP, .other = INDEX_CGROUP_OR_NONE },
	[OP_AFFINITY] = { .name = "affinity", .target = INDEX_GROUP, .needs_mask = true },
	[OP_SCHED] = { .name = "sched", .target = INDEX_GROUP },
	[OP_SIGNAL] = { .name = "signal", .target = INDEX_GROUP },
	[OP_CPU_OFFLINE] = { .name = "cpu-offline", .needs_mask = true },
	[OP_CPU_ONLINE] = { .name = "cpu-online", .needs_mask = true },
	[OP_WRITE] = { .name = "write" },
	[OP_PAYLOAD_RUN] = { .name = "payload-run", .target = INDEX_PAYLOAD },
	[OP_PAYLOAD_WAIT] = { .name = "payload-wait", .target = INDEX_PAYLOAD },
	[OP_PAYLOAD_KILL] = { .name = "payload-kill", .target = INDEX_PAYLOAD },
	[OP_MARK] = { .name = "mark" },
	[OP_SNAPSHOT] = { .name = "snapshot" },
	[OP_SCHED_ATTACH] = { .name = "sched-attach", .is_reserved = true },
	[OP_SCHED_DETACH] = { .name = "sched-detach", .is_reserved = true },
	[OP_SCHED_REPLACE] = { .name = "sched-replace", .is_reserved = true },
	[OP_ALLOWED] = { .name = "allowed", .target = INDEX_WORKER },
};

struct knob_rule {
	const char *file;
	uint64_t min;
	uint64_t max;
	bool may_be_max; /* takes PLAN_MAX */
};

static const struct knob_rule knob_rules[KNOB_COUNT] = {
	[KNOB_CPUSET] = { .file = "cpuset.cpus", .min = 0, .max = UINT64_MAX },
	[KNOB_MEMS] = { .file = "cpuset.mems", .min = 1, .max = UINT64_MAX },
	[KNOB_PARTITION] = { .file = "cpuset.cpus.partition", .min = 0, .max = 2 },
	[KNOB_WEIGHT] = { .file = "cpu.weight", .min = 1, .max = 10000 },
	[KNOB_WEIGHT_NICE] = { .file = "cpu.weight.nice", .min = 0, .max = 39 },
	[KNOB_IDLE] = { .file = "cpu.idle", .min = 0, .max = 1 },
	[KNOB_QUOTA] = { .file = "cpu.max", .min = 1000, .max = UINT64_C(1) << 43, true },
	[KNOB_PERIOD] = { .file = "cpu.max", .min = 1000, .max = 1000000 },
	[KNOB_BURST] = { .file = "cpu.max.burst", .min = 0, .max = UINT64_C(1) << 43 },
	[KNOB_UCLAMP_MIN] = { .file = "cpu.uclamp.min", .min = 0, .max = 1000 },
	[KNOB_UCLAMP_MAX] = { .file = "cpu.uclamp.max", .min = 0, .max = 1000 },
	[KNOB_MEMORY_MIN] = { .file = "memory.min",
			      .min = 0,
			      .max = INT64_MAX,
			      .may_be_max = true },
	[KNOB_MEMORY_LOW] = { .file = "memory.low",
			      .min = 0,
			      .max = INT64_MAX,
			      .may_be_max = true },
	[KNOB_MEMORY_HIGH] = { .file = "memory.high",
			       .min = 0,
			       .max = INT64_MAX,
			       .may_be_max = true },
	[KNOB_MEMORY_MAX] = { .file = "memory.max",
			      .min = 0,
			      .max = INT64_MAX,
			      .may_be_max = true },
	[KNOB_SWAP_MAX] = { .file = "memory.swap.max",
			    .min = 0,
			    .max = INT64_MAX,
			    .may_be_max = true },
	[KNOB_IO_WEIGHT] = { .file = "io.weight", .min = 1, .max = 10000 },
	[KNOB_PIDS_MAX] = { .file = "pids.max", .min = 0, .max = INT32_MAX, .may_be_max = true },
};

const char *plan_op_name(unsigned code)
{
	if (code >= ARRAY_SIZE(op_rules) || !op_rules[code].name)
		return "unknown";
	return op_rules[code].name;
}

const char *plan_knob_name(unsigned knob)
{
	return knob < KNOB_COUNT ? knob_rules[knob].file : "unknown";
}

/* Is the text terminated within its array, and not empty? */
static bool is_name(const char *text, size_t bytes)
{
	return text[0] && memchr(text, '\0', bytes);
}

static bool is_path_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

/* A relative path of names that do not begin with a dot. */
static bool is_cgroup_path(const char *path, size_t bytes)
{
	bool at_start = true;

	if (!is_name(path, bytes))
		return false;
	for (const char *p = path; *p; p++) {
		if (*p != '/' && !is_path_char(*p))
			return false;
		if (at_start && (*p == '/' || *p == '.'))
			return false;
		at_start = *p == '/';
	}
	return !at_start;
}

static int check_range(const char *table, uint32_t i, const char *field, uint64_t value,
		       uint64_t limit)
{
	if (value < limit)
		return 0;
	return err_new(-EINVAL, "%s %u: %s %" PRIu64 " is outside 0..%" PRIu64, table, i, field,
		       value, limit ? limit - 1 : 0);
}

/* Do @count entries from @first on lie within a table of @limit? */
static int check_span(const char *table, uint32_t i, const char *field, uint32_t first,
		      uint32_t count, uint32_t limit)
{
	if (first <= limit && count <= limit - first)
		return 0;
	return err_new(-EINVAL, "%s %u: %s %u+%u leave their table of %u", table, i, field, first,
		       count, limit);
}

static int check_knob(const char *table, uint32_t i, unsigned knob, uint64_t value)
{
	const struct knob_rule *rule = &knob_rules[knob];

	if (rule->may_be_max && value == PLAN_MAX)
		return 0;
	if (value >= rule->min && value <= rule->max)
		return 0;
	return err_new(-EINVAL, "%s %u: %s %" PRIu64 " is outside %" PRIu64 "..%" PRIu64, table, i,
		       rule->file, value, rule->min, rule->max);
}

/* A cgroup's parent must come before it, so that making them in order works. A path may be there
 * again, for a cgroup that is made when the first is gone. */
static int check_parent(const struct plan *p, uint32_t i)
{
	const char *path = p->cgroups[i].path;
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	for (uint32_t k = 0; k < i && slash; k++) {
		const char *other = p->cgroups[k].path;

		if (strlen(other) == len && memcmp(other, path, len) == 0)
			slash = NULL;
	}
	if (slash)
		return err_new(-EINVAL, "cgroup %u: %s comes before its parent", i, path);
	return 0;
}

static int check_cgroup(const struct plan *p, uint32_t i)
{
	const struct plan_cgroup *c = &p->cgroups[i];
	int r;

	if (!is_cgroup_path(c->path, sizeof(c->path)))
		return err_new(-EINVAL, "cgroup %u: its path is none", i);
	if (c->knobs >> KNOB_COUNT)
		return err_new(-EINVAL, "cgroup %s: unknown knobs 0x%" PRIx64, c->path, c->knobs);
	if (c->knobs >> KNOB_PERIOD & 1 && !(c->knobs >> KNOB_QUOTA & 1))
		return err_new(-EINVAL, "cgroup %s: a period without a quota", c->path);
	if (c->knobs >> KNOB_CPUSET & 1 && mask_is_empty(&c->cpuset))
		return err_new(-EINVAL, "cgroup %s: empty cpuset", c->path);
	for (unsigned k = 0; k < KNOB_COUNT; k++) {
		if (!(c->knobs >> k & 1) || k == KNOB_CPUSET)
			continue;
		r = check_knob("cgroup", i, k, c->values[k]);
		if (r)
			return r;
	}
	return check_parent(p, i);
}

static int check_sched(const char *table, uint32_t i, const struct plan_sched *s)
{
	enum { NORMAL = 0, FIFO = 1, RR = 2, BATCH = 3, IDLE = 5, DEADLINE = 6, EXT = 7 };
	bool is_rt = s->policy == FIFO || s->policy == RR;

	if (s->flags & ~(uint32_t)SCHED_WIRE_FLAGS_ALL)
		return err_new(-EINVAL, "%s %u: unknown policy flags 0x%x", table, i, s->flags);
	if (s->flags & SCHED_HAS_NICE && (s->nice < -20 || s->nice > 19))
		return err_new(-EINVAL, "%s %u: nice %d is outside -20..19", table, i, s->nice);
	if (s->flags & SCHED_HAS_UCLAMP && (s->uclamp_min > 1024 || s->uclamp_max > 1024))
		return err_new(-EINVAL, "%s %u: uclamp over 1024", table, i);
	if (!(s->flags & SCHED_HAS_POLICY))
		return 0;
	if (s->policy > EXT || s->policy == 4)
		return err_new(-EINVAL, "%s %u: policy %u is unknown", table, i, s->policy);
	if (is_rt && (s->priority < 1 || s->priority > 99))
		return err_new(-EINVAL, "%s %u: priority %u is outside 1..99", table, i,
			       s->priority);
	if (s->policy == DEADLINE &&
	    (!s->runtime_ns || s->runtime_ns > s->deadline_ns || s->deadline_ns > s->period_ns))
		return err_new(-EINVAL,
			       "%s %u: deadline policy wants runtime <= deadline <= period", table,
			       i);
	return 0;
}

/* Phases of one group: each of a known kind, loops go back within the group. */
static int check_phases(const struct plan *p, uint32_t i)
{
	const struct plan_group *g = &p->groups[i];

	for (uint32_t k = 0; k < g->phase_count; k++) {
		const struct plan_phase *phase = &p->phases[g->first_phase + k];

		if (phase->kind < PHASE_RUN || phase->kind > PHASE_LOOP)
			return err_new(-EINVAL, "group %u: phase %u: kind %u is unknown", i, k,
				       phase->kind);
		if (phase->kind == PHASE_LOOP && phase->to >= k)
			return err_new(-EINVAL, "group %u: phase %u: a loop to phase %u ahead", i,
				       k, phase->to);
		if (phase->kind == PHASE_TIMER && !phase->value)
			return err_new(-EINVAL, "group %u: phase %u: a timer of 0 ns", i, k);
	}
	return 0;
}

static int check_group_workload(const struct plan *p, uint32_t i)
{
	const struct plan_group *g = &p->groups[i];
	const struct workload *w = workload_by_id(g->workload);
	bool has_phases, wants_phases;
	int r;

	if (!w)
		return err_new(-EINVAL, "group %s: workload %u is unknown", g->name, g->workload);
	r = workload_check(w, g->params);
	if (r)
		return err_prefix(r, "group %s: ", g->name);
	if (g->ensemble != workload_ensemble(w, g->params) || !g->worker_count ||
	    g->worker_count % g->ensemble)
		return err_new(
			-EINVAL,
			"group %s: %u workers in ensembles of %u; %s works in ensembles of %u",
			g->name, g->worker_count, g->ensemble, w->name,
			workload_ensemble(w, g->params));
	if (w->flags & WORKLOAD_NEEDS_PROCESS && g->flags & GROUP_THREADS)
		return err_new(-EINVAL, "group %s: %s does not run as threads", g->name, w->name);
	has_phases = g->phase_count;
	wants_phases = w->flags & WORKLOAD_HAS_PHASES;
	if (has_phases != wants_phases)
		return err_new(-EINVAL, "group %s: %s with %u phases", g->name, w->name,
			       g->phase_count);
	return check_phases(p, i);
}

/* The workers of a group are adjacent, name it, and as threads are in one cgroup. */
static int check_members(const struct plan *p, uint32_t i)
{
	const struct plan_group *g = &p->groups[i];
	const struct plan_worker *first = &p->workers[g->first_worker];

	for (uint32_t k = 0; k < g->worker_count; k++) {
		if (first[k].group != i)
			return err_new(-EINVAL, "group %s: worker %u belongs to group %u", g->name,
				       g->first_worker + k, first[k].group);
		if (g->flags & GROUP_THREADS && first[k].cgroup != first->cgroup)
			return err_new(-EINVAL, "group %s: its threads are in different cgroups",
				       g->name);
	}
	return 0;
}

static int check_group(const struct plan *p, uint32_t i)
{
	const struct plan_group *g = &p->groups[i];
	int r;

	if (!is_name(g->name, sizeof(g->name)))
		return err_new(-EINVAL, "group %u: it has no name", i);
	if (g->flags & ~(uint32_t)GROUP_FLAGS_ALL)
		return err_new(-EINVAL, "group %s: unknown flags 0x%x", g->name, g->flags);
	if (g->mempolicy > MEMPOLICY_WEIGHTED_INTERLEAVE || g->mempolicy == 5)
		return err_new(-EINVAL, "group %s: memory policy %u is unknown", g->name,
			       g->mempolicy);
	r = check_range("group", i, "text", g->text, p->header.strings_bytes);
	if (!r)
		r = check_span("group", i, "workers", g->first_worker, g->worker_count,
			       p->header.worker_count);
	if (!r)
		r = check_span("group", i, "phases", g->first_phase, g->phase_count,
			       p->header.phase_count);
	if (!r)
		r = check_sched("group", i, &g->sched);
	if (!r)
		r = check_group_workload(p, i);
	return r ? r : check_members(p, i);
}

static int check_worker(const struct plan *p, uint32_t i)
{
	const struct plan_worker *w = &p->workers[i];
	int r = check_range("worker", i, "group", w->group, p->header.group_count);

	if (!r && w->cgroup != PLAN_NONE)
		r = check_range("worker", i, "cgroup", w->cgroup, p->header.cgroup_count);
	return r;
}

/* @count strings one behind the other from @offset on. */
static int check_string_list(const struct plan *p, uint32_t i, const char *field, uint32_t offset,
			     uint32_t count)
{
	for (uint32_t k = 0; k < count; k++) {
		int r = check_range("payload", i, field, offset, p->header.strings_bytes);

		if (r)
			return r;
		offset += (uint32_t)strlen(p->strings + offset) + 1;
	}
	return 0;
}

static int check_payload(const struct plan *p, uint32_t i)
{
	const struct plan_payload *l = &p->payloads[i];
	int r = 0;

	if (!is_name(l->name, sizeof(l->name)) || !l->argc)
		return err_new(-EINVAL, "payload %u: it has no name or no command", i);
	if (l->flags & ~2u || l->zero)
		return err_new(-EINVAL, "payload %s: unknown flags 0x%x", l->name, l->flags);
	if (l->cgroup != PLAN_NONE)
		r = check_range("payload", i, "cgroup", l->cgroup, p->header.cgroup_count);
	if (!r)
		r = check_string_list(p, i, "argument", l->argv, l->argc);
	if (!r)
		r = check_string_list(p, i, "variable", l->env, l->envc);
	if (!r)
		r = check_range("payload", i, "file", l->file, p->header.strings_bytes);
	if (!r)
		r = check_sched("payload", i, &l->sched);
	return r;
}

static int check_index(const struct plan *p, uint32_t i, const char *field, enum index_kind kind,
		       uint32_t value)
{
	uint32_t limit = 0;

	switch (kind) {
	case INDEX_NONE:
		return 0;
	case INDEX_CGROUP_OR_NONE:
		if (value == PLAN_NONE)
			return 0;
		limit = p->header.cgroup_count;
		break;
	case INDEX_CGROUP:
		limit = p->header.cgroup_count;
		break;
	case INDEX_GROUP:
		limit = p->header.group_count;
		break;
	case INDEX_PAYLOAD:
		limit = p->header.payload_count;
		break;
	case INDEX_WORKER:
		limit = p->header.worker_count;
		break;
	}
	return check_range("op", i, field, value, limit);
}

/* What only some ops ask of their arguments. */
static int check_op_args(const struct plan *p, uint32_t i)
{
	const struct plan_op *op = &p->ops[i];
	struct plan_sched sched;

	switch (op->code) {
	case OP_CGROUP_SET:
		if (op->args[0] >= KNOB_COUNT || op->args[0] == KNOB_PERIOD)
			return err_new(-EINVAL, "op %u: knob %" PRIu64 " cannot be set", i,
				       op->args[0]);
		if (op->args[0] == KNOB_QUOTA && check_knob("op", i, KNOB_PERIOD, op->args[2]))
			return -EINVAL;
		return op->args[0] == KNOB_CPUSET
			       ? 0
			       : check_knob("op", i, (unsigned)op->args[0], op->args[1]);
	case OP_SCHED:
		sched = plan_op_sched(op);
		return check_sched("op", i, &sched);
	case OP_SIGNAL:
		return op->args[0] - 1 < 64 ? 0
					    : err_new(-EINVAL, "op %u: %" PRIu64 " is no signal", i,
						      op->args[0]);
	case OP_WRITE:
		return *plan_string(p, op->text) == '/'
			       ? 0
			       : err_new(-EINVAL,
					 "op %u: write to \"%s\", which is no absolute path", i,
					 plan_string(p, op->text));
	case OP_ALLOWED:
		if (op->args[0] > PLAN_WORKERS_MAX)
			return err_new(-EINVAL, "op %u: %" PRIu64 " workers", i, op->args[0]);
		return check_span("op", i, "workers", op->target, (uint32_t)op->args[0],
				  p->header.worker_count);
	default:
		return 0;
	}
}

static int check_op(const struct plan *p, uint32_t i)
{
	const struct plan_op *op = &p->ops[i];
	const struct op_rule *rule;
	int r;

	if (op->code >= ARRAY_SIZE(op_rules) || !op_rules[op->code].name)
		return err_new(-EINVAL, "op %u: code %u is unknown", i, op->code);
	rule = &op_rules[op->code];
	if (rule->is_reserved)
		return err_new(-EINVAL, "op %u: %s is not supported yet", i, rule->name);
	if (op->flags & ~OP_FLAGS_ALL || op->zero)
		return err_new(-EINVAL, "op %u: unknown flags 0x%x", i, op->flags);
	if (rule->needs_mask && mask_is_empty(&op->mask))
		return err_new(-EINVAL, "op %u: %s names no CPU", i, rule->name);
	r = check_index(p, i, "target", rule->target, op->target);
	if (!r)
		r = check_index(p, i, "other", rule->other, op->other);
	if (!r)
		r = check_range("op", i, "text", op->text, p->header.strings_bytes);
	if (!r)
		r = check_range("op", i, "text2", op->text2, p->header.strings_bytes);
	return r ? r : check_op_args(p, i);
}

static int check_hold(const struct plan *p, uint32_t i)
{
	const struct plan_step *s = &p->steps[i];

	switch (s->hold) {
	case HOLD_NONE:
		if (s->loop_op_count)
			return err_new(-EINVAL, "step %u: a loop without a hold", i);
		return 0;
	case HOLD_TIME:
		break;
	case HOLD_EXITS:
	case HOLD_ITERATIONS:
		if (s->target >= p->header.group_count)
			return check_range("step", i, "target", s->target, p->header.group_count);
		break;
	case HOLD_PAYLOAD:
		if (s->target >= p->header.payload_count)
			return check_range("step", i, "target", s->target, p->header.payload_count);
		break;
	default:
		return err_new(-EINVAL, "step %u: hold %u is unknown", i, s->hold);
	}
	if (!s->hold_ns)
		return err_new(-EINVAL, "step %u: a hold of 0 ns", i);
	return 0;
}

static int check_step(const struct plan *p, uint32_t i)
{
	const struct plan_step *s = &p->steps[i];
	int r;

	if (!is_name(s->name, sizeof(s->name)))
		return err_new(-EINVAL, "step %u: it has no name", i);
	r = check_span("step", i, "ops", s->first_op, s->op_count, p->header.op_count);
	if (!r)
		r = check_span("step", i, "loop", s->loop_first_op, s->loop_op_count,
			       p->header.op_count);
	if (!r && s->loop_op_count && s->loop_interval_ns < 100 * NSEC_PER_USEC)
		r = err_new(-EINVAL,
			    "step %u: a loop every %" PRIu64 " ns, at least 100 us are needed", i,
			    s->loop_interval_ns);
	return r ? r : check_hold(p, i);
}

static int check_header(const struct plan *p)
{
	const struct plan_header *h = &p->header;

	if (h->version != WIRE_VERSION)
		return err_new(-EINVAL, "version %u, expected %u", h->version,
			       (unsigned)WIRE_VERSION);
	if (!h->strings_bytes || p->strings[0] || p->strings[h->strings_bytes - 1])
		return err_new(-EINVAL, "the strings do not begin and end with NUL");
	if (!h->step_count)
		return err_new(-EINVAL, "it has no step");
	if (h->sample_ns && h->sample_ns < NSEC_PER_MSEC)
		return err_new(-EINVAL, "samples every %" PRIu64 " ns, at least 1 ms is needed",
			       h->sample_ns);
	if (h->cgroup_count > PLAN_CGROUPS_MAX || h->group_count > PLAN_GROUPS_MAX ||
	    h->worker_count > PLAN_WORKERS_MAX)
		return err_new(-EINVAL, "a table is over its limit");
	return 0;
}

int plan_check(const struct plan *p)
{
	static const struct {
		size_t count;
		int (*check)(const struct plan *p, uint32_t i);
	} parts[] = {
		{ offsetof(struct plan_header, cgroup_count), check_cgroup },
		{ offsetof(struct plan_header, worker_count), check_worker },
		{ offsetof(struct plan_header, group_count), check_group },
		{ offsetof(struct plan_header, payload_count), check_payload },
		{ offsetof(struct plan_header, op_count), check_op },
		{ offsetof(struct plan_header, step_count), check_step },
	};
	int r = check_header(p);

	if (r)
		return err_trace(r);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		uint32_t count = le32_get((const char *)&p->header + parts[i].count);

		for (uint32_t k = 0; k < count; k++) {
			r = parts[i].check(p, k);
			if (r)
				return err_trace(r);
		}
	}
	return 0;
}
