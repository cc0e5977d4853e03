// SPDX-License-Identifier: GPL-2.0-only
/* A guest that changes descriptors, an indirect table and the available ring while the device walks
 * them (CVE-2020-14374, FreeBSD-SA-24:17). Whatever is popped must agree with itself: what was
 * checked is what is used, because nothing is loaded twice. Clean under TSan, since every access to
 * shared memory is an atomic one. KTSTR_MUTATION_ROUNDS=N sets the walks, and the
 * changes, at least (default 30000). */
#include "base/parse.h"
#include "virtio/ring.h"

#include "test.h"

#include <pthread.h>
#include <stdlib.h>

enum { SIZE = 8, TABLE = 6, BODY = 4096 };

struct table {
	struct ring_memory m;
	struct ring ring;
	struct vq vq;
	uint64_t body, indirect;
	_Atomic bool is_done;
	counter_t changes;
};

static uint64_t round_count(void)
{
	const char *text = getenv("KTSTR_MUTATION_ROUNDS");
	uint64_t rounds;

	return text && !parse_u64(text, &rounds) ? rounds : 30000;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* A descriptor that is mostly legal, so that walks go far. */
static struct vring_desc random_desc(const struct table *t, uint32_t *random, unsigned entries)
{
	uint32_t r = next_random(random);
	struct vring_desc d = { .addr = t->body + r % BODY, .len = r % 97 };

	d.flags = (uint16_t)(r >> 8 & (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE));
	d.next = (uint16_t)(next_random(random) % entries);
	if (r % 61 == 0)
		d.addr = next_random(random);
	if (r % 67 == 0)
		d.len = next_random(random) << 8;
	return d;
}

/* Rewrite one descriptor, in the ring's table or in the indirect one. */
static void change(struct table *t, uint32_t *random)
{
	uint32_t r = next_random(random);
	struct vring_desc d = random_desc(t, random, r % 2 ? SIZE : TABLE);

	if (r % 2)
		gmem_store(&t->ring.desc[r / 2 % SIZE], &d, sizeof(d));
	else
		gmem_store((struct vring_desc *)ring_host(&t->m, t->indirect) + r / 2 % TABLE, &d,
			   sizeof(d));
	if (r % 5 == 0)
		ring_desc(&t->ring, (uint16_t)(r / 5 % SIZE), t->indirect, 16 * TABLE,
			  VRING_DESC_F_INDIRECT, 0);
}

static void *mutate(void *arg)
{
	struct table *t = arg;
	uint32_t random = 1;

	while (!atomic_load_explicit(&t->is_done, memory_order_relaxed)) {
		change(t, &random);
		counter_bump(&t->changes, 1);
	}
	return NULL;
}

static bool is_inside(const struct table *t, const struct iovec *iov)
{
	const unsigned char *start = iov->iov_base;

	return start >= t->m.host && iov->iov_len <= t->m.bytes &&
	       start + iov->iov_len <= t->m.host + t->m.bytes;
}

/* Sums, bounds and the last byte, all from the private copy. */
static void check(const struct table *t, const struct vq_chain *c)
{
	uint64_t readable = 0, writable = 0;

	assert_true(c->readable_count + c->writable_count <= SIZE + TABLE);
	for (unsigned i = 0; i < c->readable_count + c->writable_count; i++) {
		assert_true(is_inside(t, &c->iov[i]));
		*(i < c->readable_count ? &readable : &writable) += c->iov[i].iov_len;
	}
	if (c->has_bad_address || c->is_readable_after_writable || c->is_over_4gib)
		return;
	assert_true(readable == c->readable_bytes);
	assert_true(writable == c->writable_bytes);
	if (c->writable_count) {
		const struct iovec *last = &c->iov[c->readable_count + c->writable_count - 1];

		assert_ptr_equal(c->last_writable,
				 (unsigned char *)last->iov_base + last->iov_len - 1);
	}
}

TEST(what_was_checked_is_what_is_used_while_the_driver_changes_it)
{
	static struct vq_chain chain;
	struct table *t = test_calloc(1, sizeof(*t));
	uint64_t rounds = round_count(), served = 0, broken = 0;
	uint32_t random = 2;
	pthread_t driver;

	ring_memory_init(&t->m, 65536);
	ring_init(&t->ring, &t->m, SIZE);
	t->body = ring_place(&t->m, BODY + 256, 16);
	t->indirect = ring_place(&t->m, 16 * TABLE, 16);
	assert_int_equal(vq_init(&t->vq, SIZE), 0);
	assert_int_equal(vq_start(&t->vq, &t->m.mem, &t->ring.setup), 0);
	vq_set_features(&t->vq, VQ_FEATURES);
	assert_int_equal(pthread_create(&driver, NULL, mutate, t), 0);
	for (uint64_t i = 0; i < rounds || counter_get(&t->changes) < rounds; i++) {
		/* One change here too, for a machine whose other CPUs are busy. */
		change(t, &random);
		ring_offer(&t->ring, (uint16_t)(i % SIZE));
		if (vq_pop(&t->vq, &chain) == 0) {
			check(t, &chain);
			vq_push(&t->vq, chain.token, 0);
			served++;
			continue;
		}
		broken++;
		vq_stop(&t->vq);
		assert_int_equal(vq_resume(&t->vq, &t->m.mem, &t->ring.setup, t->ring.posted), 0);
	}
	atomic_store(&t->is_done, true);
	pthread_join(driver, NULL);
	print_message("%llu chains served, %llu broken\n", (unsigned long long)served,
		      (unsigned long long)broken);
	assert_true(served > 0 && broken > 0);
	vq_deinit(&t->vq);
	ring_memory_deinit(&t->m);
	test_free(t);
}

TESTS(T(what_was_checked_is_what_is_used_while_the_driver_changes_it))
