# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad disks, sudden death and the clock of a QEMU: the side of the test."""

import ctypes
import errno
import mmap
import os
import subprocess
import time
from pathlib import Path

CALLS = ['pread', 'pwrite', 'fdatasync', 'ftruncate']
WRITES = CALLS[1:]
BEFORE, MIDDLE, AFTER = range(3)
NS = 1000000000


class Control(ctypes.Structure):
    """shim.c explains it."""

    _fields_ = [('failing', ctypes.c_uint32), ('error', ctypes.c_int32),
                ('passes', ctypes.c_int32), ('half', ctypes.c_uint32),
                ('slow', ctypes.c_uint32), ('delay', ctypes.c_uint32),
                ('death', ctypes.c_int32), ('moment', ctypes.c_uint32),
                ('ahead', ctypes.c_int64), ('standstill', ctypes.c_int64),
                ('count', ctypes.c_uint64 * len(CALLS)),
                ('bytes', ctypes.c_uint64 * len(CALLS))]


def build(directory):
    """Compile the shim; returns its path."""
    shim = Path(directory) / 'shim.so'
    subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o',
                    shim, Path(__file__).with_name('shim.c'), '-ldl'],
                   check=True)
    return shim


class Shim:
    """What the QEMUs of one test have in common: a disk and a clock."""

    def __init__(self, library, control, target):
        """@control: path of a new file; @target: beginning of paths."""
        Path(control).write_bytes(bytes(ctypes.sizeof(Control)))
        with open(control, 'r+b') as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.control = Control.from_buffer(self.map)
        self.env = {**os.environ, 'LD_PRELOAD': str(library),
                    'SHIM_CONTROL': str(control),
                    'SHIM_TARGET': os.path.realpath(target)}

    def fail(self, calls, error=errno.EIO, passes=0, half=False):
        """@calls: names of calls that fail from now on"""
        self.control.error, self.control.passes = error, passes
        self.control.half = half
        self.control.failing = mask(calls)

    def repair(self):
        self.control.failing = 0

    def slow(self, calls, seconds):
        self.control.delay = int(seconds * 1000000)
        self.control.slow = mask(calls)

    def die(self, number, moment=BEFORE):
        """In the @number-th call that writes from now on; 0: not at all"""
        self.control.moment, self.control.death = moment, number

    def skip(self, seconds):
        """Put the clock forward."""
        self.control.ahead += int(seconds * NS)

    def freeze(self):
        self.control.standstill = time.monotonic_ns() + self.control.ahead

    def thaw(self):
        self.control.ahead = self.control.standstill - time.monotonic_ns()
        self.control.standstill = 0

    def counts(self):
        """(number, bytes) of each call until now"""
        return {call: (self.control.count[i], self.control.bytes[i])
                for i, call in enumerate(CALLS)}


def mask(calls):
    return sum(1 << CALLS.index(call) for call in calls)
