#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: differential.py VIRTIO_QTEST CONFORMANCE_MD [--table]: ask QEMU's virtio-blk the questions of cases.py, over the same
protocol. Where it answers otherwise than ours, docs/conformance.md must have a row that says why; a row without a disagreement is
out of date. Exit 77 without QEMU. --table prints the rows instead."""
import concurrent.futures
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import cases
from conformance import make_image, run_case
from qtest import *


def ask_qemu(bios, directory, c):
    image = os.path.join(directory, c["name"] + ".img")
    make_image(image)
    d = Device(qemu(bios, image, *c["options"]), patience=0.3)
    try:
        if not c["raw"]:
            d.start()
        return c["run"](d)
    except (IndexError, BrokenPipeError, ValueError, AssertionError) as e:
        return {"died": type(e).__name__}
    finally:
        d.close()
        os.unlink(image)


def listed(path):
    """Names in the first column of the table of disagreements."""
    with open(path) as f:
        text = f.read()
    section = text.split("### Where QEMU", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `qtest:(\w+)`", section, re.M))


def words(seen):
    return ", ".join(f"{k} {v}" for k, v in seen.items())


def main():
    program, conformance = sys.argv[1:3]
    if not shutil.which("qemu-system-x86_64"):
        print("qemu-system-x86_64 is not installed")
        return 77
    disagreements = {}
    with tempfile.TemporaryDirectory() as directory:
        bios = os.path.join(directory, "hlt.bin")
        make_bios(bios)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda c: ask_qemu(bios, directory, c), cases.CASES))
        for c, theirs in zip(cases.CASES, answers):
            mine = run_case(program, os.path.join(directory, "disk.img"), c)
            if mine != theirs:
                disagreements[c["name"]] = (c["clause"], mine, theirs)
    if "--table" in sys.argv:
        for name, (clause, mine, theirs) in disagreements.items():
            print(f"| `qtest:{name}` | {clause} | {words(mine)} | {words(theirs)} | |")
        return 0
    known = listed(conformance)
    for name in sorted(known | set(disagreements)):
        if name not in known:
            print(f"FAIL {name}: QEMU answers otherwise and no row says why: {disagreements[name]}")
        elif name not in disagreements:
            print(f"FAIL {name}: listed as a disagreement, and QEMU agrees")
        else:
            print(f"ok {name}: disagreement as listed")
    print(f"{len(cases.CASES)} questions, {len(disagreements)} disagreements")
    return 0 if known == set(disagreements) else 1


if __name__ == "__main__":
    sys.exit(main())
