// SPDX-License-Identifier: GPL-2.0-only
/* Names and versions of Debian kernel packages. */
#include "image/package.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char name_start[] = "linux-image-";
static const char default_version[] = "6.12";
static const char arch_end[] = "_amd64";

/* Ordered: the first that fits is the flavour. */
static const struct {
	const char *end;
	bool is_known;
	enum kernel_flavour flavour;
} flavours[] = {
	{ "-cloud-amd64", true, KERNEL_CLOUD },
	{ "-rt-amd64", false, 0 },
	{ "-amd64", true, KERNEL_GENERIC },
};

void package_deinit(struct package *p)
{
	free(p->name);
	free(p->version);
	*p = PACKAGE_NULL;
}

/* What is left of one part (upstream version or revision) of a version. */
struct part {
	const char *at;
	const char *end;
};

static bool is_digit_next(const struct part *p)
{
	return p->at < p->end && isdigit((unsigned char)*p->at);
}

/* `~` before the end, the end before letters, letters before the rest. */
static int next_order(const struct part *p)
{
	unsigned char c = p->at < p->end ? (unsigned char)*p->at : '0';

	if (c == '~')
		return -1;
	if (isdigit(c))
		return 0;
	return isalpha(c) ? c : c + 256;
}

static int compare_text(struct part *a, struct part *b)
{
	while ((a->at < a->end && !is_digit_next(a)) || (b->at < b->end && !is_digit_next(b))) {
		int order = next_order(a) - next_order(b);

		if (order)
			return order;
		a->at++;
		b->at++;
	}
	return 0;
}

/* Take the digits off @p, without leading zeros. */
static struct part take_number(struct part *p)
{
	struct part number;

	while (p->at < p->end && *p->at == '0')
		p->at++;
	number.at = p->at;
	while (is_digit_next(p))
		p->at++;
	number.end = p->at;
	return number;
}

static int compare_number(struct part *a, struct part *b)
{
	struct part x = take_number(a), y = take_number(b);
	ptrdiff_t x_len = x.end - x.at, y_len = y.end - y.at;

	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return memcmp(x.at, y.at, (size_t)x_len);
}

static int compare_part(struct part a, struct part b)
{
	int order = 0;

	while (!order && (a.at < a.end || b.at < b.end)) {
		order = compare_text(&a, &b);
		if (!order)
			order = compare_number(&a, &b);
	}
	return order;
}

/* The revision is what follows the last hyphen. Kernel packages have no epoch. */
int debian_version_compare(const char *a, const char *b)
{
	const char *a_end = a + strlen(a), *b_end = b + strlen(b);
	const char *a_dash = strrchr(a, '-'), *b_dash = strrchr(b, '-');
	struct part a_upstream = { a, a_dash ? a_dash : a_end };
	struct part b_upstream = { b, b_dash ? b_dash : b_end };
	int order = compare_part(a_upstream, b_upstream);

	return order ? order
		     : compare_part((struct part){ a_upstream.end, a_end },
				    (struct part){ b_upstream.end, b_end });
}

/* "6.12.117": the meta packages, which only depend on the newest kernel, end after two numbers. */
static bool begins_with_three_numbers(const char *s)
{
	for (int i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)*s))
			return false;
		s += strspn(s, "0123456789");
		if (i < 2 && *s++ != '.')
			return false;
	}
	return true;
}

const char *package_release(const char *name)
{
	const char *release = name + strlen(name_start);

	return str_starts_with(name, name_start) && begins_with_three_numbers(release) &&
			       str_ends_with(name, "-amd64")
		       ? release
		       : NULL;
}

static bool has_flavour(const char *release, enum kernel_flavour flavour)
{
	for (size_t i = 0; i < ARRAY_SIZE(flavours); i++)
		if (str_ends_with(release, flavours[i].end))
			return flavours[i].is_known && flavours[i].flavour == flavour;
	return false;
}

/* 6.1 begins 6.1.192 and 6.1-2, not 6.12. */
static bool begins(const char *version, const char *start)
{
	return str_starts_with(version, start) && !isalnum((unsigned char)version[strlen(start)]);
}

bool package_matches(const struct package *p, const char *spec, enum kernel_flavour flavour)
{
	const char *release = package_release(p->name);

	if (!release)
		return false;
	if (!spec)
		spec = default_version;
	if (!strcmp(release, spec))
		return true;
	return has_flavour(release, flavour) && (begins(release, spec) || begins(p->version, spec));
}

int package_compare(const void *a, const void *b)
{
	const struct package *p = a, *q = b;
	int order = debian_version_compare(q->version, p->version);

	return order ? order : strcmp(p->name, q->name);
}

bool package_is_sane(const struct package *p)
{
	const char *const texts[] = { p->name, p->version };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *s = texts[i];

		if (!s || !isalnum((unsigned char)s[0]) || strlen(s) > 100)
			return false;
		for (; *s; s++)
			if (!isalnum((unsigned char)*s) && !strchr("+-.~:", *s))
				return false;
	}
	return package_release(p->name);
}

int package_parse(const char *text, struct package *ret)
{
	cleanup(package_deinit) struct package p = PACKAGE_NULL;
	const char *version = strchr(text, '_');

	if (!version || !str_ends_with(version + 1, arch_end))
		return PACKAGE_OTHER;
	p.name = strndup(text, (size_t)(version - text));
	p.version = strndup(version + 1, strlen(version + 1) - strlen(arch_end));
	if (!p.name || !p.version)
		return err_new(-ENOMEM, "out of memory for a package name");
	if (!package_is_sane(&p))
		return PACKAGE_OTHER;
	*ret = p;
	p = PACKAGE_NULL;
	return 0;
}
