#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the command line prints and takes without any machine: its tables as JSON, and round trips."""
import json
import os
import subprocess

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


def main():
    check_workloads()


main()
