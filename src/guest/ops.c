// SPDX-License-Identifier: GPL-2.0-only
/* The operations of a plan, one function each. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/util.h"
#include "guest/cgroup.h"
#include "guest/conductor.h"
#include "guest/setup.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { OP_LIMIT_NS = 20 * NSEC_PER_SEC, OLD_VALUE_MAX = 65536 };

static const char *cgroup_path(const struct conductor *c, uint32_t cgroup)
{
	return cgroup == PLAN_NONE ? NULL : c->plan->cgroups[cgroup].path;
}

static int do_cgroup_add(struct conductor *c, const struct plan_op *op)
{
	int r = cgroup_add(&c->plan->cgroups[op->target]);

	if (!r)
		c->has_cgroup[op->target] = true;
	return r;
}

/* With a cgroup go those below it. */
static int do_cgroup_remove(struct conductor *c, const struct plan_op *op)
{
	const char *path = cgroup_path(c, op->target);
	size_t len = strlen(path);
	int r = cgroup_remove(path, now_ns() + OP_LIMIT_NS);

	for (uint32_t i = 0; i < c->plan->header.cgroup_count && !r; i++) {
		const char *other = cgroup_path(c, i);

		if (strncmp(other, path, len) == 0 && (!other[len] || other[len] == '/'))
			c->has_cgroup[i] = c->is_frozen[i] = false;
	}
	return r;
}

static int do_cgroup_set(struct conductor *c, const struct plan_op *op)
{
	return cgroup_set(cgroup_path(c, op->target), (enum plan_knob)op->args[0], op->args[1],
			  op->args[2], &op->mask);
}

static int do_cgroup_swap(struct conductor *c, const struct plan_op *op)
{
	return cgroup_swap_cpusets(cgroup_path(c, op->target), cgroup_path(c, op->other));
}

static int do_cgroup_freeze(struct conductor *c, const struct plan_op *op)
{
	c->is_frozen[op->target] = true;
	return cgroup_freeze(cgroup_path(c, op->target), true, now_ns() + OP_LIMIT_NS);
}

static int do_cgroup_thaw(struct conductor *c, const struct plan_op *op)
{
	c->is_frozen[op->target] = false;
	return cgroup_freeze(cgroup_path(c, op->target), false, now_ns() + OP_LIMIT_NS);
}

static int do_spawn(struct conductor *c, const struct plan_op *op)
{
	return crew_spawn(c, op->target);
}

static int do_stop(struct conductor *c, const struct plan_op *op)
{
	crew_stop(c, op->target);
	return 0;
}

/* Call @act for each live worker of the target group until one fails. */
static int for_workers(struct conductor *c, const struct plan_op *op,
		       int (*act)(struct conductor *c, const struct plan_op *op, uint32_t worker))
{
	const struct plan_group *g = &c->plan->groups[op->target];
	int r = 0;

	for (uint32_t i = 0; i < g->worker_count && !r; i++)
		if (c->members[g->first_worker + i].is_alive)
			r = act(c, op, g->first_worker + i);
	return r ? err_prefix(r, "group %s: ", g->name) : 0;
}

static pid_t tid_of(const struct conductor *c, uint32_t worker)
{
	return (pid_t)c->pool.telemetry[worker].tid;
}

static int move_one(struct conductor *c, const struct plan_op *op, uint32_t worker)
{
	return cgroup_move(cgroup_path(c, op->other), c->members[worker].pid);
}

static int do_move(struct conductor *c, const struct plan_op *op)
{
	return for_workers(c, op, move_one);
}

static int bind_one(struct conductor *c, const struct plan_op *op, uint32_t worker)
{
	return task_set_affinity(tid_of(c, worker), &op->mask);
}

static int do_affinity(struct conductor *c, const struct plan_op *op)
{
	return for_workers(c, op, bind_one);
}

static int schedule_one(struct conductor *c, const struct plan_op *op, uint32_t worker)
{
	struct plan_sched s = plan_op_sched(op);

	return task_set_sched(tid_of(c, worker), &s);
}

static int do_sched(struct conductor *c, const struct plan_op *op)
{
	return for_workers(c, op, schedule_one);
}

static int signal_one(struct conductor *c, const struct plan_op *op, uint32_t worker)
{
	if (kill(c->members[worker].pid, (int)op->args[0]))
		return err_new(-errno, "kill with %" PRIu64 ": %s", op->args[0], strerror(errno));
	return 0;
}

static int expect_end(struct conductor *c, const struct plan_op *op, uint32_t worker)
{
	c->members[worker].is_killed = true;
	return 0;
}

/* After a signal that ends them they are gone when this returns. */
static int do_signal(struct conductor *c, const struct plan_op *op)
{
	bool is_end = op->args[0] == SIGKILL || op->args[0] == SIGTERM;
	int r = is_end ? for_workers(c, op, expect_end) : 0;

	if (!r)
		r = for_workers(c, op, signal_one);
	if (!r && is_end)
		r = conductor_wait(c, crew_has_exited, op->target, now_ns() + OP_LIMIT_NS);
	return r == -ETIMEDOUT ? err_prefix(r, "the workers did not end: ") : r;
}

static int switch_cpus(const struct cpu_mask *mask, const char *value)
{
	char path[96];

	for (unsigned cpu = mask_next(mask, 0); cpu < WIRE_CPUS; cpu = mask_next(mask, cpu + 1)) {
		int r;

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
		r = write_file(path, value);
		if (r)
			return err_trace(r);
	}
	return 0;
}

static int do_cpu_offline(struct conductor *c, const struct plan_op *op)
{
	return switch_cpus(&op->mask, "0");
}

static int do_cpu_online(struct conductor *c, const struct plan_op *op)
{
	return switch_cpus(&op->mask, "1");
}

/* cpu.weight and its like take no space behind their number. */
static char *without_trailing_spaces(char *text)
{
	size_t len = text ? strlen(text) : 0;

	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	return text;
}

/* What must be written so that @path is as it was. A list of features reads as all of them, and is
 * written one by one: the inverse of a word that changed something, "" of one that did not. */
static char *value_before(const char *path, const char *text, const struct buf *old)
{
	const char *name = strrchr(path, '/');
	bool is_off = strncmp(text, "NO_", 3) == 0;
	char padded[128], list[sizeof(padded) + 1];

	if (!name || strcmp(name, "/features") != 0)
		return without_trailing_spaces(strdup(buf_text(old)));
	snprintf(padded, sizeof(padded), "%s%s", is_off ? "" : "NO_", is_off ? text + 3 : text);
	snprintf(list, sizeof(list), "%s ", padded);
	/* "FOO " must not be found within "NO_FOO ". */
	for (const char *at = buf_text(old); (at = strstr(at, list)); at++)
		if (at == buf_text(old) || at[-1] == ' ')
			return strdup(padded);
	return strdup("");
}

static int remember(struct conductor *c, const char *path, const char *text)
{
	cleanup(buf_deinit) struct buf old = BUF_NULL;
	int r = buf_read_file(&old, path, OLD_VALUE_MAX);
	char *value;

	/* A trigger takes values and has none: there is nothing to go back to. */
	if (r == -EIO || r == -EINVAL) {
		err_clear();
		return 0;
	}
	if (r)
		return err_trace(r);
	buf_str(&old, " ");
	for (size_t i = 0; i < old.len; i++)
		if (old.data[i] == '\n')
			old.data[i] = ' ';
	value = value_before(path, text, &old);
	if (!value)
		return err_new(-ENOMEM, "write %s: out of memory", path);
	c->undos[c->undo_count++] = (struct undo){ .path = path, .value = value };
	return 0;
}

/* A loop writes the same file again and again: the first value is the one to go back to. */
static bool is_remembered(const struct conductor *c, const char *path)
{
	for (uint32_t i = 0; i < c->undo_count; i++)
		if (strcmp(c->undos[i].path, path) == 0 && !strstr(path, "/features"))
			return true;
	return c->undo_count == c->plan->header.op_count;
}

static int do_write(struct conductor *c, const struct plan_op *op)
{
	const char *path = plan_string(c->plan, op->text);
	const char *text = plan_string(c->plan, op->text2);
	int r = is_remembered(c, path) ? 0 : remember(c, path, text);

	return r ? r : write_file(path, text);
}

void ops_undo(struct conductor *c)
{
	while (c->undo_count) {
		struct undo *u = &c->undos[--c->undo_count];

		if (*u->value && write_file(u->path, u->value))
			conductor_fail(c, FAILED_PLAN, 0, err_text());
		free(u->value);
	}
}

static int do_payload_run(struct conductor *c, const struct plan_op *op)
{
	return payload_start(c, op->target, op->args[0]);
}

static int do_payload_wait(struct conductor *c, const struct plan_op *op)
{
	return payload_wait(c, op->target, op->args[0]);
}

static int do_payload_kill(struct conductor *c, const struct plan_op *op)
{
	payload_kill(c, op->target);
	return 0;
}

static int do_mark(struct conductor *c, const struct plan_op *op)
{
	struct wire_event e = { .ns = now_ns(),
				.code = EVENT_MARK,
				.index = (uint32_t)(op - c->plan->ops) };

	snprintf(e.text, sizeof(e.text), "%s", plan_string(c->plan, op->text));
	conductor_event(c, &e);
	return 0;
}

static int do_snapshot(struct conductor *c, const struct plan_op *op)
{
	crew_sample(c, now_ns());
	c->snapshot_op = (uint32_t)(op - c->plan->ops);
	sample_tasks(c, SAMPLE_SNAPSHOT);
	sample_system(c, SAMPLE_SNAPSHOT);
	c->snapshot_op = 0;
	return 0;
}

static int do_allowed(struct conductor *c, const struct plan_op *op)
{
	for (uint32_t i = 0; i < (uint32_t)op->args[0]; i++) {
		c->allowed[op->target + i] = op->mask;
		telemetry_allow(&c->pool.telemetry[op->target + i].allowed, &op->mask);
	}
	return 0;
}

/* An op that moves workers is followed by their new sets. Until it has returned they may be in the
 * old ones or the new ones. */
static void allow_both(struct conductor *c, uint32_t index)
{
	const struct plan *p = c->plan;

	if (p->ops[index].code == OP_ALLOWED)
		return;
	for (index++; index < p->header.op_count && p->ops[index].code == OP_ALLOWED; index++) {
		const struct plan_op *op = &p->ops[index];

		for (uint32_t i = 0; i < (uint32_t)op->args[0]; i++)
			telemetry_widen(&c->pool.telemetry[op->target + i].allowed, &op->mask);
	}
}

typedef int op_function(struct conductor *c, const struct plan_op *op);

static op_function *const functions[] = {
	[OP_CGROUP_ADD] = do_cgroup_add,
	[OP_CGROUP_REMOVE] = do_cgroup_remove,
	[OP_CGROUP_SET] = do_cgroup_set,
	[OP_CGROUP_SWAP] = do_cgroup_swap,
	[OP_CGROUP_FREEZE] = do_cgroup_freeze,
	[OP_CGROUP_THAW] = do_cgroup_thaw,
	[OP_SPAWN] = do_spawn,
	[OP_STOP] = do_stop,
	[OP_MOVE] = do_move,
	[OP_AFFINITY] = do_affinity,
	[OP_SCHED] = do_sched,
	[OP_SIGNAL] = do_signal,
	[OP_CPU_OFFLINE] = do_cpu_offline,
	[OP_CPU_ONLINE] = do_cpu_online,
	[OP_WRITE] = do_write,
	[OP_PAYLOAD_RUN] = do_payload_run,
	[OP_PAYLOAD_WAIT] = do_payload_wait,
	[OP_PAYLOAD_KILL] = do_payload_kill,
	[OP_MARK] = do_mark,
	[OP_SNAPSHOT] = do_snapshot,
	[OP_ALLOWED] = do_allowed,
};

/* An op's event; for the bare bookkeeping of OP_ALLOWED there is none. */
static void tell(struct conductor *c, uint32_t index, uint64_t start_ns, int r)
{
	uint64_t end_ns = now_ns();
	struct wire_event e = { .ns = end_ns,
				.code = r ? EVENT_OP_FAILED : EVENT_OP,
				.index = index,
				.args = { start_ns, end_ns, c->plan->ops[index].code } };

	if (c->plan->ops[index].code == OP_ALLOWED)
		return;
	if (r) {
		e.args[3] = (uint64_t)-r;
		snprintf(e.text, sizeof(e.text), "%s", err_text());
	}
	conductor_event(c, &e);
}

int op_run(struct conductor *c, uint32_t index)
{
	const struct plan_op *op = &c->plan->ops[index];
	uint64_t start_ns = now_ns();
	int r;

	if (op->code >= ARRAY_SIZE(functions) || !functions[op->code])
		return err_new(-ENOSYS, "op %u: %s is not supported", index,
			       plan_op_name(op->code));
	allow_both(c, index);
	r = functions[op->code](c, op);
	if (r == -ECANCELED)
		return r;
	if (r && !(op->flags & OP_ALLOW_FAILURE))
		return err_trace(r);
	tell(c, index, start_ns, r);
	err_clear();
	return 0;
}

enum wire_failed_kind op_failure(const struct conductor *c, uint32_t index)
{
	const struct plan_op *op = &c->plan->ops[index];
	bool is_there = op->code != OP_WRITE || access(plan_string(c->plan, op->text), F_OK) == 0;

	return is_there || errno != ENOENT ? FAILED_OP : FAILED_NO_FILE;
}
