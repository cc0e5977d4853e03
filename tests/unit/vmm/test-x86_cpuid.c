// SPDX-License-Identifier: GPL-2.0-only
#include "base/util.h"
#include "test.h"
#include "vmm/x86_cpuid.h"

#include <asm/kvm_para.h>
#include <errno.h>
#include <string.h>

#define ENTRY(f, ...)                                                                              \
	{                                                                                          \
		.function = (f), __VA_ARGS__                                                       \
	}

/* A host: what KVM_GET_SUPPORTED_CPUID would say, in short. */
static const struct kvm_cpuid_entry2 amd_host[] = {
	ENTRY(0, .eax = 0xd, .ebx = 0x68747541),
	ENTRY(1, .eax = 0x00a00f11, .ebx = 0x05100800, .ecx = 1 << 3 | 1 << 24),
	ENTRY(0xb, .index = 0, .flags = 1, .eax = 7),
	ENTRY(0x40000001, .eax = 0xffffffff),
	ENTRY(0x80000000, .eax = 0x8000001a),
	ENTRY(0x80000001, .ecx = 0),
	ENTRY(0x80000008, .eax = 0x3030, .ecx = 0x7fff),
	ENTRY(0x8000001d, .index = 0, .flags = 1, .eax = 0x121),
	ENTRY(0x80000026, .index = 0, .flags = 1, .eax = 9),
};

static const struct kvm_cpuid_entry2 intel_host[] = {
	ENTRY(0, .eax = 0x1f, .ebx = 0x756e6547),
	ENTRY(1, .eax = 0x000806f8),
	ENTRY(2, .eax = 0x00feff01),
	ENTRY(4, .index = 0, .flags = 1, .eax = 0xfc004121),
	ENTRY(0x40000001, .eax = 0),
	ENTRY(0x80000000, .eax = 0x80000008),
	ENTRY(0x80000008, .eax = 0x3030, .ecx = 0x1234),
};

static const struct kvm_cpuid_entry2 tcg_host[] = {
	ENTRY(0, .eax = 0x4, .ebx = 0x68747541),
	ENTRY(1, .eax = 0x00060fb1),
};

struct host {
	const struct kvm_cpuid_entry2 *entries;
	uint32_t count;
};

#define HOST(h) ((struct host){ h, ARRAY_SIZE(h) })

static void build(struct host h, const char *label, unsigned cpu, struct x86_cpuid *ret)
{
	struct topology t;
	struct x86_cpuid supported = { .kvm.nent = h.count };

	memcpy(supported.kvm.entries, h.entries, h.count * sizeof(h.entries[0]));
	assert_int_equal(topology_parse(label, &t), 0);
	assert_int_equal(x86_cpuid_build(&supported.kvm,
					 &(struct x86_cpuid_desc){ .topology = &t,
								   .cpu = cpu,
								   .has_tsc_deadline = true },
					 ret),
			 0);
}

static const struct kvm_cpuid_entry2 *get(const struct x86_cpuid *c, uint32_t f, uint32_t i)
{
	const struct kvm_cpuid_entry2 *e = x86_cpuid_find(c, f, i);

	assert_non_null(e);
	return e;
}

TEST(levels_of_leaf_b_shift_at_core_and_package)
{
	struct x86_cpuid c;

	build(HOST(amd_host), "2n6l3c2t", 35, &c);
	/* 1 bit of threads, 2 of cores, 2 of LLCs, then the node */
	const struct kvm_cpuid_entry2 *smt = get(&c, 0xb, 0), *core = get(&c, 0xb, 1);

	assert_int_equal(smt->eax, 1);
	assert_int_equal(smt->ebx, 2);
	assert_int_equal(smt->ecx, 0x100);
	assert_int_equal(core->eax, 5);
	assert_int_equal(core->ebx, 18);
	assert_int_equal(core->ecx, 0x201);
	assert_int_equal(core->edx, 1 << 5 | 2 << 3 | 2 << 1 | 1);
	assert_int_equal(get(&c, 0xb, 2)->ebx, 0);
	assert_int_equal(get(&c, 0x1, 0)->ebx >> 24, core->edx);
	assert_null(x86_cpuid_find(&c, 0x1f, 0));
}

TEST(llc_is_shared_by_its_cpus_and_other_caches_by_threads)
{
	static const struct {
		struct host host;
		uint32_t leaf;
	} cases[] = { { HOST(amd_host), 0x8000001d }, { HOST(intel_host), 4 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct x86_cpuid c;

		build(cases[i].host, "1n2l4c2t", 3, &c);
		for (uint32_t index = 0; index < 4; index++) {
			uint32_t eax = get(&c, cases[i].leaf, index)->eax;

			assert_int_equal((eax >> 14 & 0xfff) + 1, index == 3 ? 8 : 2);
			assert_int_equal(eax >> 5 & 7, index < 2 ? 1 : index);
		}
		assert_int_equal(get(&c, cases[i].leaf, 4)->eax & 0x1f, 0);
	}
}

TEST(amd_guests_get_topoext_and_their_node)
{
	struct x86_cpuid c;

	build(HOST(amd_host), "2n4l2c2t", 13, &c);
	assert_true(get(&c, 0x80000001, 0)->ecx & 1 << 22);
	assert_int_equal(get(&c, 0x80000000, 0)->eax, 0x8000001e);
	assert_int_equal(get(&c, 0x80000008, 0)->ecx, 7 | 3 << 12 | 0x0f00);
	const struct kvm_cpuid_entry2 *ids = get(&c, 0x8000001e, 0);

	assert_int_equal(ids->eax, 13);
	assert_int_equal(ids->ebx, 2 | 1 << 8);
	assert_int_equal(ids->ecx, 1);
	assert_null(x86_cpuid_find(&c, 0x80000026, 0));
}

TEST(intel_guests_keep_leaf_1f_and_lose_leaf_2)
{
	struct x86_cpuid c;

	build(HOST(intel_host), "1n2l4c2t", 5, &c);
	assert_int_equal(get(&c, 0x1f, 1)->eax, 4);
	assert_null(x86_cpuid_find(&c, 2, 0));
	assert_null(x86_cpuid_find(&c, 0x8000001e, 0));
	assert_int_equal(get(&c, 0x80000008, 0)->ecx, 0x1234);
	assert_int_equal(get(&c, 4, 0)->eax >> 26, 7);
}

TEST(amd_families_that_fix_their_llc_are_replaced_and_others_kept)
{
	struct x86_cpuid c;

	build(HOST(tcg_host), "1n1l1c1t", 0, &c);
	assert_int_equal(get(&c, 1, 0)->eax, 0x00a10f11);
	assert_int_equal(get(&c, 0, 0)->eax, 0xb);
	build(HOST(amd_host), "1n1l1c1t", 0, &c);
	assert_int_equal(get(&c, 1, 0)->eax, 0x00a00f11);
}

TEST(features_say_hypervisor_deadline_timer_and_threads_as_they_are)
{
	struct x86_cpuid c;

	build(HOST(amd_host), "1n1l1c1t", 0, &c);
	assert_int_equal(get(&c, 1, 0)->ecx, 1u << 31 | 1 << 24 | 1 << 21);
	assert_int_equal(get(&c, 1, 0)->edx >> 28 & 1, 0);
	build(HOST(amd_host), "1n1l2c1t", 0, &c);
	assert_int_equal(get(&c, 1, 0)->edx >> 28 & 1, 1);
}

TEST(async_page_faults_are_hidden_and_clock_and_steal_time_kept)
{
	struct x86_cpuid c;

	build(HOST(amd_host), "1n1l1c1t", 0, &c);
	uint32_t eax = get(&c, KVM_CPUID_FEATURES, 0)->eax;

	assert_true(eax >> KVM_FEATURE_CLOCKSOURCE2 & 1);
	assert_true(eax >> KVM_FEATURE_STEAL_TIME & 1);
	assert_true(eax >> KVM_FEATURE_CLOCKSOURCE_STABLE_BIT & 1);
	assert_false(eax >> KVM_FEATURE_ASYNC_PF & 1);
	assert_false(eax >> KVM_FEATURE_ASYNC_PF_INT & 1);
}

TEST(extended_destinations_are_said_only_with_a_split_irqchip)
{
	struct topology t = { 1, 14, 18, 1 };
	struct x86_cpuid supported = { .kvm.nent = ARRAY_SIZE(intel_host) }, c;

	memcpy(supported.kvm.entries, intel_host, sizeof(intel_host));
	assert_int_equal(x86_cpuid_build(&supported.kvm,
					 &(struct x86_cpuid_desc){ .topology = &t,
								   .cpu = 251,
								   .has_msi_ext_dest = true },
					 &c),
			 0);
	assert_int_equal(get(&c, KVM_CPUID_FEATURES, 0)->eax, 1 << KVM_FEATURE_MSI_EXT_DEST_ID);
	assert_int_equal(get(&c, 0xb, 0)->edx, 433);
	assert_int_equal(get(&c, 1, 0)->ebx >> 24, 433 & 0xff);
	assert_int_equal(get(&c, 1, 0)->ecx >> 24 & 1, 0);
}

TEST(too_many_leaves_are_an_error)
{
	struct topology t = { 1, 1, 1, 1 };
	static struct x86_cpuid full = { .kvm.nent = X86_CPUID_MAX }, c;
	const struct x86_cpuid_desc d = { .topology = &t };

	memcpy(full.kvm.entries, amd_host, sizeof(amd_host));
	for (uint32_t i = ARRAY_SIZE(amd_host); i < X86_CPUID_MAX; i++)
		full.kvm.entries[i].function = 0x21;
	assert_int_equal(x86_cpuid_build(&full.kvm, &d, &c), -E2BIG);
	full.kvm.nent++;
	assert_int_equal(x86_cpuid_build(&full.kvm, &d, &c), -E2BIG);
	err_clear();
}

TESTS(T(levels_of_leaf_b_shift_at_core_and_package),
      T(llc_is_shared_by_its_cpus_and_other_caches_by_threads),
      T(amd_guests_get_topoext_and_their_node), T(intel_guests_keep_leaf_1f_and_lose_leaf_2),
      T(amd_families_that_fix_their_llc_are_replaced_and_others_kept),
      T(features_say_hypervisor_deadline_timer_and_threads_as_they_are),
      T(async_page_faults_are_hidden_and_clock_and_steal_time_kept),
      T(extended_destinations_are_said_only_with_a_split_irqchip), T(too_many_leaves_are_an_error))
