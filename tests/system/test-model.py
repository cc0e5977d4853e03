#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The whole scenario model on both kernels: every operation, setting, policy and kind of hold in tests/system/model/*.yaml.

Payloads in the scenarios read the guest's files and exit with 1 if a setting is not what it should be; here the record is looked at: the
verdicts, that what an old kernel lacks is a SKIP with its name, that holds ended by their conditions, and that all events are there, in
order, on both clocks.
"""
import json
import os
import pathlib
import subprocess

# What each scenario comes to: on 6.12, on 6.1. The late condition is judged by time, so noise may leave it undecided.
PASS, LACKING, LATE = ("PASS",), ("SKIP",), ("TIMEOUT", "UNDECIDED")
SKIP = {"6.12": PASS, "6.1": ("SKIP",)}
WANTED = {
    "model_knobs": PASS,
    "model_lives": PASS,
    "model_tasks": {"6.12": PASS, "6.1": PASS},
    "model_slice": SKIP,
    "model_weighted_interleave": SKIP,
    "model_lasting_affinity": SKIP,
    "model_late_condition": LATE,
    "model_features": PASS,
    "model_no_feature": LACKING,
    "model_no_file": LACKING,
    "model_ext": LACKING,
    "model_memory": LACKING,
}
LACKS = {
    "model_slice": "needs kernel 6.12, for a custom slice",
    "model_weighted_interleave": "needs kernel 6.9, for weighted interleave",
    "model_lasting_affinity": "needs kernel 6.2, for an affinity that outlives a change of cgroup or cpuset",
    "model_no_feature": "needs uclamp: this kernel has no /proc/sys/kernel/sched_util_clamp_min",
    "model_no_file": 'step late, "write /proc/sys/kernel/nope=1": this kernel has no /proc/sys/kernel/nope',
    "model_ext": "needs sched_ext, for policy ext: this kernel has no /sys/kernel/sched_ext",
    "model_memory": "needs 64G of memory, the machine has 768M",
}


def say(is_ok, name, why=""):
    print(f"ok {name}" if is_ok else f"FAIL {name}: {why}", flush=True)


def run(kernel):
    files = sorted(str(p) for p in pathlib.Path("tests/system/model").glob("*.yaml"))
    words = [os.environ["KTSTR"], "run", "--no-store", "--format=json", "-k", kernel, *files]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        print(done.stderr[-600:])
    return {record["scenario"]: record for record in lines if "scenario" in record}


def check_verdicts(kernel, records):
    for name, wanted in WANTED.items():
        wanted = wanted[kernel] if isinstance(wanted, dict) else wanted
        record = records.get(name, {"verdict": "nothing"})
        why = f"{record['verdict']}, wanted {wanted[0]}: {record.get('reason')} {record.get('claims')} {record.get('payloads')}"
        say(record["verdict"] in wanted, f"verdict/{kernel}/{name}", why[:1500])
        if record["verdict"] == "SKIP":
            say(record["reason"] == LACKS.get(name), f"skip_says_what_is_missing/{kernel}/{name}", record["reason"])


def check_clocks(kernel, record):
    clock, events = record["clock"], record["events"]
    offset = clock["guest_minus_host_ns"]
    related = all(e["guest_ns"] - e["host_ns"] == offset for e in events)
    say(related and clock["error_ns"] < 5e9, f"events_are_on_both_clocks/{kernel}", str(clock))
    times = [e["guest_ns"] for e in events]
    say(times == sorted(times), f"events_are_in_order/{kernel}", str(times))
    ops = [e for e in events if e["event"] == "op"]
    say(all(e["start_ns"] <= e["end_ns"] <= e["guest_ns"] for e in ops), f"operations_have_begin_and_end/{kernel}", str(ops[:3]))


def check_lives(kernel, record):
    seen = {(e["event"], e.get("what")) for e in record["events"]}
    wanted = [("plan_begin", None), ("plan_end", None), ("gate", "own"), ("hold_begin", "lives"), ("hold_end", "lives"),
              ("worker_exit", "some"), ("mark", "half way"), ("payload_start", "soon"), ("op", "add added/in"),
              ("op", "kill base/w"), ("op", "spawn base/w"), ("op", "move added/in/w to base"), ("op", "cgroup-remove own")]
    missing = [w for w in wanted if w not in seen]
    say(not missing, f"every_kind_of_event_is_kept/{kernel}", f"{missing} of {sorted(map(str, seen))}")
    conditions = [w["is_met"] for w in record["windows"] if "condition" in w]
    say(conditions == [True] * 3, f"conditions_end_holds/{kernel}", str(record["windows"]))


def check_snapshot(kernel, record):
    taken = record.get("snapshots", [])
    say([s["name"] for s in taken] == ["half way"] and record["snapshots_left_out"] == 0, f"a_snapshot_is_kept/{kernel}", str(taken)[:800])
    for s in taken:
        cpus, workers, cgroups = s["cpus"], s["workers"], {c["cgroup"]: c for c in s["cgroups"]}
        say([c["cpu"] for c in cpus] == list(range(len(cpus))) and all(c["run_ns"] > 0 for c in cpus), f"it_has_every_cpu/{kernel}", str(cpus))
        running = [w for w in workers if w["worker"].startswith("other/w[")]
        say(running and all(w["iterations"] > 0 and w["cpu_ns"] > 0 and w["is_runnable"] for w in running),
            f"it_has_every_worker/{kernel}", str(workers))
        say("base" in cgroups and cgroups["other"]["usage_ns"] > 0, f"it_has_every_cgroup/{kernel}", str(cgroups))


def check_late(kernel, record):
    window = record["windows"][0]
    say(window.get("is_met") is False and "did not come in 200 ms" in (record["reason"] or ""), f"a_late_condition_is_said/{kernel}",
        f"{record['reason']} {window}")


def main():
    for kernel in "6.12", "6.1":
        records = run(kernel)
        check_verdicts(kernel, records)
        if records.get("model_lives", {}).get("events"):
            check_clocks(kernel, records["model_lives"])
            check_lives(kernel, records["model_lives"])
            check_snapshot(kernel, records["model_lives"])
        if records.get("model_late_condition", {}).get("windows"):
            check_late(kernel, records["model_late_condition"])


main()
