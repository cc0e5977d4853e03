// SPDX-License-Identifier: GPL-2.0-only
#include "harness/guest.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/util.h"
#include "devices/blk/blk.h"
#include "devices/blk/spec.h"
#include "harness/patience.h"
#include "host/carrier.h"
#include "wire/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { PLACES_SHOWN = 8 };
/* A vCPU parks within a tick of its host; a host that does not run it for this long is the news. */
#define PLACES_DEADLINE_NS (5 * NSEC_PER_SEC)

static struct guest *guest_new(const struct guest_desc *desc)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->channel[0] = g->channel[1] = -1;
	g->session.fd = -1;
	console_log_init(&g->console, desc->is_verbose ? STDERR_FILENO : -1);
	return g;
}

struct guest *guest_free(struct guest *g)
{
	if (!g)
		return NULL;
	machine_free(g->machine);
	session_deinit(&g->session);
	fd_close(g->channel[0]);
	fd_close(g->channel[1]);
	free(g);
	return NULL;
}

static int parse_disks(const struct guest_desc *desc, struct blk_spec **ret)
{
	struct blk_spec *specs = calloc(desc->disk_count + 1, sizeof(*specs));

	if (!specs)
		return err_new(-ENOMEM, "out of memory for %u disks", desc->disk_count);
	for (unsigned i = 0; i < desc->disk_count; i++) {
		int r = blk_spec_parse(desc->disks[i], &specs[i]);

		if (r < 0) {
			free(specs);
			return err_trace(r);
		}
	}
	*ret = specs;
	return 0;
}

/* The user's words stand last, and win. */
static int kernel_arguments(const struct guest_desc *desc, struct buf *ret)
{
	if (patience_boots_alone(&desc->topology))
		buf_str(ret, "maxcpus=1 " WIRE_ONLINE_ARG " ");
	if (desc->kernel_args)
		buf_str(ret, desc->kernel_args);
	return buf_ok(ret);
}

static int make_machine(struct guest *g, const struct guest_desc *desc)
{
	const struct kernel_image *kernel = &desc->image->kernel;
	bool is_bzimage = desc->has_kaslr && kernel->bzimage;
	cleanup(freep) struct blk_spec *disks = NULL;
	cleanup(buf_deinit) struct buf arguments = BUF_NULL;
	struct machine_desc m = MACHINE_DESC_NULL;
	int r = parse_disks(desc, &disks);

	if (r == 0)
		r = kernel_arguments(desc, &arguments);
	if (r < 0)
		return err_trace(r);
	m.topology = desc->topology;
	m.memory_bytes = desc->memory_bytes;
	m.kernel_path = is_bzimage ? kernel->bzimage : kernel->vmlinux;
	m.has_kaslr = is_bzimage;
	m.initrd = desc->image->initramfs.data;
	m.initrd_bytes = desc->image->initramfs.len;
	m.cmdline_extra = buf_text(&arguments);
	m.disks = disks;
	m.disk_count = desc->disk_count;
	m.ctl_fd = g->channel[1];
	m.console = console_log_write;
	m.console_ctx = &g->console;
	m.is_verbose = desc->is_verbose;
	m.is_kvm_emulated = carrier_is_inside();
	return machine_new(&m, &g->machine);
}

static int make_parts(struct guest *g, const struct guest_desc *desc)
{
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, g->channel) < 0)
		return err_new(-errno, "socketpair: %s", strerror(errno));
	r = session_init(&g->session, g->channel[0]);
	if (r == 0)
		r = make_machine(g, desc);
	if (r < 0)
		return err_trace(r);
	g->session.end_fd = machine_end_fd(g->machine);
	g->session.signal_fd = desc->signal_fd;
	return 0;
}

static int not_booted(struct guest *g, enum verdict verdict, struct guest_failure *why)
{
	why->verdict = verdict;
	console_log_tail(&g->console, CONSOLE_DEATH_LINES, &why->console);
	return GUEST_NOT_BOOTED;
}

/* The machine ended before READY. */
static int died_early(struct guest *g, struct guest_failure *why)
{
	struct machine_end end;

	machine_end(g->machine, &end);
	buf_printf(&why->text, "the machine ended before READY: %s%s%s", machine_why_name(end.why),
		   end.text[0] ? ": " : "", end.text);
	return not_booted(g, end.why == MACHINE_VCPU_ERROR ? VERDICT_INFRA : VERDICT_BOOT, why);
}

static int bad_words(struct guest *g, struct guest_failure *why)
{
	buf_printf(&why->text, "the guest's init: %s", err_text());
	return not_booted(g, VERDICT_INFRA, why);
}

static int read_ready(struct guest *g, const struct frame *f, struct guest_failure *why)
{
	if (f->type == FRAME_FAILED) {
		struct wire_failed failed;
		const char *text;
		size_t len;

		if (failed_decode(f->payload, f->len, &failed, &text, &len) < 0)
			return bad_words(g, why);
		buf_printf(&why->text, "the guest's init: %.*s", (int)MIN(len, (size_t)500), text);
		return not_booted(g, VERDICT_INFRA, why);
	}
	if (f->type != FRAME_READY) {
		err_record(-EPROTO, __FILE__, __LINE__, "%s before READY", frame_name(f->type));
		return bad_words(g, why);
	}
	if (ready_decode(f->payload, f->len, &g->ready) < 0)
		return bad_words(g, why);
	return 0;
}

/* Relate the clocks: the guest's answer was made between our two readings. */
static int read_clock(struct guest *g, const struct frame *f, struct guest_failure *why)
{
	struct wire_clock c;
	uint64_t now = now_ns();

	if (f->type != FRAME_CLOCK || clock_decode(f->payload, f->len, &c) < 0) {
		err_record(-EPROTO, __FILE__, __LINE__, "no answer to CLOCK");
		return bad_words(g, why);
	}
	g->clock = (struct clock_relation){
		.is_known = true,
		.guest_minus_host_ns = (int64_t)(c.guest_ns - (c.host_ns + (now - c.host_ns) / 2)),
		.error_ns = (now - c.host_ns) / 2,
	};
	return 0;
}

static void print_place(unsigned cpu, const struct vcpu_place *p, struct buf *text)
{
	buf_printf(text, "%s CPU %u ", cpu ? "," : ";", cpu);
	if (!p->is_started) {
		buf_str(text, "was not started");
		return;
	}
	buf_printf(text, "%s at %#llx%s", p->is_halted ? "halted" : "ran",
		   (unsigned long long)p->rip, p->has_interrupts_on ? "" : " with interrupts off");
	if (p->requested)
		buf_printf(text, ", vector %#x requested", p->requested);
	if (p->in_service)
		buf_printf(text, ", vector %#x in service", p->in_service);
}

void guest_where(struct guest *g, struct buf *text)
{
	unsigned count = machine_cpu_count(g->machine);
	cleanup(freep) struct vcpu_place *places = calloc(count, sizeof(*places));

	if (!places || machine_places(g->machine, PLACES_DEADLINE_NS, places) < 0) {
		buf_printf(text, "; %s", places ? err_text() : "out of memory");
		err_clear();
		return;
	}
	for (unsigned cpu = 0; cpu < MIN(count, (unsigned)PLACES_SHOWN); cpu++)
		print_place(cpu, &places[cpu], text);
	if (count > PLACES_SHOWN)
		buf_printf(text, ", and %u more", count - PLACES_SHOWN);
}

/* One awaited frame on the way to a booted guest. */
static int await(struct guest *g, uint64_t deadline_ns, struct guest_failure *why,
		 int (*read)(struct guest *, const struct frame *, struct guest_failure *))
{
	struct frame f;
	int r = session_next(&g->session, deadline_ns, &f);

	switch (r) {
	case 0:
		return read(g, &f, why);
	case SESSION_TIMEOUT:
		buf_printf(&why->text, "the guest was not READY in %llu s",
			   (unsigned long long)((now_ns() - g->start_ns) / NSEC_PER_SEC));
		guest_where(g, &why->text);
		return not_booted(g, VERDICT_BOOT, why);
	case SESSION_ENDED:
		return died_early(g, why);
	case SESSION_INTERRUPTED:
		return GUEST_INTERRUPTED;
	default:
		return bad_words(g, why);
	}
}

static int await_ready(struct guest *g, const struct guest_desc *desc, struct guest_failure *why)
{
	uint64_t deadline_ns = now_ns() + patience_boot_ns(&desc->topology);
	int r;

	g->start_ns = now_ns();
	r = machine_start(g->machine);

	if (r < 0)
		return err_trace(r);
	r = await(g, deadline_ns, why, read_ready);
	g->boot_ns = now_ns() - g->start_ns;
	if (r == 0) {
		struct wire_clock c = { .host_ns = now_ns() };

		r = session_send(&g->session, FRAME_CLOCK, &c, sizeof(c));
	}
	return r ? r : await(g, deadline_ns, why, read_clock);
}

int guest_boot(const struct guest_desc *desc, struct guest **ret, struct guest_failure *why_ret)
{
	cleanup(guest_freep) struct guest *g = guest_new(desc);
	struct guest_failure why = { 0 };
	int r;

	if (!g)
		return err_new(-ENOMEM, "out of memory for a guest");
	r = make_parts(g, desc);
	if (r == 0)
		r = await_ready(g, desc, &why);
	if (r == 0)
		*ret = steal_ptr(&g);
	if (r == GUEST_NOT_BOOTED)
		*why_ret = why;
	else
		guest_failure_deinit(&why);
	return r;
}

void guest_failure_deinit(struct guest_failure *f)
{
	buf_deinit(&f->text);
	buf_deinit(&f->console);
}

void guest_disk_json(struct blk *blk, const char *spec, struct json *j)
{
	json_object(j, NULL);
	json_str(j, "disk", spec);
	blk_counters_members_json(blk, j);
	blk_faults_member_json(blk, j, "faults");
	json_object_end(j);
}

/* A kernel that dies says so on its console; a reset without such words is init's doing. */
enum verdict guest_death(struct guest *g, struct buf *text)
{
	struct machine_end end;

	machine_end(g->machine, &end);
	if (end.why == MACHINE_VCPU_ERROR || end.why == MACHINE_KILLED) {
		buf_printf(text, "the machine failed: %s: %s", machine_why_name(end.why), end.text);
		return VERDICT_INFRA;
	}
	if (end.why == MACHINE_TRIPLE_FAULT || console_log_has(&g->console, "Kernel panic")) {
		buf_printf(text, "the guest kernel died (%s)", machine_why_name(end.why));
		return VERDICT_FAIL;
	}
	buf_printf(text, "the guest's init ended the machine (%s)", machine_why_name(end.why));
	return VERDICT_INFRA;
}
