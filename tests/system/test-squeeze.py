#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Four vCPUs on one CPU of the host: claims about shares still hold, claims about time say UNDECIDED with the noise, nothing says FAIL.

The run is bound to one CPU, so that it is as tight on a large host as in the carrier, which has no more. A carrier that was itself stopped
for most of a window leaves nothing to divide: then share may say so, but not of all of the scenarios.
"""
import json
import os
import subprocess
import sys

SHARE_LIKE = {"share", "isolation", "locality", "throttling"}


def squeeze():
    """In the child, before ktstr: one CPU for all its threads."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def has_nothing_to_divide(claim):
    return claim["check"] == "share" and claim["verdict"] == "UNDECIDED" and any("cannot be divided" in e for e in claim["evidence"])


def judge(claim):
    """What is wrong with a claim's finding, or None."""
    if claim["check"] in SHARE_LIKE:
        is_right = claim["verdict"] == "PASS" or has_nothing_to_divide(claim)
        return None if is_right else f"{claim['verdict']}: {claim['evidence']}"
    noise = claim.get("noise", {})
    if claim["verdict"] != "UNDECIDED":
        return f"{claim['verdict']} under noise {noise}"
    if noise.get("permille", 0) <= noise.get("limit_permille", 1000):
        return f"UNDECIDED without noise: {noise}"
    if not any("the bound held" in e or "the bound was broken" in e for e in claim["evidence"]):
        return f"no word of what it looked like: {claim['evidence']}"
    return None


def main():
    run = subprocess.run([os.environ["KTSTR"], "run", "squeezed_*", "--no-store", "--format=json"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=squeeze, timeout=500)
    failed = 0
    results = [json.loads(line) for line in run.stdout.splitlines() if line.startswith('{"scenario"')]
    claims = [(r, c) for r in results for c in r["claims"]]
    for result, claim in claims:
        name = f"{result['scenario']}/{claim['check']}"
        wrong = judge(claim)
        failed += wrong is not None
        print(f"FAIL {name}: {wrong}" if wrong else f"ok {name}")
    verdicts = [r["verdict"] for r in results]
    shares = [c["verdict"] for _, c in claims if c["check"] == "share"]
    for name, ok in (("a_share_was_decided", "PASS" in shares),
                     ("all_scenarios_came_to_a_verdict", len(results) == 3 and len(claims) >= 10),
                     ("each_is_undecided_and_none_fails", set(verdicts) == {"UNDECIDED"}),
                     ("only_undecided_is_exit_5", run.returncode == 5)):
        failed += not ok
        print(f"ok {name}" if ok else f"FAIL {name}: exit {run.returncode}, {verdicts}: {run.stderr[-500:]}")
    return 1 if failed else 0


sys.exit(main())
