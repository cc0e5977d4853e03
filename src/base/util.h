/* SPDX-License-Identifier: GPL-2.0-only */
/* Small things every room needs: array sizes, rounding, little-endian access, address types, time.
 * Checked arithmetic is the compiler's __builtin_*_overflow; there is no wrapper for it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define MIN(a, b)                                                                                  \
	({                                                                                         \
		__auto_type a_ = (a);                                                              \
		__auto_type b_ = (b);                                                              \
		a_ < b_ ? a_ : b_;                                                                 \
	})
#define MAX(a, b)                                                                                  \
	({                                                                                         \
		__auto_type a_ = (a);                                                              \
		__auto_type b_ = (b);                                                              \
		a_ > b_ ? a_ : b_;                                                                 \
	})

/* Guest-physical and guest-virtual addresses are types of their own, so that mixing them, or using
 * one as a host pointer, does not compile. */
typedef struct {
	uint64_t v;
} gpa_t;
typedef struct {
	uint64_t v;
} gva_t;

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){ v };
}

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)
#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

static inline bool is_power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

static inline bool is_aligned(uint64_t v, uint64_t to)
{
	return v % to == 0;
}

/* Round @v up to a multiple of @to (a power of two). The caller knows that it does not wrap. */
static inline uint64_t align_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) & ~(to - 1);
}

/* How much a counter has grown between two looks at it; 0 if it went back, as one that a guest or a kernel
 * reports may. */
static inline uint64_t grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

/* Little-endian loads and stores at any alignment. */
static inline uint16_t le16_get(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t le32_get(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t le64_get(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void le16_put(void *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void le32_put(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void le64_put(void *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "the le*_ helpers assume a little-endian host");

/* CLOCK_MONOTONIC in nanoseconds. Any thread. */
uint64_t now_ns(void);

/* Milliseconds until @deadline_ns (CLOCK_MONOTONIC), rounded up, 0 if it has passed, -1 for
 * UINT64_MAX: what poll() and epoll_wait() take. */
int timeout_ms_until(uint64_t deadline_ns);
