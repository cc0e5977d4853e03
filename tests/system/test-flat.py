#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A long run costs the harness no more than a short one: memory, descriptors, threads and mappings, after few cells and after many.

Guest memory is a shared mapping (RssShmem) and stays out of the sum: what is compared is the harness's own, RssAnon.
"""
import json
import os
import pathlib
import subprocess
import sys

CELL_LIMIT_KIB = 1  # of growth for each cell; a leaked result record alone is more
BOOT_LIMIT_KIB = 16  # for each machine that was booted and given up; a leaked initramfs or disk is megabytes


def looks(pid):
    """What that process holds now."""
    proc = pathlib.Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    return {
        "own memory, KiB": int(status["RssAnon"].split()[0]),
        "descriptors": len(list((proc / "fd").iterdir())),
        "threads": int(status["Threads"]),
        "mappings": len((proc / "maps").read_text().splitlines()),
    }


def watch(name, scenario, early, late, limit_kib, at_boot=False):
    """Run until verdict number `late` has fallen, compare with how it was at number `early`; `at_boot`: when the machine of the
    next cell says its first word, because a cell that failed leaves none."""
    words = [os.environ["KTSTR"], "run", "--no-store", "--format=json", f"--repeat={late + 1}", "-v", "--append=loglevel=6", scenario]
    run = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    seen, verdicts, wanted = {}, set(), None
    for line in run.stdout:
        if line.startswith('{"scenario"'):
            result = json.loads(line)
            verdicts.add(result["verdict"])
            wanted = result["repeat"] if result["repeat"] in (early, late) else None
        if wanted and at_boot != line.startswith("{"):
            seen[wanted] = looks(run.pid)
            wanted = None
    run.wait()
    if set(seen) != {early, late}:
        print(f"FAIL {name}: ended with status {run.returncode} before verdict {late}")
        return
    before, after = seen[early], seen[late]
    limits = {what: 0 for what in before} | {"own memory, KiB": limit_kib * (late - early), "mappings": 4}
    held = all(after[what] - before[what] <= limits[what] for what in before)
    print(f"{'ok' if held else 'FAIL'} {name}")
    print(f"  verdicts {'/'.join(sorted(verdicts))}; after {early}: {before}; after {late}: {after}; may grow by {limits}")


def main():
    watch("200_cells_in_one_machine", "tests/system/quick.yaml", 20, 200, CELL_LIMIT_KIB)
    watch("machines_made_anew", "tests/system/quick-fail.yaml", 2, 7, BOOT_LIMIT_KIB, at_boot=True)
    return 0


sys.exit(main())
