// SPDX-License-Identifier: GPL-2.0-only
#include "base/util.h"
#include "test.h"
#include "vmm/topology.h"

#include <errno.h>
#include <string.h>

TEST(labels_give_counts_and_come_back)
{
	static const struct {
		const char *label;
		unsigned cpus, nodes, llcs_per_node;
		uint32_t max_apic_id;
	} cases[] = {
		{ "1n1l1c1t", 1, 1, 1, 0 },	   { "1n2l4c2t", 16, 1, 2, 15 },
		{ "2n4l2c1t", 8, 2, 2, 7 },	   { "1n3l3c1t", 9, 1, 3, 10 },
		{ "1n7l2c1t", 14, 1, 7, 13 },	   { "4n12l8c2t", 192, 4, 3, 239 },
		{ "1n15l16c1t", 240, 1, 15, 239 }, { "1n14l18c1t", 252, 1, 14, 433 },
		{ "1n14l9c2t", 252, 1, 14, 433 },  { "64n64l8c1t", 512, 64, 1, 511 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct topology t;
		char label[TOPOLOGY_LABEL_BYTES];

		assert_int_equal(topology_parse(cases[i].label, &t), 0);
		assert_string_equal(topology_label(&t, label), cases[i].label);
		assert_int_equal(topology_cpu_count(&t), cases[i].cpus);
		assert_int_equal(t.nodes, cases[i].nodes);
		assert_int_equal(topology_llcs_per_node(&t), cases[i].llcs_per_node);
		assert_int_equal(topology_max_apic_id(&t), cases[i].max_apic_id);
	}
}

TEST(bad_labels_are_refused_with_the_reason)
{
	static const struct {
		const char *label, *words;
	} cases[] = {
		{ "", "not of the form" },
		{ "1n2l4c", "not of the form" },
		{ "2l4c2t", "not of the form" },
		{ "n1l1c1t", "not of the form" },
		{ "-1n1l1c1t", "not of the form" },
		{ " 1n1l1c1t", "not of the form" },
		{ "1n1l1c12345t", "not of the form" },
		{ "1n1l1c1t ", "more text" },
		{ "1n1l1c1tt", "more text" },
		{ "0n1l1c1t", "0 nodes" },
		{ "1n0l1c1t", "0 LLCs" },
		{ "65n65l1c1t", "1 to 64" },
		{ "1n1l1c9t", "1 to 8" },
		{ "2n3l1c1t", "3 LLCs do not divide evenly over 2 nodes" },
		{ "4n2l1c1t", "2 LLCs do not divide evenly over 4 nodes" },
		{ "1n9l57c1t", "513 CPUs" },
		{ "1n512l512c8t", "2097152 CPUs" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct topology t = { 7, 7, 7, 7 };

		assert_int_equal(topology_parse(cases[i].label, &t), -EINVAL);
		assert_non_null(strstr(err_text(), cases[i].words));
		assert_int_equal(t.nodes, 7);
		err_clear();
	}
}

TEST(cpus_are_numbered_by_llc_then_core_then_thread)
{
	struct topology t;
	unsigned cpu = 0;

	assert_int_equal(topology_parse("2n6l3c2t", &t), 0);
	for (unsigned llc = 0; llc < 6; llc++)
		for (unsigned core = 0; core < 3; core++)
			for (unsigned thread = 0; thread < 2; thread++, cpu++) {
				struct topology_cpu place = topology_cpu(&t, cpu);

				assert_int_equal(place.llc, llc);
				assert_int_equal(place.node, llc / 3);
				assert_int_equal(place.core, core);
				assert_int_equal(place.thread, thread);
			}
	assert_int_equal(cpu, topology_cpu_count(&t));
}

/* What Linux does with the ids: equal after the shift exactly when in the same part. */
TEST(apic_ids_rise_and_share_their_upper_bits_exactly_within_a_part)
{
	static const char *const labels[] = { "1n1l1c1t", "2n6l3c2t", "1n5l3c1t", "3n9l7c4t",
					      "1n14l9c2t" };

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		struct topology t;

		assert_int_equal(topology_parse(labels[i], &t), 0);
		struct topology_shifts s = topology_shifts(&t);

		for (unsigned a = 0; a < topology_cpu_count(&t); a++)
			for (unsigned b = 0; b < a; b++) {
				struct topology_cpu x = topology_cpu(&t, a),
						    y = topology_cpu(&t, b);
				bool is_llc = x.llc == y.llc;

				assert_true(x.apic_id > y.apic_id);
				assert_int_equal(x.apic_id >> s.core == y.apic_id >> s.core,
						 is_llc && x.core == y.core);
				assert_int_equal(x.apic_id >> s.llc == y.apic_id >> s.llc, is_llc);
				assert_int_equal(x.apic_id >> s.node == y.apic_id >> s.node,
						 x.node == y.node);
			}
	}
}

TEST(distance_is_10_to_itself_and_more_to_others)
{
	struct topology t = { 2, 2, 1, 1 };

	assert_int_equal(topology_distance(&t, 1, 1), 10);
	assert_int_equal(topology_distance(&t, 0, 1), 20);
}

TESTS(T(labels_give_counts_and_come_back), T(bad_labels_are_refused_with_the_reason),
      T(cpus_are_numbered_by_llc_then_core_then_thread),
      T(apic_ids_rise_and_share_their_upper_bits_exactly_within_a_part),
      T(distance_is_10_to_itself_and_more_to_others))
