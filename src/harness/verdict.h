/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be said about a scenario at the end, and what the program's exit status says about all
 * of them. */
#pragma once

enum verdict {
	VERDICT_PASS,	   /* all claims held */
	VERDICT_FAIL,	   /* a claim was broken, or the kernel died while it ran the scenario */
	VERDICT_SKIP,	   /* the machine has not what it needs */
	VERDICT_UNDECIDED, /* the host was too noisy to judge a claim about time */
	VERDICT_XFAIL,	   /* broken, as expected and for the stated reason */
	VERDICT_TIMEOUT,   /* the guest did not finish */
	VERDICT_BOOT,	   /* the guest kernel died before READY */
	VERDICT_INFRA,	   /* trouble of ours or of the host */
	VERDICT_COUNT,
};

/* "PASS", "FAIL", ... */
const char *verdict_name(enum verdict v);

/* How many of each; the sum of everything that a run did. */
struct verdict_counts {
	unsigned of[VERDICT_COUNT];
};

/* 0: all claims held (PASS, XFAIL, with or without SKIP); 1: a FAIL or TIMEOUT; 3: no such, but BOOT
 * or INFRA; 5: no such, but UNDECIDED; 4: nothing ran. */
int verdict_exit_status(const struct verdict_counts *counts);

/* "18 PASS, 2 UNDECIDED"; "" if there are none. @text has VERDICT_COUNTS_BYTES. Returns @text. */
enum { VERDICT_COUNTS_BYTES = 24 * VERDICT_COUNT };
char *verdict_counts_text(const struct verdict_counts *counts, char *text);

/* The worse of two findings about one scenario: FAIL, then INFRA, then UNDECIDED, then PASS. */
enum verdict verdict_worse(enum verdict a, enum verdict b);
