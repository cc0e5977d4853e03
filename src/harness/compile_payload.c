// SPDX-License-Identifier: GPL-2.0-only
/* Payloads as a table of the plan, and the operations on them. The program is looked up here, on the
 * host, so that one that is missing is said before anything boots. */
#include "harness/compile.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/metric.h"
#include "harness/spec.h"
#include "harness/words.h"
#include "host/probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const default_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LANG=C"
};

uint32_t compile_find_payload(const struct compiler *c, const char *name)
{
	const struct plan *p = &c->cell->plan;

	for (uint32_t i = 0; i < p->header.payload_count; i++) {
		if (strcmp(p->payloads[i].name, name) == 0)
			return i;
	}
	return PLAN_NONE;
}

static int check_name(const struct compiler *c, const char *name)
{
	int r = spec_name(name);

	if (r < 0)
		return err_prefix(r, "name ");
	if (compile_find_payload(c, name) != PLAN_NONE)
		return err_new(-EINVAL, "name \"%s\": another payload has it", name);
	return 0;
}

static int find_program(const char *name, char **ret)
{
	int r = 0;

	if (!strchr(name, '/'))
		r = host_find_program(name, ret);
	else if (!(*ret = realpath(name, NULL)))
		r = -errno;
	if (r == -ENOENT)
		return err_new(
			-EINVAL,
			"command \"%s\": this host does not have it; install the package that "
			"brings it, or give its path",
			name);
	return r < 0 ? err_new(-EINVAL, "command \"%s\": %s", name, strerror(-r)) : 0;
}

/* The words of the command, with the program's path as the first. */
static int read_command(const struct ktstr_payload *from, struct words *words, char **program_ret)
{
	int r = from->command ? words_add_line(words, from->command) : 0;

	if (r < 0)
		return err_prefix(r, "command \"%s\": ", from->command);
	for (const char *const *arg = from->args; arg && *arg && r == 0; arg++)
		r = words_add(words, *arg);
	if (r == 0 && !words->count)
		return err_new(-EINVAL, "command: it is missing");
	if (r == 0)
		r = find_program(words->list[0], program_ret);
	if (r < 0)
		return err_trace(r);
	free(words->list[0]);
	words->list[0] = strdup(*program_ret);
	return words->list[0] ? 0 : err_new(-ENOMEM, "out of memory for a command");
}

/* One string behind the other. An empty one would have no place of its own. */
static int add_strings(struct plan *p, const char *const *list, size_t count, uint32_t *first_ret)
{
	uint32_t offset = 0;

	for (size_t i = 0; i < count; i++) {
		int r;

		if (!*list[i])
			return err_new(-EINVAL, "an empty argument or variable cannot be given");
		r = plan_add_string(p, list[i], &offset);
		if (r < 0)
			return err_trace(r);
		if (i == 0)
			*first_ret = offset;
	}
	return 0;
}

static int add_env(struct compiler *c, const struct ktstr_payload *from,
		   struct plan_payload *record)
{
	cleanup(words_deinit) struct words words = WORDS_NULL;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(default_env) && r == 0; i++)
		r = words_add(&words, default_env[i]);
	for (const char *const *v = from->env; v && *v && r == 0; v++) {
		if (!strchr(*v, '=') || **v == '=')
			return err_new(-EINVAL, "env \"%s\": expected NAME=VALUE", *v);
		r = words_add(&words, *v);
	}
	record->envc = (uint32_t)words.count;
	if (r == 0)
		r = add_strings(&c->cell->plan, (const char *const *)words.list, words.count,
				&record->env);
	return r;
}

static int set_affinity(const struct compiler *c, const struct ktstr_payload *from,
			struct plan_payload *record)
{
	struct cpu_mask cpus = compile_declared_cpus(c, record->cgroup);
	int r = compile_affinity(c, from->affinity, 0, &cpus, &record->affinity);

	if (r < 0)
		return err_prefix(r, "affinity ");
	mask_and(&cpus, &record->affinity);
	if (from->affinity && mask_is_empty(&cpus))
		return err_new(-EINVAL, "affinity \"%s\": none of its CPUs is in the cpuset",
			       from->affinity);
	return 0;
}

static int set_tasks(struct compiler *c, const struct ktstr_payload *from,
		     struct plan_payload *record)
{
	int r = spec_sched(from->policy, from->nice, &record->sched);

	if (r < 0)
		return err_prefix(r, from->policy ? "policy " : "nice ");
	if (record->sched.period_ns && from->affinity)
		return err_new(-EINVAL, "affinity \"%s\": a deadline payload cannot have one",
			       from->affinity);
	r = from->slice ? spec_slice(from->slice, &record->sched) : 0;
	if (r < 0)
		return err_prefix(r, "slice ");
	compile_need_sched(c, &record->sched);
	return set_affinity(c, from, record);
}

static int set_limits(struct compiler *c, const struct ktstr_payload *from,
		      struct plan_payload *record)
{
	int r = from->timeout ? spec_timeout(from->timeout, &record->timeout_ns) : 0;

	if (r < 0)
		return err_prefix(r, "timeout ");
	if (from->timeout && !record->timeout_ns)
		return err_new(-EINVAL, "timeout \"%s\": it must be longer than nothing",
			       from->timeout);
	if (from->file && from->file[0] != '/')
		return err_new(-EINVAL, "file \"%s\": expected an absolute path, as /tmp/out.yaml",
			       from->file);
	for (const char *const *f = from->include; f && *f; f++) {
		if (access(*f, R_OK) != 0)
			return err_new(-EINVAL, "include \"%s\": %s", *f, strerror(errno));
	}
	return from->file ? plan_add_string(&c->cell->plan, from->file, &record->file) : 0;
}

static int check_metrics(const struct ktstr_payload *from)
{
	for (const struct ktstr_metric *m = from->metrics; m && m->name; m++) {
		int r = metric_check(from, m);

		if (r < 0)
			return err_prefix(r, "metric %s: ", m->name);
		for (const struct ktstr_metric *other = from->metrics; other != m; other++) {
			if (strcmp(other->name, m->name) == 0)
				return err_new(-EINVAL, "metric %s: there are two", m->name);
		}
	}
	return 0;
}

static int keep(struct compiler *c, const struct plan_payload *record,
		const struct cell_payload *payload)
{
	struct cell *cell = c->cell;
	struct cell_payload *grown;
	uint32_t count = cell->plan.header.payload_count;

	grown = realloc(cell->payloads, (count + 1) * sizeof(*grown));
	if (!grown)
		return err_new(-ENOMEM, "out of memory for payloads");
	cell->payloads = grown;
	grown[count] = *payload;
	return plan_add_payload(&cell->plan, record, NULL);
}

static int compile_payload(struct compiler *c, const struct ktstr_payload *from, uint32_t cgroup)
{
	cleanup(words_deinit) struct words words = WORDS_NULL;
	cleanup(freep) char *program = NULL;
	struct plan_payload record = { .cgroup = cgroup };
	int r = check_name(c, from->name);

	if (r == 0)
		r = read_command(from, &words, &program);
	record.argc = (uint32_t)words.count;
	if (r == 0)
		r = add_strings(&c->cell->plan, (const char *const *)words.list, words.count,
				&record.argv);
	if (r == 0)
		r = add_env(c, from, &record);
	if (r == 0)
		r = set_tasks(c, from, &record);
	if (r == 0)
		r = set_limits(c, from, &record);
	if (r == 0)
		r = check_metrics(from);
	snprintf(record.name, sizeof(record.name), "%s", from->name);
	if (r == 0)
		r = keep(c, &record, &(struct cell_payload){ .from = from, .program = program });
	if (r == 0)
		program = NULL;
	return r < 0 ? err_prefix(r, "payload %s: ", from->name) : 0;
}

static int compile_list(struct compiler *c, const struct ktstr_payload *from, uint32_t cgroup)
{
	int r = 0;

	for (; from && from->name && r == 0; from++)
		r = compile_payload(c, from, cgroup);
	return r;
}

static int compile_lists(struct compiler *c, const struct ktstr_cgroup *from)
{
	int r = 0;

	for (; from && from->name && r == 0; from++)
		r = compile_list(c, from->payloads, compile_find_cgroup(c, from->name));
	return r;
}

int compile_payloads(struct compiler *c)
{
	const struct plan_header *h = &c->cell->plan.header;
	int r = compile_for_all_lists(c, compile_lists);

	if (r == 0)
		r = compile_list(c, c->scenario->payloads, PLAN_NONE);
	if (r == 0 && !h->worker_count && !h->payload_count)
		return err_new(-EINVAL, "workers: there are none, and no payloads");
	return r;
}

/* ---- operations ---- */

static bool is_run_in(const char *const *ops, const char *name)
{
	static const char verb[] = "run ";

	for (; ops && *ops; ops++) {
		if (strncmp(*ops, verb, sizeof(verb) - 1) == 0 &&
		    strcmp(*ops + sizeof(verb) - 1, name) == 0)
			return true;
	}
	return false;
}

static bool is_run_later(const struct compiler *c, const char *name)
{
	const struct ktstr_step *s;

	for (uint32_t i = 0; (s = compile_step_at(c, i)); i++) {
		if (is_run_in(s->ops, name))
			return true;
	}
	return false;
}

/* Its cgroup has to be there for it. */
static int start(struct compiler *c, const struct plan_op *op)
{
	struct cell_payload *payload = &c->cell->payloads[op->target];
	uint32_t cgroup = c->cell->plan.payloads[op->target].cgroup;

	if (payload->has_run)
		return err_new(-EINVAL, "it runs once, and has been run before");
	if (cgroup != PLAN_NONE && !c->scene.cgroups[cgroup].is_there)
		return err_new(-EINVAL, "cgroup %s is not there",
			       c->cell->plan.cgroups[cgroup].path);
	if (compile_has_cgroups(c, cgroup))
		return err_new(-EINVAL, "cgroup %s has cgroups inside it and cannot hold payloads",
			       c->cell->plan.cgroups[cgroup].path);
	if (compile_is_frozen(c, cgroup))
		return err_new(-EINVAL, "cgroup %s is frozen", c->cell->plan.cgroups[cgroup].path);
	payload->has_run = true;
	return compile_add_op(c, op);
}

int compile_payload_starts(struct compiler *c, uint32_t step, uint32_t top)
{
	struct plan *p = &c->cell->plan;
	int r = 0;

	for (uint32_t i = 0; i < p->header.payload_count && r == 0; i++) {
		const struct plan_op op = { .code = OP_PAYLOAD_RUN, .target = i, .args = { 1 } };
		uint32_t cgroup = p->payloads[i].cgroup;

		if (compile_step_of(c, cgroup) != step || !compile_is_below(c, cgroup, top) ||
		    (cgroup != PLAN_NONE && !c->scene.cgroups[cgroup].is_there) ||
		    is_run_later(c, p->payloads[i].name))
			continue;
		r = start(c, &op);
		if (r < 0)
			r = err_prefix(r, "payload %s: ", p->payloads[i].name);
	}
	return r;
}

bool compile_payload_runs(const struct compiler *c, uint32_t payload)
{
	return c->cell->payloads[payload].has_run && !c->cell->payloads[payload].is_over;
}

static int kill_payload(struct compiler *c, uint32_t payload)
{
	const struct plan_op op = { .code = OP_PAYLOAD_KILL, .target = payload };

	c->cell->payloads[payload].is_over = true;
	return compile_add_op(c, &op);
}

int compile_payload_ends(struct compiler *c, uint32_t cgroup)
{
	int r = 0;

	for (uint32_t i = 0; i < c->cell->plan.header.payload_count && r == 0; i++) {
		if (compile_payload_runs(c, i) &&
		    compile_is_below(c, c->cell->plan.payloads[i].cgroup, cgroup))
			r = kill_payload(c, i);
	}
	return r;
}

/* The payload whose name is the first word of *@rest. */
static int take_payload(const struct compiler *c, const char **rest, uint32_t *ret)
{
	char name[PLAN_NAME_BYTES];

	if (!compile_take_word(rest, name, sizeof(name)))
		return err_new(-EINVAL, "the name of a payload is missing");
	*ret = compile_find_payload(c, name);
	if (*ret == PLAN_NONE)
		return err_new(-EINVAL, "no payload is named %s", name);
	if (c->is_looping)
		return err_new(-EINVAL, "payloads come and go only outside of loops");
	return 0;
}

int compile_op_run(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_PAYLOAD_RUN };
	int r = take_payload(c, &rest, &op.target);

	if (r < 0)
		return err_trace(r);
	if (*rest)
		return err_new(-EINVAL, "nothing may follow the payload");
	return start(c, &op);
}

/* The same for a payload that must have been run. */
static int take_running(const struct compiler *c, const char **rest, uint32_t *ret)
{
	int r = take_payload(c, rest, ret);

	if (r < 0)
		return err_trace(r);
	if (!c->cell->payloads[*ret].has_run)
		return err_new(-EINVAL, "it has not been run before");
	return 0;
}

int compile_op_wait(struct compiler *c, const char *rest)
{
	struct plan_op op = { .code = OP_PAYLOAD_WAIT };
	uint64_t timeout_ns;
	int r = take_running(c, &rest, &op.target);

	if (r == 0 && *rest)
		r = spec_value(rest, PARAM_NS, &op.args[0]);
	if (r < 0)
		return err_trace(r);
	timeout_ns = c->cell->plan.payloads[op.target].timeout_ns;
	if (!op.args[0] && !timeout_ns)
		return err_new(-EINVAL, "a limit is missing: wait PAYLOAD 20s, or the payload's "
					"timeout");
	c->cell->wait_ns += op.args[0] ? op.args[0] : timeout_ns;
	c->cell->payloads[op.target].is_over = true;
	return compile_add_op(c, &op);
}

int compile_payload_kill(struct compiler *c, const char *rest)
{
	uint32_t payload;
	int r = take_running(c, &rest, &payload);

	if (r < 0)
		return err_trace(r);
	return *rest ? err_new(-EINVAL, "nothing may follow the payload")
		     : kill_payload(c, payload);
}
