#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a test costs beyond the guest's boot and the time that the scenario declares: at most 300 ms wanted, on KVM hardware.
"$KTSTR" kernel fetch >/dev/null || exit 1
bench/in-machine "$KTSTR" run --no-store --format json 'two_cgroups' 'weighted_cgroups' 'nice_pair' | python3 -c '
import json, statistics, sys

place = sys.stdin.readline().strip()
results = [r for r in map(json.loads, sys.stdin) if "scenario" in r]
if not results:
    sys.exit("bench: no results")
cost = {r["scenario"]: (r["total_ns"] - r["boot_ns"] - r["declared_ns"]) / 1e6 for r in results}
print(f"harness overhead of a test, {place}")
for r in results:
    name = r["scenario"]
    print(f"  {name:20} boot {r['"'boot_ns'"'] / 1e6:8.0f} ms  declared {r['"'declared_ns'"'] / 1e6:6.0f} ms  beyond both {cost[name]:6.0f} ms")
median = statistics.median(cost.values())
verdict = "in a carrier: for information only" if "carrier" in place else "held" if median <= 300 else "MISSED"
print(f"  median {median:.0f} ms; at most 300 ms wanted on KVM hardware: {verdict}")'
