/* SPDX-License-Identifier: GPL-2.0-only */
/* A set of CPUs as both sides of the channel carry it: 512 bits, CPU n is bit n % 64 of word
 * n / 64. Fixed width, so that it can lie inside wire structs and shared memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_CPUS = 512, WIRE_MASK_WORDS = WIRE_CPUS / 64 };

struct cpu_mask {
	uint64_t bits[WIRE_MASK_WORDS];
};

_Static_assert(sizeof(struct cpu_mask) == 64, "wire layout");

static inline void mask_set(struct cpu_mask *m, unsigned cpu)
{
	if (cpu < WIRE_CPUS)
		m->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

static inline void mask_clear(struct cpu_mask *m, unsigned cpu)
{
	if (cpu < WIRE_CPUS)
		m->bits[cpu / 64] &= ~(UINT64_C(1) << cpu % 64);
}

/* CPUs outside the mask's range are in no set. */
static inline bool mask_has(const struct cpu_mask *m, unsigned cpu)
{
	return cpu < WIRE_CPUS && (m->bits[cpu / 64] >> cpu % 64 & 1);
}

static inline unsigned mask_count(const struct cpu_mask *m)
{
	unsigned n = 0;

	for (size_t i = 0; i < WIRE_MASK_WORDS; i++)
		n += (unsigned)__builtin_popcountll(m->bits[i]);
	return n;
}

static inline bool mask_is_empty(const struct cpu_mask *m)
{
	return !mask_count(m);
}

/* The first CPU of the set at or above @from; WIRE_CPUS if there is none. */
static inline unsigned mask_next(const struct cpu_mask *m, unsigned from)
{
	while (from < WIRE_CPUS && !mask_has(m, from))
		from++;
	return from;
}

static inline void mask_or(struct cpu_mask *m, const struct cpu_mask *other)
{
	for (size_t i = 0; i < WIRE_MASK_WORDS; i++)
		m->bits[i] |= other->bits[i];
}

static inline void mask_and(struct cpu_mask *m, const struct cpu_mask *other)
{
	for (size_t i = 0; i < WIRE_MASK_WORDS; i++)
		m->bits[i] &= other->bits[i];
}

enum { MASK_TEXT_BYTES = 2048 };

/* Write the set as the kernel's list form, "0-3,8"; "" for the empty set. @text has
 * MASK_TEXT_BYTES, which the longest list (every second CPU) fits. Returns @text. Any thread. */
char *mask_format(const struct cpu_mask *m, char text[MASK_TEXT_BYTES]);
