// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/vcpu.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "vmm/vcpu_exit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

/* What KVM_SET_SIGNAL_MASK takes: a length, then the kernel's signal set, one bit each. */
struct signal_mask {
	struct kvm_signal_mask head;
	uint8_t set[8];
};
_Static_assert(offsetof(struct signal_mask, set) == offsetof(struct kvm_signal_mask, sigset),
	       "the set follows its length");

static int kick_signal(void)
{
	return SIGRTMIN;
}

int vcpu_die_signal(void)
{
	return SIGRTMIN + 1;
}

void vcpu_gate_init(struct vcpu_gate *gate)
{
	pthread_condattr_t attr;

	*gate = (struct vcpu_gate){ .wanted = VCPU_RUN };
	pthread_mutex_init(&gate->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&gate->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void vcpu_gate_deinit(struct vcpu_gate *gate)
{
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

/* Every signal is blocked in a vCPU's thread; inside KVM_RUN ours are not. */
static int set_signal_mask(const struct vcpu *v)
{
	struct signal_mask mask = { .head.len = sizeof(mask.set) };
	int r;

	le64_put(mask.set,
		 ~(UINT64_C(1) << (kick_signal() - 1) | UINT64_C(1) << (vcpu_die_signal() - 1)));
	r = kvm_ioctl(v->fd, KVM_SET_SIGNAL_MASK, &mask, "set the signal mask of a vCPU");
	return r < 0 ? err_trace(r) : 0;
}

int vcpu_init(struct vcpu *ret, const struct kvm *kvm, const struct vcpu_env *env, unsigned index,
	      uint32_t apic_id)
{
	struct vcpu v = {
		.env = env, .index = index, .apic_id = apic_id, .run_bytes = kvm->run_bytes
	};
	int r;

	v.fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, (unsigned long)apic_id);
	if (v.fd < 0)
		return err_new(-errno, "KVM: create vCPU %u (APIC id %u): %s", index, apic_id,
			       strerror(errno));
	v.run = mmap(NULL, v.run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v.fd, 0);
	if (v.run == MAP_FAILED) {
		r = err_new(-errno, "KVM: map vCPU %u: %s", index, strerror(errno));
		v.run = NULL;
	} else {
		r = set_signal_mask(&v);
	}
	if (r < 0) {
		vcpu_deinit(&v);
		return err_trace(r);
	}
	*ret = v;
	return 0;
}

void vcpu_deinit(struct vcpu *v)
{
	if (v->run)
		munmap(v->run, v->run_bytes);
	v->run = NULL;
	v->fd = fd_close(v->fd);
}

/* Take our pending signals off this thread. Returns whether it was told to die. */
static bool drain_signals(struct vcpu *v)
{
	const struct timespec now = { 0 };
	bool is_dead = false;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, kick_signal());
	sigaddset(&set, vcpu_die_signal());
	while ((sig = sigtimedwait(&set, NULL, &now)) > 0) {
		is_dead |= sig == vcpu_die_signal();
		counter_bump(&v->kicks, 1);
	}
	return is_dead;
}

/* KVM_RUN was interrupted: park if that is wanted. Returns false if the thread is to end. Kicks are
 * sent under the lock, so that none of this round is left for the next. */
static bool answer_kick(struct vcpu *v)
{
	struct vcpu_gate *gate = v->env->gate;

	pthread_mutex_lock(&gate->lock);
	bool is_dead = drain_signals(v);

	if (gate->wanted == VCPU_PARK) {
		gate->parked++;
		pthread_cond_broadcast(&gate->changed);
		while (gate->wanted == VCPU_PARK)
			pthread_cond_wait(&gate->changed, &gate->lock);
		gate->parked--;
		pthread_cond_broadcast(&gate->changed);
	}
	bool is_wanted = gate->wanted != VCPU_STOP;

	pthread_mutex_unlock(&gate->lock);
	if (is_dead)
		v->env->ended(v->env->ctx, (int)v->index, MACHINE_VCPU_ERROR,
			      "its thread was killed");
	return is_wanted && !is_dead;
}

static bool run_failed(struct vcpu *v, int error)
{
	char text[MACHINE_END_TEXT_BYTES];

	snprintf(text, sizeof(text), "KVM_RUN: %s", strerror(error));
	v->env->ended(v->env->ctx, (int)v->index, MACHINE_VCPU_ERROR, text);
	return false;
}

/* One stay in the guest. Returns false if the thread is to end. */
static bool run_once(struct vcpu *v)
{
	if (ioctl(v->fd, KVM_RUN, 0) == 0) {
		counter_bump(&v->exits, 1);
		return vcpu_exit(v);
	}
	switch (errno) {
	case EINTR:
		return answer_kick(v);
	case EAGAIN: /* a CPU that waits to be started was touched */
		return true;
	default:
		return run_failed(v, errno);
	}
}

static void come_up(struct vcpu *v)
{
	struct vcpu_gate *gate = v->env->gate;
	char name[16];

	snprintf(name, sizeof(name), "vcpu-%u", v->index);
	pthread_setname_np(pthread_self(), name);
	pthread_mutex_lock(&gate->lock);
	atomic_store(&v->tid, gettid());
	gate->live++;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

static void go_down(struct vcpu *v)
{
	struct vcpu_gate *gate = v->env->gate;

	pthread_mutex_lock(&gate->lock);
	atomic_store(&v->tid, 0);
	gate->live--;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;

	come_up(v);
	while (run_once(v))
		;
	go_down(v);
	return NULL;
}

/* Called with the gate locked. A thread that has ended and is not joined yet may be signalled. */
static void kick_all(struct vcpu *vcpus, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (vcpus[i].has_thread)
			pthread_kill(vcpus[i].thread, kick_signal());
}

static int create_threads(struct vcpu *vcpus, unsigned count)
{
	sigset_t all, old;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < count && !error; i++) {
		error = pthread_create(&vcpus[i].thread, NULL, vcpu_thread, &vcpus[i]);
		vcpus[i].has_thread = !error;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error;
}

int vcpu_start_all(struct vcpu *vcpus, unsigned count)
{
	struct vcpu_gate *gate = vcpus[0].env->gate;

	/* Under the lock, so that nobody sees half of the threads. */
	pthread_mutex_lock(&gate->lock);
	int error = create_threads(vcpus, count);

	while (!error && gate->live < count && gate->wanted != VCPU_STOP)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
	if (!error)
		return 0;
	vcpu_stop_all(vcpus, count);
	vcpu_join_all(vcpus, count);
	return err_new(-error, "start %u vCPU threads: %s", count, strerror(error));
}

void vcpu_stop_all(struct vcpu *vcpus, unsigned count)
{
	struct vcpu_gate *gate = vcpus[0].env->gate;

	pthread_mutex_lock(&gate->lock);
	gate->wanted = VCPU_STOP;
	kick_all(vcpus, count);
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

void vcpu_join_all(struct vcpu *vcpus, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!vcpus[i].has_thread)
			continue;
		pthread_join(vcpus[i].thread, NULL);
		vcpus[i].has_thread = false;
	}
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				  .tv_nsec = (long)(ns % NSEC_PER_SEC) };
}

/* Wait, with the gate locked, until all are parked. */
static int wait_parked(struct vcpu_gate *gate, unsigned count, uint64_t deadline_ns)
{
	struct timespec deadline = timespec_of(deadline_ns);

	while (gate->parked < count) {
		if (gate->wanted == VCPU_STOP || gate->live < count)
			return err_new(-ESHUTDOWN, "the machine has ended");
		if (pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline) == ETIMEDOUT)
			return err_new(-ETIMEDOUT, "%u of %u vCPUs did not park in time",
				       count - gate->parked, count);
	}
	return 0;
}

static void want_run(struct vcpu_gate *gate)
{
	if (gate->wanted == VCPU_PARK)
		gate->wanted = VCPU_RUN;
	pthread_cond_broadcast(&gate->changed);
}

int vcpu_park_all(struct vcpu *vcpus, unsigned count, uint64_t deadline_ns)
{
	struct vcpu_gate *gate = vcpus[0].env->gate;

	pthread_mutex_lock(&gate->lock);
	if (gate->wanted == VCPU_RUN) {
		gate->wanted = VCPU_PARK;
		kick_all(vcpus, count);
	}
	int r = wait_parked(gate, count, deadline_ns);

	if (r < 0)
		want_run(gate);
	pthread_mutex_unlock(&gate->lock);
	return r < 0 ? err_trace(r) : 0;
}

void vcpu_unpark_all(struct vcpu *vcpus, unsigned count)
{
	struct vcpu_gate *gate = vcpus[0].env->gate;

	pthread_mutex_lock(&gate->lock);
	want_run(gate);
	while (gate->parked > 0)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

/* Fails where the guest has no kvmclock (yet); then there is nobody to be told. */
void vcpu_tell_pause(const struct vcpu *v)
{
	(void)ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0);
}

void vcpu_counters(const struct vcpu *v, struct vcpu_counters *ret)
{
	*ret = (struct vcpu_counters){
		.exits = counter_get(&v->exits),
		.pio = counter_get(&v->pio),
		.mmio = counter_get(&v->mmio),
		.unhandled = counter_get(&v->unhandled),
		.kicks = counter_get(&v->kicks),
	};
}

int vcpu_noise(struct vcpu *v, struct vcpu_noise *ret)
{
	cleanup(buf_deinit) struct buf text = BUF_NULL;
	int tid = atomic_load(&v->tid);
	unsigned long long cpu_ns, run_delay_ns;
	char path[64];

	if (!tid)
		return err_new(-ESHUTDOWN, "vCPU %u does not run", v->index);
	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	int r = buf_read_file(&text, path, KIB);

	if (r < 0)
		return err_trace(r);
	if (sscanf(buf_text(&text), "%llu %llu", &cpu_ns, &run_delay_ns) != 2)
		return err_new(-EIO, "%s: not of the form it had", path);
	*ret = (struct vcpu_noise){ tid, run_delay_ns, cpu_ns };
	return 0;
}
