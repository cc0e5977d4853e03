// SPDX-License-Identifier: GPL-2.0-only
/* The report of `ktstr doctor`, for people and for programs. */
#include "host/doctor.h"

#include "base/json.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 512 };

static const char *const ways[] = {
	[DOCTOR_KVM] = "kvm",
	[DOCTOR_CARRIER] = "carrier",
	[DOCTOR_NO_WAY] = "none",
};

enum doctor_way doctor_way(const struct doctor_report *r)
{
	if (kvm_probe_can_boot(&r->kvm))
		return DOCTOR_KVM;
	return r->qemu ? DOCTOR_CARRIER : DOCTOR_NO_WAY;
}

static void add_line(struct buf *out, const char *title, const char *text)
{
	buf_printf(out, "%-9s %s\n", title, text);
}

static void add_advice(struct buf *out, const char *advice)
{
	if (*advice)
		buf_printf(out, "%-9s -> %s\n", "", advice);
}

static void add_size(struct buf *out, uint64_t bytes)
{
	if (bytes >= GIB)
		buf_printf(out, "%.1f GiB", (double)bytes / (double)GIB);
	else if (bytes >= MIB)
		buf_printf(out, "%llu MiB", (unsigned long long)(bytes / MIB));
	else
		buf_printf(out, "%llu KiB", (unsigned long long)(bytes / KIB));
}

static void add_host(const struct host_info *h, struct buf *out)
{
	buf_printf(out, "%-9s Linux %s%s, %s\n", "host", h->kernel,
		   h->is_in_carrier ? " (a carrier of ours)" : "", h->model);
	buf_printf(out, "%-9s %u online, %u usable by this process, %u NUMA node%s\n", "cpus",
		   h->cpus_online, h->cpus_allowed, h->nodes, h->nodes == 1 ? "" : "s");
	buf_printf(out, "%-9s ", "caches");
	for (unsigned i = 0; i < h->cache_count; i++) {
		const struct host_cache *c = &h->caches[i];

		buf_printf(out, "%sL%u%s %u x ", i ? ", " : "", c->level,
			   !strcmp(c->type, "Data")	     ? "d"
			   : !strcmp(c->type, "Instruction") ? "i"
							     : "",
			   c->instances);
		add_size(out, c->bytes);
	}
	buf_str(out, h->cache_count ? "\n" : "not described by this host\n");
	buf_printf(out, "%-9s ", "memory");
	add_size(out, h->memory_bytes);
	buf_str(out, ", available ");
	add_size(out, h->memory_available_bytes);
	buf_str(out, "\n");
}

static void add_kvm(const struct kvm_probe *kvm, struct buf *out)
{
	char text[TEXT_BYTES], advice[TEXT_BYTES];

	kvm_probe_text(kvm, text, sizeof(text), advice, sizeof(advice));
	add_line(out, "kvm", text);
	add_advice(out, advice);
}

static void add_carrier(const struct doctor_report *r, struct buf *out)
{
	if (!r->qemu) {
		add_line(out, "carrier", "not possible: no qemu-system-x86_64");
		add_advice(out, "sudo apt-get install --no-install-recommends qemu-system-x86");
	} else if (r->carrier_kernel) {
		buf_printf(out, "%-9s possible: %s, kernel %s\n", "carrier", r->qemu,
			   r->carrier_kernel);
	} else {
		buf_printf(out,
			   "%-9s possible: %s; the first run that needs it fetches its kernel\n",
			   "carrier", r->qemu);
		add_advice(out, "to fetch it now: ktstr kernel fetch --generic");
	}
}

static void add_kernels(const struct doctor_report *r, struct buf *out)
{
	for (size_t i = 0; i < r->kernel_count; i++) {
		const struct doctor_kernel *k = &r->kernels[i];

		buf_printf(out, "%-9s %s%s\n", i ? "" : "kernels", k->name,
			   k->is_default ? " (default)" : "");
	}
	if (!r->kernel_count) {
		add_line(out, "kernels", "none in the cache");
		add_advice(out, "ktstr kernel fetch");
	}
}

void doctor_text(const struct doctor_report *r, struct buf *out)
{
	static const char *const summaries[] = {
		[DOCTOR_KVM] = "tests run here in hardware KVM",
		[DOCTOR_CARRIER] = ("tests run here in a carrier: the same machine, on hardware "
				    "virtualisation that QEMU emulates with one CPU; slow, and "
				    "claims about time on more CPUs stay UNDECIDED there"),
		[DOCTOR_NO_WAY] = "tests cannot run here yet: see the lines with ->",
	};

	add_host(&r->host, out);
	add_kvm(&r->kvm, out);
	add_carrier(r, out);
	add_kernels(r, out);
	add_line(out, "so", summaries[doctor_way(r)]);
}

static void host_json(const struct host_info *h, struct json *j)
{
	json_object(j, "host");
	json_str(j, "kernel", h->kernel);
	json_str(j, "cpu_model", h->model);
	json_u64(j, "cpus_online", h->cpus_online);
	json_u64(j, "cpus_allowed", h->cpus_allowed);
	json_u64(j, "nodes", h->nodes);
	json_u64(j, "memory_bytes", h->memory_bytes);
	json_u64(j, "memory_available_bytes", h->memory_available_bytes);
	json_bool(j, "is_in_carrier", h->is_in_carrier);
	json_array(j, "caches");
	for (unsigned i = 0; i < h->cache_count; i++) {
		json_object(j, NULL);
		json_u64(j, "level", h->caches[i].level);
		json_str(j, "type", h->caches[i].type);
		json_u64(j, "bytes", h->caches[i].bytes);
		json_u64(j, "instances", h->caches[i].instances);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void kvm_json(const struct kvm_probe *p, struct json *j)
{
	char text[TEXT_BYTES], advice[TEXT_BYTES];

	kvm_probe_text(p, text, sizeof(text), advice, sizeof(advice));
	json_object(j, "kvm");
	json_str(j, "kind", kvm_kind_name(p->kind));
	json_bool(j, "can_boot", kvm_probe_can_boot(p));
	json_bool(j, "has_svm", p->has_svm);
	json_bool(j, "has_vmx", p->has_vmx);
	json_str(j, "module", p->module && *p->module ? p->module : NULL);
	json_u64(j, "guest_instructions_per_s", p->guest_instructions_per_s);
	json_u64(j, "max_vcpus", p->max_vcpus);
	json_str(j, "finding", text);
	json_str(j, "advice", *advice ? advice : NULL);
	json_object_end(j);
}

void doctor_json(const struct doctor_report *r, struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j, NULL);
	json_str(&j, "way", ways[doctor_way(r)]);
	host_json(&r->host, &j);
	kvm_json(&r->kvm, &j);
	json_object(&j, "carrier");
	json_bool(&j, "is_possible", r->qemu != NULL);
	json_str(&j, "qemu", r->qemu);
	json_str(&j, "kernel", r->carrier_kernel);
	json_object_end(&j);
	json_array(&j, "kernels");
	for (size_t i = 0; i < r->kernel_count; i++) {
		json_object(&j, NULL);
		json_str(&j, "name", r->kernels[i].name);
		json_str(&j, "release", r->kernels[i].release);
		json_bool(&j, "is_default", r->kernels[i].is_default);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	buf_str(out, "\n");
}
