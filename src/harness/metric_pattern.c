// SPDX-License-Identifier: GPL-2.0-only
/* Regular expressions, line by line. The pattern is the author's, the lines are the guest's: a line
 * is looked at up to LINE_BYTES, and back-references, with which a match can take for ever, are not
 * taken. */
#include "harness/metric.h"

#include "base/util.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>

enum { LINE_BYTES = 1024, VALUE_BYTES = 64 };

static bool has_back_reference(const char *pattern)
{
	for (const char *p = pattern; (p = strchr(p, '\\')) && p[1]; p += 2) {
		if (p[1] >= '1' && p[1] <= '9')
			return true;
	}
	return false;
}

static int compile(const char *pattern, regex_t *ret)
{
	char why[128];
	int code = regcomp(ret, pattern, REG_EXTENDED);

	if (!code)
		return 0;
	regerror(code, ret, why, sizeof(why));
	return err_new(-EINVAL, "\"%s\": %s", pattern, why);
}

int metric_pattern_check(const char *pattern)
{
	regex_t compiled;
	size_t groups;
	int r;

	if (has_back_reference(pattern))
		return err_new(-EINVAL, "\"%s\": back-references are not taken", pattern);
	r = compile(pattern, &compiled);
	if (r < 0)
		return err_trace(r);
	groups = compiled.re_nsub;
	regfree(&compiled);
	if (groups != 1)
		return err_new(-EINVAL, "\"%s\": it needs one group, around the number", pattern);
	return 0;
}

static int match_line(const regex_t *pattern, const char *line, struct metric_values *ret)
{
	char value[VALUE_BYTES];
	regmatch_t match[2];
	size_t len;

	if (regexec(pattern, line, ARRAY_SIZE(match), match, 0) != 0 || match[1].rm_so < 0)
		return 0;
	len = (size_t)(match[1].rm_eo - match[1].rm_so);
	if (len >= sizeof(value))
		return err_new(-ENODATA, "\"%.40s\" is no number", line + match[1].rm_so);
	memcpy(value, line + match[1].rm_so, len);
	value[len] = '\0';
	return metric_add(ret, value);
}

int metric_pattern(const char *pattern, const struct metric_text *text, struct metric_values *ret)
{
	const char *end = text->data + text->len;
	regex_t compiled;
	int r = compile(pattern, &compiled);

	if (r < 0)
		return err_trace(r);
	for (const char *at = text->data; at < end && r == 0;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);
		char line[LINE_BYTES];

		snprintf(line, sizeof(line), "%.*s", (int)MIN(len, sizeof(line)), at);
		r = match_line(&compiled, line, ret);
		at += len + 1;
	}
	regfree(&compiled);
	return r;
}
