// SPDX-License-Identifier: GPL-2.0-only
#include "suite.h"

#include "base/parse.h"
#include "base/util.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_SKIP = 77 };

static const char *const wheres[] = {
	[WHERE_MACHINE] = "machine",
	[WHERE_HOST] = "host",
};

static int where_parse(const char *word, enum suite_where *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(wheres); i++) {
		if (!strcmp(word, wheres[i])) {
			*ret = (enum suite_where)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool is_wanted(const char *name, char *const *globs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!fnmatch(globs[i], name, 0))
			return true;
	}
	return !count;
}

/* The next word of *@at, which moves behind it. */
static char *take_word(char **at)
{
	*at += strspn(*at, " \t");
	char *word = *at;
	*at += strcspn(*at, " \t");
	if (**at)
		*(*at)++ = '\0';
	return word;
}

static int add_test(struct suite *s, char *line, char *const *globs, size_t glob_count)
{
	struct suite_test t = { 0 };
	uint64_t timeout_s;
	char *name = take_word(&line);
	char *where = take_word(&line);
	char *timeout = take_word(&line);

	line += strspn(line, " \t");
	if (where_parse(where, &t.where) < 0 || parse_u64_in(timeout, 1, 3600, &timeout_s) < 0 ||
	    !*line)
		return err_new(-EINVAL, "test %s: expected NAME machine|host SECONDS COMMAND",
			       name);
	if (!is_wanted(name, globs, glob_count))
		return 0;
	struct suite_test *tests = realloc(s->tests, (s->count + 1) * sizeof(*tests));
	if (!tests)
		return err_new(-ENOMEM, "no memory for the list of tests");
	s->tests = tests;
	t.timeout_ns = timeout_s * NSEC_PER_SEC;
	t.name = strdup(name);
	t.command = strdup(line);
	s->tests[s->count++] = t;
	return t.name && t.command ? 0 : err_new(-ENOMEM, "no memory for the list of tests");
}

int suite_load(struct suite *s, const char *path, char *const *globs, size_t glob_count)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	int r = buf_read_file(&text, path, 1 << 20);

	if (r < 0)
		return err_trace(r);
	for (char *at = text.data, *line; (line = strsep(&at, "\n"));) {
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			continue;
		r = add_test(s, line, globs, glob_count);
		if (r < 0)
			return err_prefix(r, "%s: ", path);
	}
	return s->count ? 0 : err_new(-ENOENT, "%s: no test has such a name", path);
}

void suite_deinit(struct suite *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->tests[i].name);
		free(s->tests[i].command);
	}
	free(s->tests);
	*s = SUITE_NULL;
}

struct log_counts {
	unsigned by_verdict[3];
	const char *last;
	size_t last_length;
};

/* Copy the log's own verdict lines, each with the test's name before its own. */
static struct log_counts take_log(const char *log, const char *name, struct buf *lines)
{
	static const char *const words[] = {
		[SUITE_OK] = "ok ",
		[SUITE_FAIL] = "FAIL ",
		[SUITE_SKIP] = "skip ",
	};
	struct log_counts c = { .last = "" };

	for (const char *line = log; *line;) {
		size_t length = strcspn(line, "\n");

		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			size_t word = strlen(words[i]);

			if (strncmp(line, words[i], word))
				continue;
			c.by_verdict[i]++;
			buf_printf(lines, "%-5s%s/%.*s\n", words[i], name, (int)(length - word),
				   line + word);
		}
		if (length) {
			c.last = line;
			c.last_length = length;
		}
		line += length + (line[length] == '\n');
	}
	return c;
}

enum suite_verdict suite_judge(const struct suite_test *t, const struct suite_outcome *outcome,
			       const char *log, double took_s, struct buf *lines)
{
	struct log_counts c = take_log(log, t->name, lines);
	unsigned said =
		c.by_verdict[SUITE_OK] + c.by_verdict[SUITE_FAIL] + c.by_verdict[SUITE_SKIP];

	if (outcome->cause) {
		buf_printf(lines, "FAIL %s (%s)\n", t->name, outcome->cause);
		return SUITE_FAIL;
	}
	if (outcome->exit_status == STATUS_SKIP) {
		buf_printf(lines, "skip %s (%.*s)\n", t->name, (int)c.last_length, c.last);
		return SUITE_SKIP;
	}
	if (outcome->exit_status && !c.by_verdict[SUITE_FAIL])
		buf_printf(lines, "FAIL %s (exit status %d, %.1f s)\n", t->name,
			   outcome->exit_status, took_s);
	else if (!said)
		buf_printf(lines, "ok   %s (%.1f s)\n", t->name, took_s);
	return outcome->exit_status || c.by_verdict[SUITE_FAIL] ? SUITE_FAIL : SUITE_OK;
}
