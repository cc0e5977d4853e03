// SPDX-License-Identifier: GPL-2.0-only
#include "harness/noise.h"

#include "base/util.h"

#include <limits.h>

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

static uint64_t part_ns(const struct finding *f, const struct telemetry *t, unsigned permille)
{
	const struct window_data *d = telemetry_window(t, f->window);

	return permille ? grown(d->begin_ns, d->end_ns) / 1000 * (permille + 1) : 0;
}

void noise_forgive(struct finding *f, const struct telemetry *t, bool is_explained)
{
	if (f->verdict != VERDICT_FAIL || f->noise_limit_permille >= 1000 || !f->noise_permille ||
	    !is_explained)
		return;
	f->verdict = VERDICT_UNDECIDED;
	buf_printf(&f->evidence,
		   "the host took up to %.0f ms, which may be what breaks the bound\n",
		   (double)part_ns(f, t, f->noise_permille) / 1e6);
}

struct noise_range noise_of_worker(const struct finding *f, const struct telemetry *t,
				   uint32_t worker)
{
	const struct window_data *d = telemetry_window(t, f->window);
	const struct cpu_mask *allowed = &f->window->scene.allowed[worker];
	struct noise_range range = { .least = UINT_MAX };

	for (unsigned cpu = 0; cpu < t->cpu_count; cpu++) {
		unsigned noise = telemetry_cpu_noise_permille(d, cpu);

		/* A loop may move it anywhere. */
		if (!f->window->turn_count && !mask_has(allowed, cpu))
			continue;
		range.least = MIN(range.least, noise);
		range.most = MAX(range.most, noise);
	}
	range.least = MIN(range.least, range.most);
	range.most_ns = part_ns(f, t, range.most);
	return range;
}

void noise_judge_excess(struct finding *f, const struct telemetry *t, uint64_t limit_permille,
			uint64_t excess_ns)
{
	noise_judge(f, t, limit_permille);
	noise_forgive(f, t, excess_ns <= part_ns(f, t, f->noise_permille));
}

void noise_judge_wait(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	noise_judge_excess(f, t, limit_permille, grown(f->bound, f->observed));
}

void noise_judge_least(struct finding *f, const struct telemetry *t, uint64_t limit_permille)
{
	judge(f, t, limit_permille, f->observed >= f->bound);
	noise_forgive(f, t,
		      (double)f->observed * 1000 >=
			      (double)f->bound * (999 - MIN(f->noise_permille, 999U)));
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
