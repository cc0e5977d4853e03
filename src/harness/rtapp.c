// SPDX-License-Identifier: GPL-2.0-only
#include "harness/rtapp.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "harness/rtapp_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DURATION_MAX_S = 1000000, INSTANCES_MAX = 4096, NAME_BYTES = 48 };

/* ---- words and values ---- */

static void add_place(const struct rtapp_place *at, struct buf *out)
{
	if (at->above)
		add_place(at->above, out);
	if (at->key)
		buf_printf(out, "%s%.64s", out->len ? "." : "", at->key);
}

int rtapp_refuse(const struct rtapp_place *at, const char *key, const char *fmt, ...)
{
	const struct rtapp_place here = { .above = at, .key = key };
	cleanup(buf_deinit) struct buf where = BUF_NULL;
	char words[RTAPP_KEY_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	add_place(&here, &where);
	return err_new(-EINVAL, "%s: %s", buf_text(&where), words);
}

int rtapp_integer(const struct rtapp_place *at, const json_t *object, const char *key, int64_t min,
		  int64_t max, int64_t *ret)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	if (!value)
		return 0;
	if (!json_is_integer(value) || number < min || number > max)
		return rtapp_refuse(at, key, "expected a whole number from %lld to %lld",
				    (long long)min, (long long)max);
	*ret = number;
	return 0;
}

int rtapp_text(const struct rtapp_place *at, const json_t *object, const char *key,
	       const char **ret)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return rtapp_refuse(at, key, "expected a text");
	*ret = json_string_value(value);
	return 0;
}

/* ---- the file's objects ---- */

static bool is_one_of(const char *key, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], key) == 0)
			return true;
	}
	return false;
}

/* What is about rt-app's logs and its measuring of the CPU changes nothing here, and what is about
 * locks and buffers belongs to events that are refused themselves. */
static const char *const global_keys[] = {
	"duration",	"default_policy",  "calibration",      "lock_pages", "logdir",
	"log_basename", "log_size",	   "ftrace",	       "gnuplot",    "pi_enabled",
	"io_device",	"mem_buffer_size", "cumulative_slack",
};

static int read_global(struct rtapp *r, const struct rtapp_place *file, json_t *root)
{
	const struct rtapp_place at = { .above = file, .key = "global" };
	json_t *global = json_object_get(root, "global");
	int64_t duration = -1;
	int err;

	if (global && !json_is_object(global))
		return rtapp_refuse(&at, NULL, "expected an object");
	for (void *i = json_object_iter(global); i; i = json_object_iter_next(global, i)) {
		const char *key = json_object_iter_key(i);

		if (!is_one_of(key, global_keys, ARRAY_SIZE(global_keys)))
			return rtapp_refuse(&at, key, "not taken");
	}
	err = rtapp_integer(&at, global, "duration", -1, DURATION_MAX_S, &duration);
	if (err == 0)
		err = rtapp_text(&at, global, "default_policy", &r->default_policy);
	if (err == 0 && duration <= 0)
		return rtapp_refuse(&at, "duration",
				    "a scenario needs an end: say how many seconds it lasts");
	r->duration_s = (uint64_t)duration;
	return err;
}

static int check_task_name(const struct rtapp_place *at, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
			return rtapp_refuse(at, name, "a name has letters, digits, _ - .");
	}
	return len && len < NAME_BYTES
		       ? 0
		       : rtapp_refuse(at, name, "a name has 1 to %d characters", NAME_BYTES - 1);
}

static int read_task(struct rtapp *r, const struct rtapp_place *at, json_t *task,
		     struct rtapp_task *ret)
{
	int64_t count = 1;
	int err;

	if (!json_is_object(task))
		return rtapp_refuse(at, NULL, "expected an object");
	ret->name = at->key;
	err = rtapp_integer(at, task, "instance", 0, INSTANCES_MAX, &count);
	if (err == 0 && !count)
		return rtapp_refuse(at, "instance",
				    "0: only fork would start it, which is not taken");
	ret->count = (uint64_t)count;
	if (err == 0)
		err = rtapp_read_sched(r, at, task, ret);
	return err < 0 ? err_trace(err) : rtapp_read_program(r, at, task, ret);
}

/* ---- the scenario ---- */

/* An entry of workers. */
static json_t *task_entry(const struct rtapp_task *t)
{
	char work[8192], count[24];
	json_t *entry = json_object();

	snprintf(work, sizeof(work), "sequence phases=%s", buf_text(&t->program));
	snprintf(count, sizeof(count), "%llu", (unsigned long long)t->count);
	json_object_set_new(entry, "name", json_string(t->name));
	json_object_set_new(entry, "work", json_string(work));
	json_object_set_new(entry, "count", json_string(count));
	if (t->affinity[0])
		json_object_set_new(entry, "affinity", json_string(t->affinity));
	if (t->policy[0])
		json_object_set_new(entry, "policy", json_string(t->policy));
	if (t->nice)
		json_object_set_new(entry, "nice", json_integer(t->nice));
	return entry;
}

static int add_task(struct rtapp *r, const struct rtapp_place *at, json_t *task, json_t *workers)
{
	struct rtapp_task t = { 0 };
	int err = check_task_name(at->above, at->key);

	if (err == 0)
		err = read_task(r, at, task, &t);
	if (err == 0)
		err = buf_ok(&t.program);
	if (err == 0 && json_array_append_new(workers, task_entry(&t)) < 0)
		err = err_new(-ENOMEM, "out of memory for tasks");
	buf_deinit(&t.program);
	return err;
}

static int add_tasks(struct rtapp *r, const struct rtapp_place *file, json_t *root, json_t *workers)
{
	const struct rtapp_place at = { .above = file, .key = "tasks" };
	json_t *tasks = json_object_get(root, "tasks");
	int err = 0;

	if (!json_object_size(tasks))
		return rtapp_refuse(&at, NULL, "expected an object of tasks");
	for (void *i = json_object_iter(tasks); i && err == 0;
	     i = json_object_iter_next(tasks, i)) {
		const struct rtapp_place here = { .above = &at, .key = json_object_iter_key(i) };

		err = add_task(r, &here, json_object_iter_value(i), workers);
	}
	return err;
}

/* "/a/mp3-short.json" is mp3_short. */
static void name_of_file(const char *path, char name[NAME_BYTES])
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *dot = strrchr(base, '.');
	int len = dot && dot != base ? (int)(dot - base) : (int)strlen(base);

	snprintf(name, NAME_BYTES, "%s%.*s", isalpha((unsigned char)base[0]) ? "" : "rtapp_", len,
		 base);
	for (char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p))
			*p = '_';
	}
}

/* Members of the object "ktstr", which rt-app does not look at. */
static const char *const own_keys[] = { "summary", "topology", "checks" };

static int add_own(const struct rtapp_place *file, json_t *root, json_t *scenario)
{
	const struct rtapp_place at = { .above = file, .key = "ktstr" };
	json_t *own = json_object_get(root, "ktstr");

	if (own && !json_is_object(own))
		return rtapp_refuse(&at, NULL, "expected an object");
	for (void *i = json_object_iter(own); i; i = json_object_iter_next(own, i)) {
		if (!is_one_of(json_object_iter_key(i), own_keys, ARRAY_SIZE(own_keys)))
			return rtapp_refuse(&at, json_object_iter_key(i),
					    "expected summary, topology or checks");
	}
	return json_object_update(scenario, own) < 0 && own ? err_new(-ENOMEM, "out of memory") : 0;
}

/* Nobody outside of its CPUs, and everybody comes to run: what a file that claims nothing may be held
 * to. Three seconds are more than the kernel lets real-time tasks keep others waiting; in a shorter
 * hold nobody can wait so long, and there is nothing to claim. */
static json_t *default_checks(uint64_t duration_s)
{
	if (duration_s <= 3)
		return json_pack("[s]", "isolation");
	return json_pack("[s, s]", "isolation", "starvation gap=3s");
}

static json_t *new_scenario(const char *path, const struct rtapp *r)
{
	char name[NAME_BYTES], topology[32], hold[32];

	name_of_file(path, name);
	snprintf(topology, sizeof(topology), "1n1l%uc1t", MAX(r->cpu_max + 1, 2u));
	snprintf(hold, sizeof(hold), "%llus", (unsigned long long)r->duration_s);
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "scenario", name, "summary",
			 "tasks of an rt-app file", "topology", topology, "hold", hold, "checks",
			 default_checks(r->duration_s));
}

static int check_root(const struct rtapp_place *file, json_t *root)
{
	static const char *const keys[] = { "global", "tasks", "resources", "ktstr" };

	if (!json_is_object(root))
		return err_new(-EINVAL, "expected an object with tasks");
	if (json_object_get(root, "scenario"))
		return rtapp_refuse(file, "scenario",
				    "a .json file is one of rt-app; a scenario in JSON has to be "
				    "named .yaml");
	for (void *i = json_object_iter(root); i; i = json_object_iter_next(root, i)) {
		if (!is_one_of(json_object_iter_key(i), keys, ARRAY_SIZE(keys)))
			return rtapp_refuse(file, json_object_iter_key(i), "not taken");
	}
	return 0;
}

static int print_scenario(json_t *scenario, struct buf *ret)
{
	char *text = json_dumps(scenario, JSON_INDENT(1) | JSON_ENSURE_ASCII);

	if (!text)
		return err_new(-ENOMEM, "out of memory for a scenario");
	buf_str(ret, text);
	free(text);
	return buf_ok(ret);
}

static int convert(const char *path, json_t *root, struct buf *ret)
{
	const struct rtapp_place file = { 0 };
	struct rtapp r = { .default_policy = "SCHED_OTHER", .timers = json_object() };
	json_t *workers = json_array(), *scenario = NULL;
	int err = check_root(&file, root);

	if (err == 0)
		err = read_global(&r, &file, root);
	if (err == 0)
		err = add_tasks(&r, &file, root, workers);
	if (err == 0)
		scenario = new_scenario(path, &r);
	if (err == 0 && (!scenario || json_object_set(scenario, "workers", workers) < 0))
		err = err_new(-ENOMEM, "out of memory for a scenario");
	if (err == 0)
		err = add_own(&file, root, scenario);
	if (err == 0)
		err = print_scenario(scenario, ret);
	json_decref(scenario);
	json_decref(workers);
	json_decref(r.timers);
	return err < 0 ? err_prefix(err, "%s: ", path) : 0;
}

/* The end of the comment that begins at @at, or NULL if none does: what is behind it. */
static char *comment_end(char *at, const char *end)
{
	static const char close[] = "*/";
	char *found;

	if (at + 1 >= end || at[0] != '/' || (at[1] != '*' && at[1] != '/'))
		return NULL;
	if (at[1] == '/')
		found = memchr(at, '\n', (size_t)(end - at));
	else
		found = memmem(at + 2, (size_t)(end - at) - 2, close, 2);
	if (!found)
		return at + (end - at);
	return at[1] == '/' ? found : found + 2;
}

/* The end of the text in quotes that begins at @at: what is behind it. */
static char *quoted_end(char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		at += *at == '\\' && at + 1 < end;
	return at < end ? at + 1 : at;
}

/* rt-app's own parser knows comments, and its examples begin with one. They become blanks, so that
 * places in messages stay right. */
static void blank_comments(char *text, size_t len)
{
	const char *end = text + len;

	for (char *at = text; at < end;) {
		char *behind = comment_end(at, end);

		if (*at == '"')
			at = quoted_end(at, end);
		else if (!behind)
			at++;
		for (; behind && at < behind; at++)
			*at = *at == '\n' ? '\n' : ' ';
	}
}

int rtapp_convert(const char *path, const char *text, size_t len, struct buf *ret)
{
	cleanup(buf_deinit) struct buf copy = BUF_NULL;
	json_error_t error;
	json_t *root;
	int r;

	buf_add(&copy, text, len);
	r = buf_ok(&copy);
	if (r < 0)
		return err_trace(r);
	if (copy.len)
		blank_comments(copy.data, copy.len);
	root = json_loadb(buf_text(&copy), copy.len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return err_new(-EINVAL, "%s:%d:%d: %s", path, error.line, error.column, error.text);
	r = convert(path, root, ret);
	json_decref(root);
	return r;
}
