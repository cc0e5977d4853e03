# SPDX-License-Identifier: GPL-2.0-only
"""What a driver can see of a block device, one case for each rule: a function that drives a device and returns what it saw, and what
it must have seen. conformance.py holds our device to the expectations; differential.py asks QEMU's the same questions."""
import struct

from qtest import *

CASES = []
SECTORS = 2048


def case(clause, expected, options=(), raw=False):
    """Register the function below as a case. @raw: the device is not brought up first."""
    def register(function):
        CASES.append({"name": function.__name__, "clause": clause, "expected": expected, "options": options, "raw": raw,
                      "run": function})
        return function
    return register


def done(length, status=OK):
    return {"status": status, "len": length}


def segments(*rows):
    return b"".join(struct.pack("<QII", *row) for row in rows)


# 4.2.2: registers.

@case("4.2.2", {"magic": 0x74726976, "version": 2, "id": 2}, raw=True)
def identity(d):
    return {"magic": d.reg(MAGIC), "version": d.reg(VERSION), "id": d.reg(DEVICE_ID)}


@case("4.2.2.1", {"2": 0, "max": 0}, raw=True)
def feature_words_beyond_the_second_are_zero(d):
    seen = {}
    for name, sel in (("2", 2), ("max", 0xFFFFFFFF)):
        d.set_reg(DEVICE_FEATURES_SEL, sel)
        seen[name] = d.reg(DEVICE_FEATURES)
    return seen


@case("2.2.1", {"unoffered": False, "legacy": False, "all": True}, raw=True)
def features_ok_is_refused_for_what_was_not_offered(d):
    offered = d.offered()
    unoffered = offered | 1 << 7
    return {"unoffered": d.negotiate(unoffered), "legacy": d.negotiate(offered & ~(1 << F_VERSION_1)), "all": d.negotiate(offered)}


@case("2.1.2", {"cleared": 3, "bits": 0, "zero": 0}, raw=True)
def the_driver_sets_status_bits_and_only_zero_clears_them(d):
    for status in (0, 1, 3, 1):
        d.set_reg(DEVICE_STATUS, status)
    cleared = d.reg(DEVICE_STATUS)
    d.set_reg(DEVICE_STATUS, 3 | NEEDS_RESET | 0x30)
    bits = d.reg(DEVICE_STATUS) & (NEEDS_RESET | 0x30)
    d.set_reg(DEVICE_STATUS, 0)
    return {"cleared": cleared, "bits": bits, "zero": d.reg(DEVICE_STATUS)}


@case("4.2.2.2", {"max": 0, "ready": 0}, raw=True)
def a_queue_that_is_not_there_has_size_zero(d):
    d.negotiate(d.offered())
    d.set_reg(QUEUE_SEL, 500)
    d.set_reg(QUEUE_SIZE, 8)
    d.set_reg(QUEUE_READY, 1)
    return {"max": d.reg(QUEUE_MAX), "ready": d.reg(QUEUE_READY)}


@case("2.7, 4.2.2.2", {"size 0": 0, "size 3": 0, "too large": 0, "misaligned desc": 0, "misaligned driver": 0,
                       "misaligned device": 0, "outside RAM": 0, "good": 1}, raw=True)
def a_queue_that_cannot_be_does_not_become_ready(d):
    bad = {"size 0": (0, 0x10000, 0x14000, 0x18000), "size 3": (3, 0x10000, 0x14000, 0x18000),
           "too large": (4096, 0x10000, 0x24000, 0x38000), "misaligned desc": (8, 0x10008, 0x14000, 0x18000),
           "misaligned driver": (8, 0x10000, 0x14001, 0x18000), "misaligned device": (8, 0x10000, 0x14000, 0x18002),
           "outside RAM": (8, HOLE, 0x14000, 0x18000), "good": (8, 0x10000, 0x14000, 0x18000)}
    seen = {}
    for name, (size, desc, driver, device) in bad.items():
        d.negotiate(d.offered())
        d.set_reg(QUEUE_SEL, 0)
        d.set_reg(QUEUE_SIZE, size)
        for register, address in ((QUEUE_DESC, desc), (QUEUE_DRIVER, driver), (QUEUE_DEVICE, device)):
            d.set_reg(register, address)
            d.set_reg(register + 4, 0)
        d.set_reg(QUEUE_READY, 1)
        seen[name] = d.reg(QUEUE_READY)
    return seen


@case("4.2.2.2", done(513))
def queue_registers_are_locked_while_the_queue_is_ready(d):
    d.set_reg(QUEUE_SIZE, 4)
    d.set_reg(QUEUE_DESC, HOLE)
    d.set_reg(QUEUE_DEVICE, HOLE)
    return d.request(IN, 0, [(DATA, 512, W)])


@case("4.2.2.2", {"byte": 0, "word": 0, "quad": 0, "after byte write": 0}, raw=True)
def control_registers_are_32_bits_wide(d):
    d.set_reg(DEVICE_STATUS, 0)
    d.set_reg(DEVICE_STATUS, 1, "b")
    return {"byte": d.reg(MAGIC, "b"), "word": d.reg(MAGIC, "w"), "quad": d.reg(MAGIC, "q"), "after byte write": d.reg(DEVICE_STATUS)}


@case("4.2.2.2", {"bytes": True, "words": True, "tail": 0})
def configuration_is_read_at_any_width(d):
    whole = b"".join(struct.pack("<I", d.reg(CONFIG + i)) for i in range(0, 60, 4))
    return {"bytes": bytes(d.reg(CONFIG + i, "b") for i in range(60)) == whole,
            "words": b"".join(struct.pack("<H", d.reg(CONFIG + i, "w")) for i in range(0, 60, 2)) == whole,
            "tail": d.reg(CONFIG + 0x60)}


@case("5.2.4", {"capacity": SECTORS, "blk_size": 512, "seg_max": True, "discard": True, "write_zeroes": True})
def the_configuration_describes_the_disk(d):
    capacity = d.reg(CONFIG) | d.reg(CONFIG + 4) << 32
    return {"capacity": capacity, "blk_size": d.reg(CONFIG + 20), "seg_max": d.reg(CONFIG + 12) > 0,
            "discard": d.reg(CONFIG + 36) > 0 and d.reg(CONFIG + 40) > 0,
            "write_zeroes": d.reg(CONFIG + 48) > 0 and d.reg(CONFIG + 52) > 0}


@case("5.2.5.2", {"before": 1, "after": 0, "capacity": SECTORS, "generation": True})
def writeback_is_the_only_field_a_driver_changes(d):
    generation, before = d.reg(GENERATION), d.reg(CONFIG + 32, "b")
    d.set_reg(CONFIG, 7)
    d.set_reg(CONFIG + 32, 0, "b")
    return {"before": before, "after": d.reg(CONFIG + 32, "b"), "capacity": d.reg(CONFIG),
            "generation": d.reg(GENERATION) != generation}


@case("4.2.2", {"length": 0xFFFFFFFFFFFFFFFF}, raw=True)
def there_is_no_shared_memory(d):
    d.set_reg(0xAC, 0)
    return {"length": d.reg(0xB0) | d.reg(0xB4) << 32}


@case("2.6.1", {"offered": True, "reset": 0, "ready": 0, **done(513)})
def a_queue_can_be_reset_and_used_again(d):
    seen = {"offered": bool(d.offered() >> F_RING_RESET & 1)}
    d.set_reg(QUEUE_SEL, 0)
    d.set_reg(QUEUE_RESET, 1)
    seen["reset"] = d.reg(QUEUE_RESET)
    seen["ready"] = d.reg(QUEUE_READY)
    d.setup_queue()
    seen.update(d.request(IN, 0, [(DATA, 512, W)]))
    return seen


@case("4.2.3.4", {"before": 1, "after": 0})
def an_interrupt_is_acknowledged(d):
    d.request(IN, 0, [(DATA, 512, W)])
    before = d.reg(INTERRUPT_STATUS)
    d.set_reg(INTERRUPT_ACK, 1)
    return {"before": before, "after": d.reg(INTERRUPT_STATUS)}


@case("3.1.1", {"early": 0, "later": 1}, raw=True)
def entries_present_at_driver_ok_are_served(d):
    d.negotiate(d.offered() & ~(1 << F_EVENT_IDX))
    d.setup_queue()
    d.store(HEADER, header(IN, 0))
    d.post([(HEADER, 16, R), (DATA, 512, W), (STATUS, 1, W)])
    d.kick()
    early = len(d.answers())
    d.set_reg(DEVICE_STATUS, 15)
    d.answers(1 - early)
    return {"early": early, "later": d.used_idx()}


# 2.7: the ring.

def broken_ring(clause, **options):
    return case(clause, {"broken": True}, **options)


@broken_ring("2.7.13.3")
def a_head_beyond_the_queue_breaks_it(d):
    d.offer(128)
    d.kick()
    d.answers()
    return {"broken": bool(d.reg(DEVICE_STATUS) & NEEDS_RESET)}


@broken_ring("2.7.5")
def a_next_beyond_the_queue_breaks_it(d):
    d.desc(0, HEADER, 16, 1, 128)
    d.offer(0)
    d.kick()
    d.answers()
    return {"broken": bool(d.reg(DEVICE_STATUS) & NEEDS_RESET)}


@broken_ring("2.7.5.2")
def a_loop_breaks_the_queue(d):
    d.desc(0, HEADER, 16, 1, 1)
    d.desc(1, DATA, 512, 1 | W, 0)
    d.offer(0)
    d.kick()
    d.answers()
    return {"broken": bool(d.reg(DEVICE_STATUS) & NEEDS_RESET)}


@broken_ring("2.7.6.1")
def an_index_ahead_by_more_than_the_size_breaks_the_queue(d):
    d.store(RINGS + AVAIL + 2, struct.pack("<H", 129))
    d.kick()
    d.answers()
    return {"broken": bool(d.reg(DEVICE_STATUS) & NEEDS_RESET)}


def table(d, rows, addr=TABLE):
    """An indirect table of (address, length, flags[, next])."""
    data = b""
    for i, row in enumerate(rows):
        last = i + 1 == len(rows)
        follow = row[3] if len(row) > 3 else (0 if last else i + 1)
        data += struct.pack("<QIHH", row[0], row[1], row[2] | (0 if last and len(row) < 4 else 1), follow)
    d.store(addr, data)
    return len(data)


def three(d):
    d.store(HEADER, header(IN, 3))
    return [(HEADER, 16, R), (DATA, 512, W), (STATUS, 1, W)]


@case("2.7.5.3", done(513))
def an_indirect_table_is_a_chain(d):
    return d.run([(TABLE, table(d, three(d)), INDIRECT)])


@case("2.7.5.3.2", done(513))
def the_write_flag_of_a_reference_means_nothing(d):
    return d.run([(TABLE, table(d, three(d)), INDIRECT | W)])


@case("2.7.5.3.2", done(513))
def a_table_may_end_a_direct_chain(d):
    pieces = three(d)
    return d.run([pieces[0], (TABLE, table(d, pieces[1:]), INDIRECT)])


@case("2.7.5.3", done(513))
def a_table_needs_no_alignment(d):
    return d.run([(TABLE + 5, table(d, three(d), TABLE + 5), INDIRECT)])


@broken_ring("2.7.5.3.1")
def a_table_in_a_table_breaks_the_queue(d):
    size = table(d, three(d))
    return d.run([(TABLE + 0x1000, table(d, [(TABLE, size, INDIRECT)], TABLE + 0x1000), INDIRECT)])


@broken_ring("2.7.5.3.1")
def indirect_with_next_breaks_the_queue(d):
    return d.run([(TABLE, table(d, three(d)), INDIRECT), (STATUS, 1, W)])


@broken_ring("2.7.5.3")
def a_table_of_no_length_breaks_the_queue(d):
    return d.run([(TABLE, 0, INDIRECT)])


@broken_ring("2.7.5.3")
def a_table_of_odd_length_breaks_the_queue(d):
    return d.run([(TABLE, table(d, three(d)) - 8, INDIRECT)])


@broken_ring("2.7.5.3")
def a_table_outside_ram_breaks_the_queue(d):
    return d.run([(HOLE, 48, INDIRECT)])


@case("2.7.7.2", {"sent": 0, "answers": 1})
def no_interrupt_is_honoured(d):
    d.store(RINGS + AVAIL, struct.pack("<H", 1))
    d.store(HEADER, header(IN, 0))
    d.post([(HEADER, 16, R), (DATA, 512, W), (STATUS, 1, W)])
    d.kick()
    return {"answers": len(d.answers()), "sent": d.reg(INTERRUPT_STATUS)}


# 2.7.4, 5.2.6: framing.

@case("2.7.4.1", done(1025))
def a_header_in_pieces(d):
    d.store(HEADER, header(IN, 3))
    return d.run([(HEADER, 1, R), (HEADER + 1, 9, R), (HEADER + 10, 6, R), (DATA, 1024, W), (STATUS, 1, W)])


@case("2.7.4.1", done(1))
def header_and_data_in_one_descriptor(d):
    d.store(HEADER, header(OUT, 3) + b"Z" * 1024)
    return d.run([(HEADER, 1040, R), (STATUS, 1, W)])


@case("2.7.4.1", done(513))
def data_and_status_in_one_descriptor(d):
    d.store(HEADER, header(IN, 3))
    return d.run([(HEADER, 16, R), (STATUS - 512, 513, W)])


@case("2.7.4.1", done(513))
def data_cut_at_odd_bytes(d):
    return d.request(IN, 3, [(DATA, 1, W), (DATA + 1, 300, W), (DATA + 301, 211, W)])


@case("2.7.4.1", done(513))
def empty_descriptors_mean_nothing(d):
    d.store(HEADER, header(IN, 3))
    return d.run([(HEADER, 0, R), (HEADER, 16, R), (DATA, 0, W), (DATA, 512, W), (STATUS, 1, W), (DATA, 0, W)])


@case("5.2.6", done(0, IOERR))
def a_header_of_15_bytes(d):
    return d.run([(HEADER, 15, R), (DATA, 512, W), (STATUS, 1, W)])


@case("5.2.6", done(1, IOERR))
def only_a_status_byte(d):
    return d.run([(STATUS, 1, W)])


@case("5.2.6", {"dropped": True})
def only_a_header(d):
    d.store(HEADER, header(FLUSH, 0))
    return d.run([(HEADER, 16, R)])


@case("5.2.6", {"dropped": True})
def a_readable_status(d):
    d.store(HEADER, header(IN, 0))
    return d.run([(HEADER, 16, R), (DATA, 512, W), (STATUS, 1, R)])


@case("5.2.6", {"dropped": True})
def a_status_outside_ram(d):
    d.store(HEADER, header(IN, 0))
    return d.run([(HEADER, 16, R), (DATA, 512, W), (HOLE, 1, W)])


@case("2.7.4.2", done(0, IOERR))
def readable_after_writable(d):
    return d.request(IN, 0, [(DATA, 512, W), (DATA, 512, R)])


@case("5.2.6", done(0, IOERR))
def data_outside_ram(d):
    return d.request(IN, 0, [(HOLE, 512, W)])


@case("5.2.6", done(0, IOERR))
def data_over_the_end_of_ram(d):
    return d.request(IN, 0, [(RAM - 256, 512, W)])


@case("5.2.6", done(0, IOERR))
def data_wrapping_the_address_space(d):
    return d.request(IN, 0, [((1 << 64) - 256, 512, W)])


@case("5.2.6", done(0, IOERR))
def data_in_the_device_s_own_registers(d):
    return d.request(IN, 0, [(BASE, 512, W)])


# 5.2.6: requests.

@case("5.2.6", done(513))
def a_read(d):
    return d.request(IN, 3, [(DATA, 512, W)])


@case("5.2.6", done(1))
def a_write(d):
    return d.request(OUT, 3, [(DATA, 512, R)])


@case("5.2.6", done(513))
def the_last_sector(d):
    return d.request(IN, SECTORS - 1, [(DATA, 512, W)])


@case("5.2.6.2", done(0, IOERR))
def beyond_the_last_sector(d):
    return d.request(IN, SECTORS, [(DATA, 512, W)])


@case("5.2.6.2", done(0, IOERR))
def across_the_end(d):
    return d.request(IN, SECTORS - 1, [(DATA, 1024, W)])


@case("5.2.6.2", done(0, IOERR))
def sector_2_55_is_not_sector_0(d):
    return d.request(IN, 1 << 55, [(DATA, 512, W)])


@case("5.2.6", done(1, IOERR))
def a_read_of_nothing(d):
    return d.request(IN, 0, [])


@case("5.2.6", done(1))
def a_read_into_an_empty_descriptor(d):
    return d.request(IN, 0, [(DATA, 0, W)])


@case("5.2.6.1", done(0, IOERR))
def a_read_of_511_bytes(d):
    return d.request(IN, 0, [(DATA, 511, W)])


@case("5.2.6", done(0, IOERR))
def a_read_with_readable_data(d):
    return d.request(IN, 0, [(DATA, 512, R), (DATA + 512, 512, W)])


@case("5.2.6", done(0, IOERR))
def a_write_with_writable_data(d):
    return d.request(OUT, 0, [(DATA, 512, R), (DATA + 512, 512, W)])


@case("5.2.6", done(1))
def a_flush(d):
    return d.request(FLUSH, 0, [])


@case("5.2.6", {**done(21), "text": True})
def get_id(d):
    d.store(DATA, b"\xaa" * 20)
    seen = d.request(GET_ID, 0, [(DATA, 20, W)])
    return {**seen, "text": b"\xaa" not in d.load(DATA, 20)}


@case("5.2.6", {**done(20), "rest": b"\xaa".hex() * 12})
def get_id_into_32_bytes(d):
    d.store(DATA, b"\xaa" * 32)
    seen = d.request(GET_ID, 0, [(DATA, 32, W)])
    return {**seen, "rest": d.load(DATA + 20, 12).hex()}


@case("5.2.6", done(0, IOERR))
def get_id_into_19_bytes(d):
    return d.request(GET_ID, 0, [(DATA, 19, W)])


@case("5.2.6.2", done(0, UNSUPP))
def an_unknown_type(d):
    return d.request(0xBEEF, 0, [(DATA, 512, W)])


@case("5.2.6.2", done(0, UNSUPP))
def the_legacy_scsi_type(d):
    return d.request(2, 0, [(DATA, 512, W)])


@case("5.2.6.2", done(1, UNSUPP))
def the_legacy_flush_out_type(d):
    return d.request(5, 0, [])


@case("5.2.6.2", done(0, UNSUPP))
def the_legacy_barrier_bit(d):
    return d.request(0x80000000, 0, [(DATA, 512, W)])


def with_segments(d, kind, *rows, cut=0):
    data = segments(*rows)
    data = data[:len(data) - cut]
    d.store(DATA, data)
    return d.request(kind, 0, [(DATA, len(data), R)] if data else [])


@case("5.2.6", done(1))
def a_discard(d):
    return with_segments(d, DISCARD, (8, 8, 0))


@case("5.2.6", {**done(1), "zeros": True})
def zeroes_read_back(d):
    seen = with_segments(d, WRITE_ZEROES, (8, 8, 0))
    d.request(IN, 8, [(DATA, 4096, W)])
    return {**seen, "zeros": not any(d.load(DATA, 4096))}


@case("5.2.6", done(1))
def two_segments(d):
    return with_segments(d, WRITE_ZEROES, (8, 8, 0), (32, 8, 1))


@case("5.2.6", done(1))
def a_segment_of_no_sectors(d):
    return with_segments(d, WRITE_ZEROES, (8, 0, 0))


@case("5.2.6", done(1, IOERR))
def no_segment(d):
    return with_segments(d, WRITE_ZEROES)


@case("5.2.6.1", done(1, IOERR))
def half_a_segment(d):
    return with_segments(d, WRITE_ZEROES, (8, 8, 0), cut=8)


@case("5.2.6", done(1, IOERR))
def a_segment_that_wraps(d):
    return with_segments(d, WRITE_ZEROES, ((1 << 64) - 1, 2, 0))


@case("5.2.6.2", done(1, UNSUPP))
def an_unknown_flag(d):
    return with_segments(d, WRITE_ZEROES, (8, 8, 2))


@case("5.2.6.2", done(1, UNSUPP))
def a_discard_with_unmap(d):
    return with_segments(d, DISCARD, (8, 8, 1))


@case("5.2.6.2", {"out": done(1, IOERR), "zeroes": done(1, IOERR), "in": done(513), "flush": done(1)}, options=("--read-only",))
def a_read_only_disk(d):
    return {"out": d.request(OUT, 0, [(DATA, 512, R)]), "zeroes": with_segments(d, WRITE_ZEROES, (8, 8, 0)),
            "in": d.request(IN, 0, [(DATA, 512, W)]), "flush": d.request(FLUSH, 0, [])}
