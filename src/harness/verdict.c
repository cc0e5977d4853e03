// SPDX-License-Identifier: GPL-2.0-only
#include "harness/verdict.h"

#include <stdio.h>
#include <string.h>

static const char *const names[VERDICT_COUNT] = {
	[VERDICT_PASS] = "PASS",	   [VERDICT_FAIL] = "FAIL",   [VERDICT_SKIP] = "SKIP",
	[VERDICT_UNDECIDED] = "UNDECIDED", [VERDICT_XFAIL] = "XFAIL", [VERDICT_TIMEOUT] = "TIMEOUT",
	[VERDICT_BOOT] = "BOOT",	   [VERDICT_INFRA] = "INFRA",
};

const char *verdict_name(enum verdict v)
{
	return names[v];
}

int verdict_exit_status(const struct verdict_counts *counts)
{
	const unsigned *of = counts->of;

	if (of[VERDICT_FAIL] || of[VERDICT_TIMEOUT])
		return 1;
	if (of[VERDICT_BOOT] || of[VERDICT_INFRA])
		return 3;
	if (of[VERDICT_UNDECIDED])
		return 5;
	return of[VERDICT_PASS] || of[VERDICT_XFAIL] ? 0 : 4;
}

char *verdict_counts_text(const struct verdict_counts *counts, char *text)
{
	char *at = text;

	*at = '\0';
	for (unsigned v = 0; v < VERDICT_COUNT; v++) {
		if (counts->of[v])
			at += sprintf(at, "%s%u %s", at == text ? "" : ", ", counts->of[v],
				      names[v]);
	}
	return text;
}

/* Badness; only verdicts of single findings meet here. */
static int badness(enum verdict v)
{
	switch (v) {
	case VERDICT_FAIL:
		return 3;
	case VERDICT_INFRA:
		return 2;
	case VERDICT_UNDECIDED:
		return 1;
	default:
		return 0;
	}
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
	return badness(b) > badness(a) ? b : a;
}
