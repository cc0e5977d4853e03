// SPDX-License-Identifier: GPL-2.0-only
/* Two threads on one ring, one as driver, one as device, and no help but the ring's own rules: each
 * sleeps when it has nothing to do, and is woken only by a kick or an interrupt that the other side
 * decided to send. A lost one shows as a sleep that nobody ends. Descriptors are rewritten while the
 * device walks others, so that TSan sees every access that is not as it should be.
 *
 * KTSTR_LITMUS_ROUNDS=N sets the chains for each case (default 20000; 10000000 for a full run). */
#include "base/parse.h"
#include "virtio/ring.h"

#include "test.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SIZE = 16, LOST_AFTER_MS = 20000 };

struct table {
	struct ring_memory m;
	struct ring ring;
	struct vq vq;
	uint64_t body;
	uint64_t rounds;
	bool has_event_idx;
	int kick_fd, interrupt_fd;
	_Atomic bool is_lost;
	counter_t kicks, interrupts, device_sleeps, driver_sleeps;
};

static uint64_t round_count(void)
{
	const char *text = getenv("KTSTR_LITMUS_ROUNDS");
	uint64_t rounds;

	return text && !parse_u64(text, &rounds) ? rounds : 20000;
}

/* Sleep until @fd was signalled; false if that does not happen. */
static bool sleep_on(struct table *t, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	eventfd_t ignored;

	if (poll(&p, 1, LOST_AFTER_MS) != 1 || atomic_load(&t->is_lost)) {
		atomic_store(&t->is_lost, true);
		return false;
	}
	return !eventfd_read(fd, &ignored);
}

/* Pop what is there, at most a few at a time; answer all with one publication. */
static uint64_t serve_batch(struct table *t, struct vq_chain *chain, unsigned limit)
{
	uint64_t count = 0;

	while (count < limit && vq_pop(&t->vq, chain) == 0) {
		vq_stage(&t->vq, chain->token, chain->readable_descs);
		count++;
	}
	vq_publish(&t->vq);
	if (vq_should_notify(&t->vq)) {
		counter_bump(&t->interrupts, 1);
		eventfd_write(t->interrupt_fd, 1);
	}
	return count;
}

static void *device_main(void *arg)
{
	static _Thread_local struct vq_chain chain;
	struct table *t = arg;
	uint64_t done = 0;

	while (done < t->rounds) {
		vq_disable_kicks(&t->vq);
		for (uint64_t n; (n = serve_batch(t, &chain, 1 + done % 5));)
			done += n;
		if (done == t->rounds || vq_enable_kicks(&t->vq))
			continue;
		counter_bump(&t->device_sleeps, 1);
		if (!sleep_on(t, t->kick_fd))
			return NULL;
	}
	return NULL;
}

/* Take used entries; how many. */
static unsigned reap(struct table *t, bool free_heads[SIZE])
{
	uint32_t head, len;
	unsigned count = 0;

	while (ring_take(&t->ring, &head, &len)) {
		free_heads[head] = true;
		count++;
	}
	return count;
}

static int find_free(const bool free_heads[SIZE])
{
	for (int head = 0; head < SIZE; head++)
		if (free_heads[head])
			return head;
	return -1;
}

/* Post up to @max chains and kick if the device wants it; how many. */
static unsigned post_some(struct table *t, bool free_heads[SIZE], uint64_t max)
{
	struct ring_buffer b = { t->body, 16, 0 };
	uint16_t before = t->ring.posted;
	unsigned count = 0;
	int head;

	for (; count < max && (head = find_free(free_heads)) >= 0; count++) {
		free_heads[head] = false;
		ring_post(&t->ring, ring_chain(&t->ring, (uint16_t)head, &b, 1));
	}
	if (!count)
		return 0;
	ring_show(&t->ring);
	if (ring_must_kick(&t->ring, before, t->has_event_idx)) {
		counter_bump(&t->kicks, 1);
		eventfd_write(t->kick_fd, 1);
	}
	return count;
}

/* Ask for an interrupt at the next entry, look once more, sleep. */
static bool await_used(struct table *t)
{
	if (t->has_event_idx)
		ring_set_used_event(&t->ring, t->ring.taken);
	else
		ring_set_no_interrupt(&t->ring, false);
	if (ring_has_used(&t->ring))
		return true;
	counter_bump(&t->driver_sleeps, 1);
	return sleep_on(t, t->interrupt_fd);
}

static void drive(struct table *t)
{
	bool free_heads[SIZE];
	uint64_t posted = 0, reaped = 0;

	for (unsigned i = 0; i < SIZE; i++)
		free_heads[i] = true;
	while (reaped < t->rounds) {
		posted += post_some(t, free_heads, MIN(t->rounds - posted, 1 + posted % 7));
		if (!t->has_event_idx)
			ring_set_no_interrupt(&t->ring, true);
		unsigned n = reap(t, free_heads);

		reaped += n;
		if (n || (posted < t->rounds && find_free(free_heads) >= 0 && posted % 3))
			continue;
		if (!await_used(t))
			return;
	}
}

static void run(bool has_event_idx)
{
	struct table *t = test_calloc(1, sizeof(*t));
	pthread_t device;

	t->has_event_idx = has_event_idx;
	t->rounds = round_count();
	t->kick_fd = eventfd(0, EFD_CLOEXEC);
	t->interrupt_fd = eventfd(0, EFD_CLOEXEC);
	ring_memory_init(&t->m, 65536);
	ring_init(&t->ring, &t->m, SIZE);
	t->body = ring_place(&t->m, 16, 16);
	assert_int_equal(vq_init(&t->vq, SIZE), 0);
	assert_int_equal(vq_start(&t->vq, &t->m.mem, &t->ring.setup), 0);
	vq_set_features(&t->vq, has_event_idx ? UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX : 0);
	assert_int_equal(pthread_create(&device, NULL, device_main, t), 0);
	drive(t);
	pthread_join(device, NULL);
	print_message("%llu rounds: %llu kicks, %llu interrupts; slept: device %llu, driver %llu\n",
		      (unsigned long long)t->rounds, (unsigned long long)counter_get(&t->kicks),
		      (unsigned long long)counter_get(&t->interrupts),
		      (unsigned long long)counter_get(&t->device_sleeps),
		      (unsigned long long)counter_get(&t->driver_sleeps));
	assert_false(atomic_load(&t->is_lost));
	assert_int_equal(t->vq.breakage, VQ_INTACT);
	vq_deinit(&t->vq);
	ring_memory_deinit(&t->m);
	close(t->kick_fd);
	close(t->interrupt_fd);
	test_free(t);
}

TEST(no_kick_and_no_interrupt_is_lost_with_event_idx)
{
	run(true);
}

TEST(no_kick_and_no_interrupt_is_lost_with_flags)
{
	run(false);
}

TESTS(T(no_kick_and_no_interrupt_is_lost_with_event_idx),
      T(no_kick_and_no_interrupt_is_lost_with_flags))
