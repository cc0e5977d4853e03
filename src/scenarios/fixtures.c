// SPDX-License-Identifier: GPL-2.0-only
/* For the harness's own tests: of each check one that must pass and one that must fail. A harness that
 * cannot say FAIL proves nothing. They run only when named (ktstr run 'must_*'). No kernel is at
 * fault: where something must fail, the claim is wrong, or a setting is changed that the claim is not
 * told of. Claims about time take any noise (noise=1000permille) and have bounds that none of it
 * moves to the other side. squeezed_* belong to the test that squeezes four CPUs onto one. */
#include <ktstr/scenario.h>

SCENARIO(must_pass_share) = {
	.summary = "nice 0 beside nice 5: three quarters and one",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .name = "nice0", .work = "spin" },
						{ .name = "nice5", .work = "spin", .nice = 5 }) }),
	.hold = "1s",
	.checks = CHECKS("share distance=60permille"),
};

SCENARIO(must_fail_share) = {
	.summary = "a claim of equal parts, beside a weight that was written behind its back",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "left", .workers = WORKERS({ .work = "spin" }) },
			   { .name = "right", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .ops = OPS("write /sys/fs/cgroup/left/cpu.weight=10000"), .hold = "2s" }),
	.checks = CHECKS("share distance=100permille"),
};

SCENARIO(must_pass_share_realtime) = {
	.summary = "a FIFO hog leaves its rival a twentieth",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .name = "normal", .work = "spin" },
						{ .name = "realtime",
						  .work = "spin",
						  .policy = "fifo 10" }) }),
	.hold = "3s",
	.checks = CHECKS("share distance=40permille"),
};

SCENARIO(must_pass_starvation) = {
	.summary = "two hogs on one CPU take turns",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "1s",
	.checks = CHECKS("starvation gap=900ms noise=1000permille"),
};

SCENARIO(must_fail_starvation) = {
	.summary = "a claim that nobody waits, below a real-time hog",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .name = "normal", .work = "spin" },
						{ .name = "realtime",
						  .work = "spin",
						  .policy = "fifo 10" }) }),
	.hold = "2s",
	.checks = CHECKS("starvation gap=200ms noise=1000permille of=pair/normal"),
};

SCENARIO(must_pass_isolation) = {
	.summary = "workers that are bound each to its CPU stay there",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS(
		{ .name = "pair",
		  .workers = WORKERS({ .work = "spin", .count = "2", .affinity = "each" }) }),
	.hold = "1s",
	.checks = CHECKS("isolation", "isolation within=cpu:0-1"),
};

SCENARIO(must_fail_isolation) = {
	.summary = "a claim that two pinned workers stay on one CPU",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS(
		{ .name = "pair",
		  .workers = WORKERS({ .work = "spin", .count = "2", .affinity = "each" }) }),
	.hold = "1s",
	.checks = CHECKS("isolation within=cpu:0"),
};

SCENARIO(must_pass_wake_latency) = {
	.summary = "partners wake each other within a long time",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair", .workers = WORKERS({ .work = "pipe_pingpong" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=50ms noise=1000permille"),
};

SCENARIO(must_fail_wake_latency) = {
	.summary = "a claim that no machine can keep: woken and running within 100 ns",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair", .workers = WORKERS({ .work = "pipe_pingpong" }) }),
	.hold = "1s",
	.checks = CHECKS("wake_latency p50=100ns noise=1000permille"),
};

/* Load balancing is off in an isolated partition, which the claim does not know: both hogs stay
 * where they were born. Root keeps CPU 0, as the kernel wants it. */
SCENARIO(must_fail_work_conservation) = {
	.summary = "a claim that the balancer spreads hogs, in a partition that has none",
	.topology = "1n1l3c1t",
	.is_fixture = true,
	.needs = { .cpus = 3 },
	.cgroups = CGROUPS(
		{ .name = "pair",
		  .cpuset = "cpu 1-2",
		  .workers = WORKERS({ .work = "spin", .count = "2", .affinity = "cpu 1" }) }),
	.steps = STEPS({ .ops = OPS("write /sys/fs/cgroup/pair/cpuset.cpus.partition=isolated",
				    "affinity pair/spin cpu 1-2"),
			 .hold = "2s" }),
	.checks = CHECKS("work_conservation gap=500ms noise=1000permille"),
};

SCENARIO(must_pass_work_conservation) = {
	.summary = "hogs that were born on one CPU are spread over all",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "hogs",
			     .workers = WORKERS({ .work = "spin",
						  .count = "per-cpu",
						  .affinity = "cpu 0" }) }),
	.steps = STEPS({ .name = "born", .hold = "300ms" },
		       { .name = "free", .ops = OPS("affinity hogs/spin all"), .hold = "2s" }),
	.checks = CHECKS("work_conservation gap=1s noise=1000permille"),
};

SCENARIO(must_pass_throughput) = {
	.summary = "a hog does something",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=10 noise=1000permille"),
};

SCENARIO(must_fail_throughput) = {
	.summary = "a claim of a hundred million microseconds of work in a second",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("throughput min=100000000 noise=1000permille"),
};

SCENARIO(must_pass_spread) = {
	.summary = "equals on one CPU get equal parts",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "pair",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "2s",
	.checks = CHECKS("spread max=500permille noise=1000permille"),
};

SCENARIO(must_fail_spread) = {
	.summary = "a claim of equal parts for three workers, bound to two CPUs in turn",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS(
		{ .name = "three",
		  .workers = WORKERS({ .work = "spin", .count = "3", .affinity = "each" }) }),
	.hold = "2s",
	.checks = CHECKS("spread max=100permille noise=1000permille"),
};

SCENARIO(must_pass_migration_ratio) = {
	.summary = "bound workers do not change their CPU",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS(
		{ .name = "pair",
		  .workers = WORKERS({ .work = "spin", .count = "2", .affinity = "each" }) }),
	.hold = "1s",
	.checks = CHECKS("migration_ratio max=0permille noise=1000permille"),
};

SCENARIO(must_fail_migration_ratio) = {
	.summary = "a claim that a worker stays, which is sent to and fro",
	.topology = "1n1l2c1t",
	.is_fixture = true,
	.needs = { .cpus = 2 },
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.steps = STEPS({ .hold = "1s",
			 .loop = OPS("affinity a/spin cpu 0", "affinity a/spin cpu 1"),
			 .every = "10ms" }),
	.checks = CHECKS("migration_ratio max=1permille noise=1000permille"),
};

SCENARIO(must_pass_locality) = {
	.summary = "memory of a worker that stays on its node is there",
	.topology = "2n2l2c1t",
	.is_fixture = true,
	.needs = { .nodes = 2 },
	.cgroups = CGROUPS({ .name = "a",
			     .cpuset = "node 1",
			     .workers = WORKERS({ .work = "numa_working_set set=256K" }) }),
	.hold = "2s",
	.checks = CHECKS("locality min=950permille"),
};

SCENARIO(must_fail_locality) = {
	.summary = "a claim of local memory that is bound to the other node",
	.topology = "2n2l2c1t",
	.is_fixture = true,
	.needs = { .nodes = 2 },
	.cgroups = CGROUPS({ .name = "a",
			     .cpuset = "node 0",
			     .workers = WORKERS({ .work = "numa_working_set set=256K",
						  .memory_policy = "bind node 1" }) }),
	.hold = "2s",
	.checks = CHECKS("locality min=500permille"),
};

SCENARIO(must_pass_throttling) = {
	.summary = "a tenth of a CPU throttles a hog in most periods",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS(
		{ .name = "a", .max = "10ms/100ms", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "2s",
	.checks = CHECKS("throttling min=5"),
};

SCENARIO(must_fail_throttling) = {
	.summary = "a claim of throttling by a quota that is more than there is",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS(
		{ .name = "a", .max = "200ms/100ms", .workers = WORKERS({ .work = "spin" }) }),
	.hold = "1s",
	.checks = CHECKS("throttling min=1"),
};

SCENARIO(must_pass_deadline_misses) = {
	.summary = "a light rhythm alone on its CPU keeps up",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "a",
			     .workers = WORKERS({ .work = "periodic run=2ms period=200ms" }) }),
	.hold = "2s",
	.checks = CHECKS("deadline_misses max=2 noise=1000permille"),
};

SCENARIO(must_fail_deadline_misses) = {
	.summary = "a claim that a rhythm of 60 percent keeps up with two hogs",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "a",
			     .workers = WORKERS({ .work = "periodic run=60ms period=100ms" },
						{ .work = "spin", .count = "2" }) }),
	.hold = "2s",
	.checks = CHECKS("deadline_misses max=0 noise=1000permille"),
};

SCENARIO(must_fail_alive) = {
	.summary = "a kernel that dies in the middle",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "a", .workers = WORKERS({ .work = "spin" }) }),
	.steps =
		STEPS({ .name = "before", .hold = "200ms" },
		      { .name = "death", .ops = OPS("write /proc/sysrq-trigger=c"), .hold = "1s" }),
	.checks = CHECKS("isolation"),
};

SCENARIO(squeezed_weights) = {
	.summary = "weights are followed when the host leaves little of four CPUs",
	.topology = "1n1l4c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "low",
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
			   { .name = "high",
			     .weight = 300,
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "3s",
	.checks = CHECKS("share distance=80permille", "isolation", "starvation gap=300ms",
			 "spread max=300permille", "work_conservation gap=500ms",
			 "throughput min=1"),
};

SCENARIO(squeezed_quota) = {
	.summary = "a quota in CPU time is a larger part of what the host leaves",
	.topology = "1n1l4c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "half",
			     .max = "50ms/100ms",
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) },
			   { .name = "rest",
			     .workers = WORKERS({ .work = "spin", .count = "per-cpu" }) }),
	.hold = "3s",
	.checks = CHECKS("share distance=100permille", "starvation gap=300ms"),
};

SCENARIO(squeezed_cpusets) = {
	.summary = "two cpusets of two CPUs, hogs and nice hogs",
	.topology = "1n2l2c1t",
	.is_fixture = true,
	.cgroups = CGROUPS({ .name = "first",
			     .cpuset = "llc 0",
			     .workers = WORKERS({ .name = "nice0", .work = "spin", .count = "2" },
						{ .name = "nice5",
						  .work = "spin",
						  .count = "2",
						  .nice = 5 }) },
			   { .name = "second",
			     .cpuset = "llc 1",
			     .workers = WORKERS({ .work = "spin", .count = "2" }) }),
	.hold = "3s",
	.checks = CHECKS("share distance=100permille", "isolation", "starvation gap=300ms",
			 "migration_ratio max=500permille"),
};

SCENARIO(must_fail_exit) = {
	.summary = "a payload that ends with a status that nobody claimed",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.payloads = PAYLOADS({ .name = "three", .command = "sh -c 'echo so it is >&2; exit 3'" },
			     { .name = "none", .command = "sh -c 'exit 0'" }),
	.steps = STEPS({ .hold = "100ms" }, { .ops = OPS("wait three 20s", "wait none 20s") }),
};

SCENARIO(must_pass_exit) = {
	.summary = "a payload that ends with the status claimed, and one that the scenario kills",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.payloads = PAYLOADS({ .name = "three", .command = "sh -c 'exit 3'" },
			     { .name = "killed", .command = "sh -c 'while true; do true; done'" }),
	.steps = STEPS({ .hold = "100ms" }, { .ops = OPS("wait three 20s", "kill killed") }),
	.checks = CHECKS("exit of=three status=3"),
};

SCENARIO(must_fail_metric) = {
	.summary = "a figure that is over its bound",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.payloads = PAYLOADS({ .name = "teller",
			       .command = "sh -c 'echo errors=5'",
			       .metrics = METRICS({ .name = "errors",
						    .pattern = "errors=([0-9]+)",
						    .is_exact = true }) }),
	.steps = STEPS({ .hold = "100ms" }, { .ops = OPS("wait teller 20s") }),
	.checks = CHECKS("metric name=errors max=4.999"),
};

SCENARIO(must_pass_metric) = {
	.summary = "figures within their bounds, from a file in YAML and from JSON",
	.topology = "1n1l1c1t",
	.is_fixture = true,
	.payloads = PAYLOADS(
		{ .name = "teller",
		  .command = "sh -c 'echo \"a: [1, 2.5]\" >/tmp/told; echo {\\\"b\\\": 7}'",
		  .file = "/tmp/told",
		  .metrics = METRICS(
			  { .name = "a", .yaml = "a.*", .take = "sum", .is_exact = true },
			  { .name = "b", .json = "b", .source = "stdout", .is_exact = true }) }),
	.steps = STEPS({ .hold = "100ms" }, { .ops = OPS("wait teller 20s") }),
	.checks = CHECKS("metric name=a min=3.5 max=3.5", "metric name=b min=7 max=7"),
};
