#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A vCPU thread that dies is trouble of ours, not the scheduler's: the verdict is INFRA, the exit status 3.

The thread is lost by the machine's own kick signal, sent to it alone (tgkill), once the guest's console has said something.
"""
import ctypes
import os
import pathlib
import signal
import subprocess
import sys

KICK = signal.SIGRTMIN + 1


def vcpu_thread(pid):
    """The thread id of vCPU 0 of that process."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "vcpu-0":
            return int(task.name)
    return None


def main():
    words = [os.environ["KTSTR"], "run", "nice_pair", "--no-store", "-v"]
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tid = None
    for line in run.stderr:
        if line.startswith("["):
            tid = vcpu_thread(run.pid)
            break
    if tid is None:
        print("FAIL the_guest_spoke: no console line with a vCPU thread behind it")
        return 1
    ctypes.CDLL(None).syscall(234, run.pid, tid, KICK)  # tgkill
    out, err = run.communicate(timeout=100)
    ok = "INFRA" in out and run.returncode == 3
    print("ok a_lost_vcpu_is_infra_and_exit_3" if ok else f"FAIL a_lost_vcpu_is_infra_and_exit_3: exit {run.returncode}: {out[-800:]} {err[-300:]}")
    return 0 if ok else 1


sys.exit(main())
