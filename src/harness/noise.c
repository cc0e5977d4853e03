// SPDX-License-Identifier: GPL-2.0-only
#include "harness/noise.h"

void noise_judge(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	unsigned cpu, noise = telemetry_noise_permille(t, f->window, &cpu);

	f->verdict = VERDICT_PASS;
	if (f->observed <= f->bound)
		return;
	f->verdict = noise > limit_permille ? VERDICT_UNDECIDED : VERDICT_FAIL;
	buf_printf(&f->evidence,
		   "noise: the host took %u permille of the window from CPU %u, limit "
		   "%llu permille\n",
		   noise, cpu, (unsigned long long)limit_permille);
}
