// SPDX-License-Identifier: GPL-2.0-only
#include "vhost/guard.h"

#include "base/util.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A slot is claimed by its start and live once its end is set: the handler reads end first. */
struct slot {
	_Atomic uintptr_t start; /* 0: free */
	_Atomic uintptr_t end;	 /* 0: not live */
	struct guard *_Atomic guard;
};

static struct slot slots[GUARD_SLOTS];

static struct slot *slot_of(uintptr_t address)
{
	for (unsigned i = 0; i < GUARD_SLOTS; i++) {
		uintptr_t end = atomic_load(&slots[i].end);

		if (end && address < end && address >= atomic_load(&slots[i].start))
			return &slots[i];
	}
	return NULL;
}

/* The flag comes before the pages: a thread that goes on after the access must already see it. */
static bool replace_mapping(struct slot *slot)
{
	struct guard *g = atomic_load(&slot->guard);
	uintptr_t start = atomic_load(&slot->start);
	size_t bytes = atomic_load(&slot->end) - start;
	uint64_t one = 1;

	atomic_store(&g->is_broken, true);
	if (mmap((void *)start, bytes, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		return false;
	return g->event_fd < 0 || write(g->event_fd, &one, sizeof(one)) >= 0 || errno == EAGAIN;
}

/* Runs on the thread that touched the page; calls only what a signal handler may call. */
static void on_sigbus(int signal_number, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	struct slot *slot = slot_of((uintptr_t)info->si_addr);

	/* Not ours: back to the default action, which takes the same access again and dies of it. */
	if (!slot || !replace_mapping(slot))
		signal(signal_number, SIG_DFL);
	errno = saved_errno;
}

int guard_add(struct guard *g, void *start, size_t bytes)
{
	struct sigaction action = { .sa_sigaction = on_sigbus,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };

	if (sigaction(SIGBUS, &action, NULL) < 0)
		return err_new(-errno, "install the SIGBUS handler: %s", strerror(errno));
	for (unsigned i = 0; i < GUARD_SLOTS; i++) {
		uintptr_t none = 0;

		if (!atomic_compare_exchange_strong(&slots[i].start, &none, (uintptr_t)start))
			continue;
		atomic_store(&slots[i].guard, g);
		atomic_store(&slots[i].end, (uintptr_t)start + bytes);
		return 0;
	}
	return err_new(-ENOSPC, "more than %d guarded mappings", GUARD_SLOTS);
}

void guard_remove(void *start)
{
	for (unsigned i = 0; i < GUARD_SLOTS; i++) {
		if (atomic_load(&slots[i].start) != (uintptr_t)start)
			continue;
		atomic_store(&slots[i].end, 0);
		atomic_store(&slots[i].start, 0);
		return;
	}
}
