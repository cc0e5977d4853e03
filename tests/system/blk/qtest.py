# SPDX-License-Identifier: GPL-2.0-only
"""A virtio-mmio block driver that speaks the qtest protocol: to virtio-qtest (our device) or to QEMU (its own), so that one
script can be run on either. Nothing here knows which one it talks to, except how they are started."""
import os
import struct
import subprocess
import time

BASE = 0xFEB02E00
RAM = 64 << 20
R, W, INDIRECT = 0, 2, 4
IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES = 0, 1, 4, 8, 11, 13
OK, IOERR, UNSUPP = 0, 1, 2
HOLE = 0x50000000  # in no RAM
HEADER, DATA, STATUS, TABLE = 0x100000, 0x200000, 0x110000, 0x120000
RINGS, STRIDE, AVAIL, USED = 0x10000, 0x10000, 0x4000, 0x8000
NEEDS_RESET = 0x40

MAGIC, VERSION, DEVICE_ID, VENDOR = 0x00, 0x04, 0x08, 0x0C
DEVICE_FEATURES, DEVICE_FEATURES_SEL, DRIVER_FEATURES, DRIVER_FEATURES_SEL = 0x10, 0x14, 0x20, 0x24
QUEUE_SEL, QUEUE_MAX, QUEUE_SIZE, QUEUE_READY, QUEUE_NOTIFY = 0x30, 0x34, 0x38, 0x44, 0x50
INTERRUPT_STATUS, INTERRUPT_ACK, DEVICE_STATUS = 0x60, 0x64, 0x70
QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE, QUEUE_RESET, GENERATION, CONFIG = 0x80, 0x90, 0xA0, 0xC0, 0xFC, 0x100
F_RO, F_FLUSH, F_WCE, F_MQ, F_DISCARD, F_WRITE_ZEROES = 5, 9, 11, 12, 13, 14
F_INDIRECT, F_EVENT_IDX, F_VERSION_1, F_RING_RESET = 28, 29, 32, 40


def ours(program, image, *options):
    return [program, "--disk", image, *options]


def qemu(bios, image, *options):
    drive = "if=none,id=d0,format=raw,file.locking=off,discard=unmap,file=" + image
    if "--read-only" in options:
        drive += ",readonly=on"
    return ["qemu-system-x86_64", "-accel", "tcg", "-bios", bios, "-qtest", "stdio", "-qtest-log", "/dev/null", "-display", "none",
            "-nodefaults", "-M", "microvm", "-global", "virtio-mmio.force-legacy=false", "-m", "64", "-drive", drive,
            "-device", "virtio-blk-device,drive=d0"]


def make_bios(path):
    """64 KiB of HLT, with cli; hlt; jmp at the reset vector."""
    rom = bytearray(b"\xf4" * 65536)
    rom[0xFFF0:0xFFF4] = b"\xfa\xf4\xeb\xfd"
    with open(path, "wb") as f:
        f.write(rom)


def header(kind, sector):
    return struct.pack("<IIQ", kind & 0xFFFFFFFF, 0, sector)


class Device:
    def __init__(self, argv, patience=0.0):
        """patience: seconds to wait for an answer that may not come (a device with threads)."""
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.patience = patience

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(0.05 if self.patience else 5)
        except subprocess.TimeoutExpired:  # QEMU does not end with its stdin
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def value(self, text):
        return int(self.command(text).split()[1], 16)

    def reg(self, offset, width="l"):
        return self.value(f"read{width} {BASE + offset:#x}")

    def set_reg(self, offset, value, width="l"):
        self.command(f"write{width} {BASE + offset:#x} {value:#x}")

    def load(self, addr, size):
        return bytes.fromhex(self.command(f"read {addr:#x} {size:#x}").split()[1][2:])

    def store(self, addr, data):
        if data:
            self.command(f"write {addr:#x} {len(data):#x} 0x{data.hex()}")

    # Bringing the device up.

    def offered(self):
        words = []
        for word in (0, 1):
            self.set_reg(DEVICE_FEATURES_SEL, word)
            words.append(self.reg(DEVICE_FEATURES))
        return words[0] | words[1] << 32

    def negotiate(self, features):
        """Reset and offer @features back; True if FEATURES_OK stays set."""
        for status in (0, 1, 3):
            self.set_reg(DEVICE_STATUS, status)
        for word in (0, 1):
            self.set_reg(DRIVER_FEATURES_SEL, word)
            self.set_reg(DRIVER_FEATURES, features >> 32 * word & 0xFFFFFFFF)
        self.set_reg(DEVICE_STATUS, 11)
        return bool(self.reg(DEVICE_STATUS) & 8)

    def setup_queue(self, q=0, size=128):
        self.size = size
        base = RINGS + q * STRIDE
        self.command(f"memset {base:#x} {STRIDE:#x} 0")
        self.set_reg(QUEUE_SEL, q)
        self.set_reg(QUEUE_SIZE, size)
        for register, address in ((QUEUE_DESC, base), (QUEUE_DRIVER, base + AVAIL), (QUEUE_DEVICE, base + USED)):
            self.set_reg(register, address)
            self.set_reg(register + 4, 0)
        self.set_reg(QUEUE_READY, 1)
        self.next_desc = self.avail = self.used = 0

    def start(self, without=(F_EVENT_IDX,), size=128):
        features = self.offered()
        for bit in without:
            features &= ~(1 << bit)
        assert self.negotiate(features), "FEATURES_OK refused"
        self.setup_queue(0, size)
        self.set_reg(DEVICE_STATUS, 15)

    # Requests on queue 0.

    def desc(self, index, addr, length, flags, following=0):
        self.store(RINGS + 16 * index, struct.pack("<QIHH", addr & (1 << 64) - 1, length, flags, following))

    def offer(self, head):
        self.store(RINGS + AVAIL + 4 + 2 * (self.avail % self.size), struct.pack("<H", head))
        self.avail += 1
        self.store(RINGS + AVAIL + 2, struct.pack("<H", self.avail & 0xFFFF))

    def post(self, pieces):
        """Put a chain of (address, length, flags) on the ring; returns its head."""
        head = self.next_desc
        for i, (addr, length, flags) in enumerate(pieces):
            last = i + 1 == len(pieces)
            at = self.next_desc % self.size
            self.next_desc += 1
            self.desc(at, addr, length, flags | (0 if last else 1), 0 if last else (at + 1) % self.size)
        self.offer(head % self.size)
        return head % self.size

    def kick(self, q=0):
        self.set_reg(QUEUE_NOTIFY, q)

    def used_idx(self):
        return struct.unpack("<H", self.load(RINGS + USED + 2, 2))[0]

    def answers(self, count=1):
        """Used entries that have come, waiting for @count of them as long as patience says."""
        end = time.monotonic() + self.patience
        while (self.used_idx() - self.used) & 0xFFFF < count and time.monotonic() < end:
            if self.reg(DEVICE_STATUS) & NEEDS_RESET:
                break
        found = []
        while self.used != self.used_idx():
            entry = self.load(RINGS + USED + 4 + 8 * (self.used % self.size), 8)
            found.append(struct.unpack("<II", entry))
            self.used = (self.used + 1) & 0xFFFF
        return found

    def run(self, pieces, status=STATUS):
        """One chain: {"status", "len"} if it was answered, else {"dropped"} or {"broken"}."""
        self.store(status, b"\xee")
        self.post(pieces)
        self.kick()
        found = self.answers()
        if found:
            return {"status": self.load(status, 1)[0], "len": found[0][1]}
        return {"broken": True} if self.reg(DEVICE_STATUS) & NEEDS_RESET else {"dropped": True}

    def request(self, kind, sector, pieces):
        """A chain that is a header, @pieces, and a status byte."""
        self.store(HEADER, header(kind, sector))
        return self.run([(HEADER, 16, R), *pieces, (STATUS, 1, W)])


def find_build():
    return os.environ.get("KTSTR_BUILD", "build")
