// SPDX-License-Identifier: GPL-2.0-only
#include "harness/noise.h"

#include "base/util.h"

enum { NOISE_LIMIT_PERMILLE = 100 };
#define PARTS_LEAST_NS (100 * NSEC_PER_MSEC)

static void judge(struct finding *f, const struct telemetry *t, uint64_t limit_permille, bool holds)
{
	unsigned cpu, noise = telemetry_noise_permille(t, f->window, &cpu);

	f->holds = holds;
	f->is_timed = true;
	f->noise_permille = noise;
	f->noise_limit_permille = limit_permille;
	f->noise_cpu = cpu;
	f->verdict = holds ? VERDICT_PASS : VERDICT_FAIL;
	if (noise > limit_permille)
		f->verdict = VERDICT_UNDECIDED;
	buf_printf(&f->evidence,
		   "the bound %s; noise: the host took %u permille of the window from CPU %u, "
		   "limit %llu permille\n",
		   holds ? "held" : "was broken", noise, cpu, (unsigned long long)limit_permille);
}

void noise_judge(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	judge(f, t, limit_permille, f->observed <= f->bound);
}

void noise_judge_excess(struct finding *f, const struct telemetry *t, uint64_t limit_permille,
			uint64_t excess_ns)
{
	const struct window_data *d = telemetry_window(t, f->window);
	uint64_t noise_ns;

	noise_judge(f, t, limit_permille);
	/* Rounded up: the figure is in whole thousandths. */
	noise_ns = (d->end_ns - d->begin_ns) / 1000 * (f->noise_permille + 1);
	if (f->verdict != VERDICT_FAIL || limit_permille >= 1000 || !f->noise_permille ||
	    excess_ns > noise_ns)
		return;
	f->verdict = VERDICT_UNDECIDED;
	buf_printf(&f->evidence,
		   "the host took up to %.0f ms, which may be what breaks the bound\n",
		   (double)noise_ns / 1e6);
}

void noise_judge_wait(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	noise_judge_excess(f, t, limit_permille, grown(f->bound, f->observed));
}

void noise_judge_least(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	judge(f, t, limit_permille, f->observed >= f->bound);
}

void noise_judge_parts(struct finding *f, const struct telemetry *t)
{
	const struct window_data *d = telemetry_window(t, f->window);
	unsigned cpu, noise = telemetry_noise_permille(t, f->window, &cpu);
	uint64_t left_ns = (d->end_ns - d->begin_ns) / 1000 * (1000 - noise);

	f->holds = f->observed <= f->bound;
	f->verdict = f->holds ? VERDICT_PASS : VERDICT_FAIL;
	if (noise <= NOISE_LIMIT_PERMILLE || left_ns >= PARTS_LEAST_NS)
		return;
	f->verdict = VERDICT_UNDECIDED;
	f->is_timed = true;
	f->noise_permille = noise;
	f->noise_limit_permille = NOISE_LIMIT_PERMILLE;
	f->noise_cpu = cpu;
	buf_printf(
		&f->evidence,
		"the bound %s; noise: the host took %u permille of the window from CPU %u, which "
		"leaves %llu ms: less than %llu ms cannot be divided\n",
		f->holds ? "held" : "was broken", noise, cpu,
		(unsigned long long)(left_ns / NSEC_PER_MSEC),
		(unsigned long long)(PARTS_LEAST_NS / NSEC_PER_MSEC));
}
