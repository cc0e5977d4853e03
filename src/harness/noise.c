// SPDX-License-Identifier: GPL-2.0-only
#include "harness/noise.h"

static void judge(struct finding *f, const struct telemetry *t, uint64_t limit_permille, bool holds)
{
	unsigned cpu, noise = telemetry_noise_permille(t, f->window, &cpu);

	f->verdict = VERDICT_PASS;
	if (holds)
		return;
	f->verdict = noise > limit_permille ? VERDICT_UNDECIDED : VERDICT_FAIL;
	buf_printf(&f->evidence,
		   "noise: the host took %u permille of the window from CPU %u, limit "
		   "%llu permille\n",
		   noise, cpu, (unsigned long long)limit_permille);
}

void noise_judge(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	judge(f, t, limit_permille, f->observed <= f->bound);
}

void noise_judge_least(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	judge(f, t, limit_permille, f->observed >= f->bound);
}
