// SPDX-License-Identifier: GPL-2.0-only
/* Strict text parsers. Numbers are read digit by digit with overflow checks, because strtoull()
 * accepts signs, leading blanks and locales. */
#include "base/parse.h"

#include "base/util.h"

#include <errno.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit byte_units[] = {
	{ "", 1 },	   { "B", 1 },	   { "K", KIB },   { "M", MIB },   { "G", GIB },
	{ "T", GIB *KIB }, { "KiB", KIB }, { "MiB", MIB }, { "GiB", GIB }, { "TiB", GIB *KIB },
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", NSEC_PER_USEC },
	{ "ms", NSEC_PER_MSEC },
	{ "s", NSEC_PER_SEC },
};

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

/* Read digits from *s on, at least one; *s is left behind the last. A 0 in front of others is refused:
 * elsewhere it makes a number octal. */
static int read_digits(const char **s, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = *s;

	if (digit_of(*p) < 0 || (*p == '0' && digit_of(p[1]) >= 0))
		return -EINVAL;
	for (int d; (d = digit_of(*p)) >= 0; p++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)d, &v))
			return -ERANGE;
	}
	*s = p;
	*ret = v;
	return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
	uint64_t v;
	int r = read_digits(&s, &v);

	if (r)
		return r;
	if (*s)
		return -EINVAL;
	*ret = v;
	return 0;
}

int parse_u64_in(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = parse_u64(s, &v);

	if (r)
		return r;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(units[i].name, name))
			return &units[i];
	return NULL;
}

int parse_bytes(const char *s, uint64_t *ret)
{
	const struct unit *unit;
	uint64_t v;
	int r = read_digits(&s, &v);

	if (r)
		return r;
	unit = find_unit(byte_units, ARRAY_SIZE(byte_units), s);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(v, unit->factor, &v))
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_size(const char *s, uint64_t *ret)
{
	uint64_t v;
	int r = parse_bytes(s, &v);

	if (r)
		return r;
	if (v && digit_of(s[strlen(s) - 1]) >= 0)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* The digits behind the point, as a value below 10^9 in billionths; digits beyond the ninth must
 * not carry a value. */
static int read_fraction(const char **s, uint64_t *ret)
{
	uint64_t billionths = 0;
	uint64_t scale = NSEC_PER_SEC;

	if (digit_of(**s) < 0)
		return -EINVAL;
	for (int d; (d = digit_of(**s)) >= 0; (*s)++) {
		scale /= 10;
		if (!scale && d)
			return -ERANGE;
		billionths += (uint64_t)d * scale;
	}
	*ret = billionths;
	return 0;
}

int parse_duration_ns(const char *s, uint64_t *ret)
{
	uint64_t whole, billionths = 0, ns;
	const struct unit *unit;
	int r = read_digits(&s, &whole);

	if (r)
		return r;
	if (!whole && !*s) {
		*ret = 0;
		return 0;
	}
	if (*s == '.') {
		s++;
		r = read_fraction(&s, &billionths);
		if (r)
			return r;
	}
	unit = find_unit(time_units, ARRAY_SIZE(time_units), s);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit->factor, &ns) ||
	    __builtin_add_overflow(ns, billionths * unit->factor / NSEC_PER_SEC, &ns))
		return -ERANGE;
	*ret = ns;
	return 0;
}
