// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86_cpuid.h"

#include "base/util.h"

#include <asm/kvm_para.h>
#include <errno.h>

enum vendor { VENDOR_INTEL = 1, VENDOR_AMD = 2, VENDOR_ANY = VENDOR_INTEL | VENDOR_AMD };

/* Work in progress on one CPU's table. */
struct build {
	const struct x86_cpuid_desc *d;
	struct topology_cpu place;
	struct topology_shifts shifts;
	enum vendor vendor;
	struct x86_cpuid *out;
	bool is_full;
};

/* Caches of every CPU. Sizes are of a usual server and the same on every host, because the C
 * library and the kernel choose algorithms by them. */
struct cache {
	unsigned type; /* 1 data, 2 instruction, 3 unified */
	unsigned level;
	unsigned kib;
	unsigned ways;
	bool is_llc; /* shared by the LLC; the others by the threads of a core */
};

static const struct cache caches[] = {
	{ 1, 1, 32, 8, false },
	{ 2, 1, 32, 8, false },
	{ 3, 2, 1024, 8, false },
	{ 3, 3, 32768, 16, true },
};

enum {
	CACHE_LINE_BYTES = 64,

	LEAF1_ECX_MONITOR = 1 << 3,
	LEAF1_ECX_X2APIC = 1 << 21,
	LEAF1_ECX_TSC_DEADLINE = 1 << 24,
	LEAF1_ECX_HYPERVISOR = 1 << 31,
	LEAF1_EDX_HTT = 1 << 28,
	AMD_ECX_CMP_LEGACY = 1 << 1,
	AMD_ECX_TOPOEXT = 1 << 22,

	LEVEL_SMT = 1,
	LEVEL_CORE = 2,

	/* AMD before family 17h, and its first models, have their LLC where the kernel believes to
	 * know better than CPUID; so does TCG, which says family 0Fh. They are shown as a Genoa. */
	AMD_FAMILY_17H = 0x17,
	AMD_FAMILY_17H_LAST_FIXED_MODEL = 0x2f,
	AMD_SIGNATURE_GENOA = 0x00a10f11,
};

static struct kvm_cpuid_entry2 *find(struct x86_cpuid *c, uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < c->kvm.nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->kvm.entries[i];

		if (e->function == function &&
		    (e->index == index || !(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return e;
	}
	return NULL;
}

const struct kvm_cpuid_entry2 *x86_cpuid_find(const struct x86_cpuid *c, uint32_t function,
					      uint32_t index)
{
	for (uint32_t i = 0; i < c->kvm.nent; i++) {
		const struct kvm_cpuid_entry2 *e = &c->kvm.entries[i];

		if (e->function == function && e->index == index)
			return e;
	}
	return NULL;
}

static void drop(struct x86_cpuid *c, uint32_t function)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->kvm.nent; i++)
		if (c->kvm.entries[i].function != function)
			c->kvm.entries[kept++] = c->kvm.entries[i];
	c->kvm.nent = kept;
}

static void add(struct build *b, const struct kvm_cpuid_entry2 *e)
{
	if (b->out->kvm.nent == X86_CPUID_MAX)
		b->is_full = true;
	else
		b->out->kvm.entries[b->out->kvm.nent++] = *e;
}

/* Raise the highest leaf that @base (0 or 0x80000000) says exists. */
static void raise_max(struct build *b, uint32_t base, uint32_t leaf)
{
	struct kvm_cpuid_entry2 *e = find(b->out, base, 0);

	if (e && e->eax < leaf)
		e->eax = leaf;
}

/* Leaf 1, EAX: family and model with their extensions. */
static bool is_llc_fixed(uint32_t signature)
{
	uint32_t family = (signature >> 8 & 0xf) + (signature >> 20 & 0xff);
	uint32_t model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	return family < AMD_FAMILY_17H ||
	       (family == AMD_FAMILY_17H && model <= AMD_FAMILY_17H_LAST_FIXED_MODEL);
}

static void rule_features(struct build *b, struct kvm_cpuid_entry2 *e)
{
	unsigned cpus = topology_cpus_per_node(b->d->topology);
	unsigned ids = 1u << b->shifts.node;

	if (b->vendor == VENDOR_AMD && is_llc_fixed(e->eax))
		e->eax = AMD_SIGNATURE_GENOA;
	e->ebx = (e->ebx & 0xffff) | MIN(ids, 255u) << 16 | (b->place.apic_id & 0xff) << 24;
	e->ecx |= LEAF1_ECX_HYPERVISOR | LEAF1_ECX_X2APIC;
	e->ecx &= ~(uint32_t)(LEAF1_ECX_MONITOR | LEAF1_ECX_TSC_DEADLINE);
	if (b->d->has_tsc_deadline)
		e->ecx |= LEAF1_ECX_TSC_DEADLINE;
	e->edx &= ~(uint32_t)LEAF1_EDX_HTT;
	if (cpus > 1)
		e->edx |= LEAF1_EDX_HTT;
}

/* Leaf 4 (Intel) and 0x8000001D (AMD) have the same form; only Intel fills EAX 31:26. */
static void add_caches(struct build *b, uint32_t function)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(caches); i++) {
		const struct cache *c = &caches[i];
		unsigned shared = 1u << (c->is_llc ? b->shifts.llc : b->shifts.core);
		unsigned cores = 1u << (b->shifts.node - b->shifts.core);
		struct kvm_cpuid_entry2 e = {
			.function = function,
			.index = i,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = c->type | c->level << 5 | 1 << 8 | (shared - 1) << 14,
			.ebx = (CACHE_LINE_BYTES - 1) | (c->ways - 1) << 22,
			.ecx = c->kib * 1024 / CACHE_LINE_BYTES / c->ways - 1,
		};

		if (b->vendor == VENDOR_INTEL)
			e.eax |= MIN(cores - 1, 63u) << 26;
		add(b, &e);
	}
	add(b, &(struct kvm_cpuid_entry2){ .function = function,
					   .index = ARRAY_SIZE(caches),
					   .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX });
}

static void add_intel_caches(struct build *b)
{
	add_caches(b, 4);
}

static void add_amd_caches(struct build *b)
{
	add_caches(b, 0x8000001d);
}

/* Leaves 0xB and 0x1F: one subleaf for each border, then the end. */
static void add_levels(struct build *b, uint32_t function)
{
	const struct {
		unsigned type, shift, cpus;
	} levels[] = {
		{ LEVEL_SMT, b->shifts.core, b->d->topology->threads_per_core },
		{ LEVEL_CORE, b->shifts.node, topology_cpus_per_node(b->d->topology) },
		{ 0, 0, 0 },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(levels); i++)
		add(b, &(struct kvm_cpuid_entry2){ .function = function,
						   .index = i,
						   .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
						   .eax = levels[i].shift,
						   .ebx = levels[i].cpus,
						   .ecx = i | levels[i].type << 8,
						   .edx = b->place.apic_id });
}

static void add_levels_b(struct build *b)
{
	add_levels(b, 0xb);
	raise_max(b, 0, 0xb);
}

/* Only where the host has it: raising the highest leaf that far would bare leaves between. */
static void add_levels_1f(struct build *b)
{
	const struct kvm_cpuid_entry2 *max = find(b->out, 0, 0);

	if (max && max->eax >= 0x1f)
		add_levels(b, 0x1f);
}

static void rule_amd_features(struct build *b, struct kvm_cpuid_entry2 *e)
{
	e->ecx |= AMD_ECX_TOPOEXT;
	e->ecx &= ~(uint32_t)AMD_ECX_CMP_LEGACY;
	if (topology_cpus_per_node(b->d->topology) > 1)
		e->ecx |= AMD_ECX_CMP_LEGACY;
}

/* The caches once more, in the form of old: level 1, then levels 2 and 3. Way counts are coded. */
static void rule_amd_l1(struct build *b, struct kvm_cpuid_entry2 *e)
{
	e->ecx = caches[0].kib << 24 | caches[0].ways << 16 | 1 << 8 | CACHE_LINE_BYTES;
	e->edx = caches[1].kib << 24 | caches[1].ways << 16 | 1 << 8 | CACHE_LINE_BYTES;
}

static void rule_amd_l2_l3(struct build *b, struct kvm_cpuid_entry2 *e)
{
	enum { WAYS_8 = 6, WAYS_16 = 8, L3_UNIT_KIB = 512 };

	e->ecx = caches[2].kib << 16 | WAYS_8 << 12 | 1 << 8 | CACHE_LINE_BYTES;
	e->edx = caches[3].kib / L3_UNIT_KIB << 18 | WAYS_16 << 12 | 1 << 8 | CACHE_LINE_BYTES;
}

static void rule_amd_core_count(struct build *b, struct kvm_cpuid_entry2 *e)
{
	unsigned cpus = topology_cpus_per_node(b->d->topology);

	e->ecx = (e->ecx & ~0xf0ffu) | MIN(cpus - 1, 255u) | b->shifts.node << 12;
}

static void add_amd_ids(struct build *b)
{
	unsigned core = b->place.apic_id >> b->shifts.core;
	unsigned cores = 1u << (b->shifts.node - b->shifts.core);
	struct kvm_cpuid_entry2 e = {
		.function = 0x8000001e,
		.eax = b->place.apic_id,
		.ebx = (core % cores & 0xff) | (b->d->topology->threads_per_core - 1) << 8,
		.ecx = b->place.node & 0xff,
	};

	add(b, &e);
	raise_max(b, 0x80000000, 0x8000001e);
}

/* Kept: clock, steal time, PV spinlocks, IPIs and TLB flushes. Taken away: asynchronous page
 * faults, which would put guest tasks to sleep for reasons of the host; and hypercalls that would
 * need an answer from us. */
static void rule_kvm_features(struct build *b, struct kvm_cpuid_entry2 *e)
{
	static const uint32_t unwanted =
		1u << KVM_FEATURE_ASYNC_PF | 1u << KVM_FEATURE_ASYNC_PF_VMEXIT |
		1u << KVM_FEATURE_ASYNC_PF_INT | 1u << KVM_FEATURE_HC_MAP_GPA_RANGE |
		1u << KVM_FEATURE_MIGRATION_CONTROL;

	e->eax &= ~unwanted;
	if (b->d->has_msi_ext_dest)
		e->eax |= 1u << KVM_FEATURE_MSI_EXT_DEST_ID;
}

/* What happens to a leaf: `edit` changes each entry that KVM offers, `replace` puts ours in the
 * place of all of them, neither takes the leaf away. To add one: its row. */
struct rule {
	uint32_t function;
	enum vendor vendors;
	void (*edit)(struct build *b, struct kvm_cpuid_entry2 *e);
	void (*replace)(struct build *b);
};

static const struct rule rules[] = {
	{ 0x1, VENDOR_ANY, .edit = rule_features },
	{ .function = 0x2,
	  .vendors = VENDOR_INTEL }, /* cache descriptors of old: leaf 4 says it all */
	{ 0x4, VENDOR_INTEL, .replace = add_intel_caches },
	{ 0xb, VENDOR_ANY, .replace = add_levels_b },
	{ 0x1f, VENDOR_INTEL, .replace = add_levels_1f },
	{ KVM_CPUID_FEATURES, VENDOR_ANY, .edit = rule_kvm_features },
	{ 0x80000001, VENDOR_AMD, .edit = rule_amd_features },
	{ 0x80000005, VENDOR_AMD, .edit = rule_amd_l1 },
	{ 0x80000006, VENDOR_AMD, .edit = rule_amd_l2_l3 },
	{ 0x80000008, VENDOR_AMD, .edit = rule_amd_core_count },
	{ 0x8000001d, VENDOR_AMD, .replace = add_amd_caches },
	{ 0x8000001e, VENDOR_AMD, .replace = add_amd_ids },
	{ .function = 0x80000026,
	  .vendors = VENDOR_AMD }, /* the host's topology: Linux would believe it first */
};

static void apply(struct build *b, const struct rule *rule)
{
	if (rule->edit) {
		for (uint32_t i = 0; i < b->out->kvm.nent; i++)
			if (b->out->kvm.entries[i].function == rule->function)
				rule->edit(b, &b->out->kvm.entries[i]);
		return;
	}
	drop(b->out, rule->function);
	if (rule->replace)
		rule->replace(b);
}

/* Leaf 0, EBX: the vendor's first four letters. All but AMD and Hygon speak Intel's leaves. */
static enum vendor vendor_of(struct x86_cpuid *c)
{
	const struct kvm_cpuid_entry2 *e = find(c, 0, 0);
	bool is_amd = e && (!memcmp(&e->ebx, "Auth", 4) || !memcmp(&e->ebx, "Hygo", 4));

	return is_amd ? VENDOR_AMD : VENDOR_INTEL;
}

int x86_cpuid_build(const struct kvm_cpuid2 *supported, const struct x86_cpuid_desc *d,
		    struct x86_cpuid *ret)
{
	struct build b = { .d = d,
			   .place = topology_cpu(d->topology, d->cpu),
			   .shifts = topology_shifts(d->topology),
			   .out = ret };

	if (supported->nent > X86_CPUID_MAX)
		return err_new(-E2BIG, "KVM offers %u CPUID leaves, room is for %d",
			       supported->nent, X86_CPUID_MAX);
	*ret = (struct x86_cpuid){ .kvm.nent = supported->nent };
	memcpy(ret->kvm.entries, supported->entries,
	       supported->nent * sizeof(supported->entries[0]));
	b.vendor = vendor_of(ret);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].vendors & b.vendor)
			apply(&b, &rules[i]);
	if (b.is_full)
		return err_new(-E2BIG, "CPUID table: more than %d leaves", X86_CPUID_MAX);
	return 0;
}
