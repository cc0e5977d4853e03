// SPDX-License-Identifier: GPL-2.0-only
#include "host/doctor.h"

#include "base/cleanup.h"
#include "base/util.h"
#include "test.h"

#include <errno.h>
#include <string.h>

static const struct host_info host = {
	.model = "Imaginary 9000",
	.cpus_online = 8,
	.cpus_allowed = 4,
	.nodes = 1,
	.caches = { { 1, "Data", 32 * KIB, 8 }, { 3, "Unified", 16 * MIB, 2 } },
	.cache_count = 2,
	.memory_bytes = 16 * GIB,
	.memory_available_bytes = 512 * MIB,
	.kernel = "6.99.0",
};
static const struct doctor_kernel kernels[] = {
	{ "6.12.117+deb12-cloud-amd64", "6.12.117+deb12-cloud-amd64", true },
	{ "6.1.0-50-cloud-amd64", NULL, false },
};

static struct doctor_report report(enum kvm_kind kind, const char *qemu, const char *kernel)
{
	return (struct doctor_report){
		.host = host,
		.kvm = { .kind = kind, .step = "open /dev/kvm", .error = kind > 1 ? ENOENT : 0 },
		.qemu = qemu,
		.carrier_kernel = kernel,
		.kernels = kernels,
		.kernel_count = ARRAY_SIZE(kernels),
	};
}

TEST(the_way_follows_from_the_facts)
{
	static const struct {
		enum kvm_kind kind;
		const char *qemu, *kernel;
		enum doctor_way way;
	} cases[] = {
		{ KVM_HARDWARE, NULL, NULL, DOCTOR_KVM },
		{ KVM_HARDWARE, "/q", "k", DOCTOR_KVM },
		{ KVM_PARAVIRTUAL, "/q", "k", DOCTOR_CARRIER },
		{ KVM_NONE, "/q", "k", DOCTOR_CARRIER },
		{ KVM_PARAVIRTUAL, "/q", NULL, DOCTOR_CARRIER },
		{ KVM_NO_PERMISSION, NULL, "k", DOCTOR_NO_WAY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doctor_report r = report(cases[i].kind, cases[i].qemu, cases[i].kernel);

		assert_int_equal(doctor_way(&r), cases[i].way);
	}
}

TEST(all_that_is_missing_comes_with_what_to_do)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct doctor_report r = report(KVM_NO_PERMISSION, NULL, NULL);

	r.kernel_count = 0;
	doctor_text(&r, &out);
	assert_non_null(strstr(buf_text(&out), "-> sudo usermod -aG kvm"));
	assert_non_null(strstr(buf_text(&out), "-> sudo apt-get install"));
	assert_non_null(strstr(buf_text(&out), "-> ktstr kernel fetch"));
	assert_non_null(strstr(buf_text(&out), "cannot run here yet"));
}

TEST(a_host_that_has_everything_gets_no_advice)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct doctor_report r = report(KVM_HARDWARE, "/q", "k");

	doctor_text(&r, &out);
	assert_null(strstr(buf_text(&out), "->"));
	assert_non_null(strstr(buf_text(&out), "L1d 8 x 32 KiB, L3 2 x 16 MiB"));
	assert_non_null(strstr(buf_text(&out), "8 online, 4 usable"));
	assert_non_null(strstr(buf_text(&out), "cloud-amd64 (default)"));
}

TEST(json_has_the_same_facts)
{
	cleanup(buf_deinit) struct buf out = BUF_NULL;
	struct doctor_report r = report(KVM_PARAVIRTUAL, "/q", "k");

	doctor_json(&r, &out);
	static const char *const parts[] = {
		"{\"way\":\"carrier\"",	     "\"kind\":\"paravirtual\"", "\"can_boot\":false",
		"\"cpu_model\":\"Imaginary", "\"is_possible\":true",	 "\"release\":null",
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_non_null(strstr(buf_text(&out), parts[i]));
	assert_string_equal(out.data + out.len - 2, "}\n");
}

TESTS(T(the_way_follows_from_the_facts), T(all_that_is_missing_comes_with_what_to_do),
      T(a_host_that_has_everything_gets_no_advice), T(json_has_the_same_facts))
