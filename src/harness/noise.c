// SPDX-License-Identifier: GPL-2.0-only
#include "harness/noise.h"

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

void noise_judge_least(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	judge(f, t, limit_permille, f->observed >= f->bound);
}
