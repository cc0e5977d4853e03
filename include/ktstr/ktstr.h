/* SPDX-License-Identifier: GPL-2.0-only */
/* The public interface of ktstr: what a test author includes to declare scenarios and to get a test
 * program out of them.
 *
 *	#include <ktstr/ktstr.h>
 *
 *	SCENARIO(two_hogs) = {
 *		.summary = "two equal hogs on one CPU get half of it each",
 *		.topology = "1n1l1c1t",
 *		.cgroups = CGROUPS({ .name = "left", .workers = WORKERS({ .work = "spin" }) },
 *				   { .name = "right", .workers = WORKERS({ .work = "spin" }) }),
 *		.hold = "1s",
 *		.checks = CHECKS("share distance=30permille", "starvation gap=300ms"),
 *	};
 *
 *	KTSTR_MAIN
 *
 * The program is the host's command line (run, list, exec, ...) when a person starts it, and /init
 * when a kernel does. Build it with `pkg-config --cflags --libs --static ktstr`, linked with
 * -static, so that no library has to be found inside the guest. */
#pragma once

#include <ktstr/check.h>
#include <ktstr/custom.h>
#include <ktstr/payload.h>
#include <ktstr/scenario.h>
#include <ktstr/workload.h>

/* The whole program: the command line, or init as process 1. Returns its exit status. Call it from
 * main(), first thing, from the only thread. */
int ktstr_main(int argc, char **argv);

#define KTSTR_MAIN                                                                                 \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return ktstr_main(argc, argv);                                                     \
	}
