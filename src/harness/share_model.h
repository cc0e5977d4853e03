/* SPDX-License-Identifier: GPL-2.0-only */
/* The ideal that share claims are judged against: what each worker should get in a window, from the
 * fluid solver over the settings in force in it.
 *
 * Three classes, each before the next, as the kernel has them: deadline workers get at most their
 * runtime in each period, real-time workers at most what throttling (before 6.12) or the fair server
 * (since) leaves them beside fair ones, 950 ms of each second, and a scenario that writes another
 * value is refused; both stand outside of the cgroup tree, which knows neither their weight nor their
 * quota. What is left is shared by weight, in the tree.
 *
 * Over a looped hold the ideal is that of the settings which each operation of a turn leaves behind,
 * weighted with the time for which they were in force.
 *
 * Nobody is given more than it can use. A worker that sleeps by itself uses what it obtained; that
 * alone would believe every starved sleeper, so those whose work is declared (bursty, idle_churn,
 * periodic) use at least what they do when they get no more than their guaranteed part while they
 * want to run: the part they had if everybody were a hog (Parekh and Gallager 1993: in fluid sharing
 * a backlogged flow is never served slower). Of other sleepers starvation and wake_latency speak.
 *
 * A noisy host gives the machine less than its CPUs: limits in CPU time are larger parts of what is
 * left. How much that was follows from what all obtained together, but is no less than what the host
 * took and what was neither idle nor a worker's (interrupts, the guest's own tasks; a third at most)
 * explain: a worker that got too little, while its CPU stood idle, has made no CPU smaller. */
#pragma once

#include "base/err.h"
#include "harness/cell.h"
#include "harness/telemetry.h"

/* Fill @rates, one for each worker of the plan, in parts of a CPU of the machine as it was. 0 or
 * -ENOMEM. */
int share_model_solve(const struct cell *cell, const struct cell_window *window,
		      const struct telemetry *t, double *rates) must_check;

/* Before boot: is there an ideal for what the scenario has in @window? 0, or -EINVAL with words. */
int share_model_check(const struct cell *cell, const struct cell_window *window) must_check;
