#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the command line prints and takes without any machine: its tables as JSON, and round trips."""
import json
import os
import pathlib
import shlex
import subprocess
import tempfile

KTSTR = os.environ["KTSTR"]


def say(is_ok, name, why=""):
    print(f"ok {name}" if is_ok else f"FAIL {name}: {str(why)[:600]}", flush=True)


def ktstr(*words):
    return subprocess.run([KTSTR, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def check_workloads():
    table = {w["name"]: w for w in json.loads(ktstr("workloads", "--json").stdout)}
    for name, text in ("sequence", "phases"), ("custom", "function"):
        row = next((p for p in table[name]["parameters"] if p["name"] == text), None)
        say(row and row["unit"] == "text" and row["required"] and row["help"], f"{name}_has_{text}", table[name])
    multiples = {name: table[name]["count_multiple"] for name in ("spin", "pipe_pingpong", "wake_chain", "mutex")}
    say(multiples == {"spin": 1, "pipe_pingpong": 2, "wake_chain": 4, "mutex": 4}, "count_multiple", multiples)
    adding = [p["name"] for p in table["producer_consumer"]["parameters"] if p.get("adds_workers")]
    say(adding == ["producers", "consumers"], "parameters_that_add_workers", adding)
    words = ktstr("workloads").stdout
    say("count: a multiple of producers + consumers" in words and "phases=" in words, "workloads_as_text", words)


TWO = """scenario: b_first
summary: the first
topology: 1n1l1c1t
workers: [{ work: spin }]
hold: 1s
checks: [isolation]
---
scenario: a_second
summary: the second
topology: 1n1l1c1t
workers: [{ work: spin }]
hold: 1s
checks: [isolation]
"""


def dry_run(*words):
    done = ktstr("run", "--dry-run", "--json", *words)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_rerun():
    with tempfile.TemporaryDirectory() as where:
        path = pathlib.Path(where) / "it's two.yaml"
        path.write_text(TWO)
        both = dry_run(str(path), "--seed=3", "--append=quiet panic=1")
        say([r["scenario"] for r in both] == ["b_first", "a_second"], "a_file_runs_in_its_order", both)
        for one in both:
            again = shlex.split(one["rerun"])
            say(dry_run(*again[2:]) == [one], f"the_line_that_runs_{one['scenario']}_again_does", one["rerun"])
        for command in "list", "show":
            text = ktstr(command, f"{path}:a_second").stdout
            say("the second" in text and "the first" not in text, f"{command}_takes_one_of_a_file", text)


def check_list_is_inert():
    with tempfile.TemporaryDirectory() as where:
        path = pathlib.Path(where) / "e.yaml"
        path.write_text('scenario: a\nsummary: "x\\e[31m\\ny\\x9b"\nhold: 1s\n')
        text = ktstr("list", str(path)).stdout
        say(text.endswith("x\\x1b[31m\\x0ay\\x9b\n") and text.count("\n") == 1, "list_prints_no_control_characters", repr(text))


def check_help():
    for words in ("help", "--help"), ("help",), ("help", "run"):
        done = ktstr(*words)
        say(done.returncode == 0 and done.stdout and not done.stderr, "_".join(words), done)


def check_dry_run():
    every = dry_run()
    say(len(every) > 50 and all(r["skip"] or r["claims"] for r in every), "every_scenario_can_be_rehearsed", every[:1])
    done = ktstr("run", "--dry-run", "two_cgroups", "--topology", "1n1l1c1t")
    say(done.returncode == 0 and ", 1 CPU, " in done.stdout and "1 would run" in done.stdout and not done.stderr, "dry_run_as_text", done)
    done = ktstr("run", "--dry-run", "cpuset_split", "--kernel", "/no/such/kernel")
    say(done.returncode == 2, "dry_run_wants_the_kernel_that_is_named", done)


def main():
    check_workloads()
    check_rerun()
    check_list_is_inert()
    check_dry_run()
    check_help()


main()
