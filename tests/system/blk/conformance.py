#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: conformance.py VIRTIO_QTEST: hold our device, behind the qtest protocol, to every case of cases.py, and to what only it has:
virtual time, faults, counters."""
import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import cases
from qtest import *


def make_image(path):
    with open(path, "wb") as f:
        for sector in range(cases.SECTORS):
            f.write(bytes([(sector * 7 + 1) & 255]) * 512)


def run_case(program, image, c):
    make_image(image)
    d = Device(ours(program, image, *c["options"]))
    try:
        if not c["raw"]:
            d.start()
        return c["run"](d)
    finally:
        d.close()


# What only our device has: (name, options, function that returns None or what is wrong).

def counters(d):
    return json.loads(d.command("counters")[3:])


def post_reads(d, count):
    for i in range(count):
        d.store(HEADER + 32 * i, header(IN, i))
        d.post([(HEADER + 32 * i, 16, R), (DATA, 512, W), (STATUS + i, 1, W)])
    d.kick()


def throttle_is_exact(d):
    d.start()
    post_reads(d, 20)
    assert d.used_idx() == 10, d.used_idx()
    assert counters(d)["currently_throttled"] == 1
    assert d.command("clock_step 9999999") == "OK 9999999"
    assert d.used_idx() == 10
    assert d.command("clock_step 1") == "OK 10000000"
    assert d.used_idx() == 11
    assert d.command("clock_step") == "OK 20000000"
    assert d.used_idx() == 12
    d.command("clock_step 1000000000")
    assert d.used_idx() == 20
    seen = counters(d)
    assert seen["throttled_count"] == 10 and seen["currently_throttled"] == 0, seen
    assert seen["reads_completed"] == 20 and seen["bytes_read"] == 20 * 512, seen


def limits_change_while_a_request_waits(d):
    d.start()
    post_reads(d, 3)
    assert d.used_idx() == 1
    assert d.command("throttle iops=2") == "OK"  # what is owed is earned at the new rate
    d.command("clock_step 499999999")
    assert d.used_idx() == 1
    d.command("clock_step 1")
    assert d.used_idx() == 2
    assert d.command("throttle iops=x").startswith("FAIL ")
    assert d.used_idx() == 2
    assert d.command("throttle none") == "OK"
    assert d.used_idx() == 3


def a_delay_ends_at_its_nanosecond(d):
    d.start()
    post_reads(d, 2)
    assert d.used_idx() == 1
    d.command("clock_step 4999999")
    assert d.used_idx() == 1
    assert d.command("irq") == "OK 1"
    d.command("clock_step 1")
    assert d.used_idx() == 2
    assert d.command("irq") == "OK 2"


def faults_fire_and_are_logged(d):
    d.start()
    post_reads(d, 3)
    assert [d.load(STATUS + i, 1)[0] for i in range(3)] == [OK, IOERR, OK]
    log = json.loads(d.command("faults")[3:])
    assert len(log) == 1 and log[0]["request"] == 2 and log[0]["action"] == "errno", log
    assert counters(d)["io_errors"] == 1


def counters_have_the_names_of_the_contract(d):
    d.start()
    names = ("reads_completed writes_completed flushes_completed bytes_read bytes_written io_errors chains_dropped throttled_count "
             "currently_throttled invalid_avail_idx kicks interrupts_sent interrupts_suppressed").split()
    seen = counters(d)
    missing = [name for name in names if name not in seen]
    assert not missing, missing
    assert set(seen["latency_log2_ns"]) == {"queue", "throttle", "host", "total"}


def the_protocol_answers_as_qemu_does(d):
    for command, answer in (
            ("readl 0x1000", "OK 0x0000000000000000"), ("writel 0x1000 0x12345678", "OK"),
            ("readl 0x1000", "OK 0x0000000012345678"), ("readw 4096", "OK 0x0000000000005678"),
            ("readb 0x1003", "OK 0x0000000000000012"), ("writeq 0x1000 0x1122334455667788", "OK"),
            ("readq 0x1000", "OK 0x1122334455667788"), ("read 0x1000 0x4", "OK 0x88776655"),
            ("write 0x1000 0x4 0x0102", "OK"), ("read 0x1000 4", "OK 0x01020000"),
            ("memset 0x1000 3 0x1ab", "OK"), ("read 0x1000 4", "OK 0xababab00"),
            ("writeb 0x1000 0x1ff", "OK"), ("read 0x1000 2", "OK 0xffab"),
            ("clock_step 100", "OK 100"), ("clock_step", "OK 100"), ("clock_set 50", "OK 100"), ("clock_set 500", "OK 500"),
            ("frobnicate 1 2", "FAIL Unknown command 'frobnicate'"), ("endianness", "OK little"),
            ("irq", "OK 0"), ("readl 0x50000000", "OK 0x0000000000000000"), ("memset 0x1000 0 1", "OK"),
            ("write 0x1000 0 0x", "ERR invalid argument size")):
        seen = d.command(command)
        assert seen == answer, f"{command}: {seen}"


def numbers_are_read_as_qemu_reads_them(d):
    for command, answer in (
            ("writeq 0x1000 -1", "OK"), ("readq 0x1000", "OK 0xffffffffffffffff"), ("writel 010000 020", "OK"),
            ("readb 4096", "OK 0x0000000000000010"), ("write 0x1000 2 0XABCD", "OK"), ("read 0X1000 2", "OK 0xabcd"),
            ("clock_step 7", "OK 7"), ("clock_step -5", "OK 7"), ("clock_step 0x7fffffffffffffff", "OK 9223372036854775807")):
        seen = d.command(command)
        assert seen == answer, f"{command}: {seen}"
    for command in ("readl 0x", "readl 12z", "readl 0x10000000000000000", "writel 0x1000", "readl"):
        seen = d.command(command)
        assert seen.startswith("FAIL"), f"{command}: {seen}"


def queues_have_rings_of_their_own(d):
    assert d.negotiate(d.offered() & ~(1 << F_EVENT_IDX))
    assert d.reg(CONFIG + 34, "w") == 4
    for q in range(4):
        d.setup_queue(q)
    d.set_reg(QUEUE_SEL, 4)
    assert d.reg(QUEUE_MAX) == 0


EXTRAS = [
    (throttle_is_exact, ["--throttle", "iops=100,iops-burst=10"]),
    (limits_change_while_a_request_waits, ["--throttle", "iops=1"]),
    (a_delay_ends_at_its_nanosecond, ["--fault", "op=read,nth=1,action=delay:5ms"]),
    (faults_fire_and_are_logged, ["--fault", "op=read,nth=2,action=errno:EIO"]),
    (counters_have_the_names_of_the_contract, []),
    (the_protocol_answers_as_qemu_does, []),
    (numbers_are_read_as_qemu_reads_them, []),
    (queues_have_rings_of_their_own, ["--queues", "4"]),
]


def run_extra(program, image, function, options):
    make_image(image)
    d = Device(ours(program, image, *options))
    try:
        function(d)
        return None
    except AssertionError as e:
        return e
    finally:
        d.close()


def main():
    program = sys.argv[1]
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        image = os.path.join(directory, "disk.img")
        for c in cases.CASES:
            seen = run_case(program, image, c)
            failed += seen != c["expected"]
            print("ok" if seen == c["expected"] else f"FAIL (saw {seen}, expected {c['expected']})", c["name"], f"({c['clause']})")
        for function, options in EXTRAS:
            wrong = run_extra(program, image, function, options)
            failed += wrong is not None
            print("ok" if wrong is None else f"FAIL ({wrong!r})", function.__name__)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
