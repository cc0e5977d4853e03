// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/nudge.h"

#include "base/cleanup.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
	INTERVAL_MS = 20,
	ALONE_MS = 40, /* how long a CPU has to be still while others run */
	/* Linux arch/x86/include/asm/irq_vectors.h: RESCHEDULE_VECTOR. */
	RESCHEDULE_VECTOR = 0xfd,
};

/* See since when its thread has run no nanosecond. One that has ended cannot be read. Returns whether it
 * has run since the last look. */
static bool has_run(struct nudge_cpu *c, uint64_t now)
{
	char text[96];
	ssize_t len = pread(c->schedstat_fd, text, sizeof(text) - 1, 0);
	uint64_t seen = c->seen_cpu_ns;

	if (len <= 0)
		return false;
	text[len] = 0;
	c->seen_cpu_ns = strtoull(text, NULL, 10);
	if (c->seen_cpu_ns == seen)
		return false;
	c->still_since_ns = now;
	return true;
}

/* From the one whose turn it is: the first CPU that has been still since @since_ns gets an interrupt, and
 * the turn goes to the one after it. */
static void nudge_one(struct nudge *n, uint64_t since_ns, uint64_t now)
{
	for (unsigned i = 0; i < n->count; i++) {
		unsigned cpu = (n->turn + i) % n->count;
		struct nudge_cpu *c = &n->cpus[cpu];

		if (c->still_since_ns > since_ns)
			continue;
		kvm_send_fixed(n->kvm, c->apic_id, RESCHEDULE_VECTOR);
		counter_bump(&n->sent, 1);
		c->still_since_ns = now; /* to be still for as long again */
		n->turn = (cpu + 1) % n->count;
		return;
	}
}

static void look_round(struct nudge *n)
{
	uint64_t now = now_ns();
	bool is_any_running = false;

	for (unsigned i = 0; i < n->count; i++)
		is_any_running |= has_run(&n->cpus[i], now);
	nudge_one(n, is_any_running ? now - ALONE_MS * NSEC_PER_MSEC : now, now);
}

static void *nudge_main(void *arg)
{
	struct nudge *n = arg;
	struct pollfd stop = { .fd = n->stop_fd, .events = POLLIN };

	while (poll(&stop, 1, INTERVAL_MS) == 0)
		look_round(n);
	return NULL;
}

/* A guest may have ended already, and the thread with it: then nobody has to be woken. */
static int open_schedstat(struct nudge_cpu *c, const struct vcpu *v)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", atomic_load(&v->tid));
	c->apic_id = v->apic_id;
	c->still_since_ns = now_ns();
	c->schedstat_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->schedstat_fd < 0 && errno != ENOENT && errno != ESRCH)
		return err_new(-errno, "open %s: %s", path, strerror(errno));
	return 0;
}

static int make_cpus(struct nudge *n, const struct vcpu *vcpus, unsigned count)
{
	int r = 0;

	n->cpus = calloc(count, sizeof(*n->cpus));
	if (!n->cpus)
		return err_new(-ENOMEM, "nudges for %u vCPUs", count);
	for (; n->count < count && r >= 0; n->count++)
		r = open_schedstat(&n->cpus[n->count], &vcpus[n->count]);
	return r < 0 ? err_trace(r) : 0;
}

static int make_thread(struct nudge *n)
{
	int error;

	n->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (n->stop_fd < 0)
		return err_new(-errno, "eventfd: %s", strerror(errno));
	error = pthread_create(&n->thread, NULL, nudge_main, n);
	if (error)
		return err_new(-error, "start the thread of nudges: %s", strerror(error));
	n->is_running = true;
	pthread_setname_np(n->thread, "nudge");
	return 0;
}

int nudge_start(struct nudge *n, const struct kvm *kvm, const struct vcpu *vcpus, unsigned count)
{
	n->kvm = kvm;
	int r = make_cpus(n, vcpus, count);

	if (r >= 0)
		r = make_thread(n);
	if (r < 0)
		nudge_stop(n);
	return r < 0 ? err_trace(r) : 0;
}

void nudge_stop(struct nudge *n)
{
	if (n->is_running) {
		(void)eventfd_write(n->stop_fd, 1);
		pthread_join(n->thread, NULL);
	}
	n->is_running = false;
	n->stop_fd = fd_close(n->stop_fd);
	while (n->count > 0)
		fd_close(n->cpus[--n->count].schedstat_fd);
	free(n->cpus);
	n->cpus = NULL;
}
