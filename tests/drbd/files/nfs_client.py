#!/usr/bin/python3
"""Appends numbered lines to a file over NFS, through whatever happens to the server, with a client in user space (libnfs).

  nfs_client.py write SERVER PATH   one line after another; prints the number of each that the server has confirmed to be on its disk
  nfs_client.py read SERVER PATH    prints the file

`write` ends with its parent or after half an hour. What talks to the server is a child: a call that hangs is ended with it and
tried again, with the same line at the same place, so a line that was written twice is there once.
"""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import time

LINE = 64
PATIENCE = 8
LONGEST = 1800
PR_SET_PDEATHSIG = 1


def line(number):
    """Its content tells its number, so that a line in the wrong place is noticed."""
    return f"{number:08d} ".ljust(LINE - 1, "abcdefgh"[number % 8]).encode() + b"\n"


class File:
    """An open file; every call is ended with the process when it takes too long."""

    def __init__(self, server, path, create):
        self.nfs = ctypes.CDLL("libnfs.so.13")
        for name in ("nfs_init_context", "nfs_get_error"):
            getattr(self.nfs, name).restype = ctypes.c_void_p
        signal.alarm(PATIENCE)
        self.context = ctypes.c_void_p(self.nfs.nfs_init_context())
        self.nfs.nfs_set_version(self.context, 4)
        directory, _, name = path.rpartition("/")
        self.check(self.nfs.nfs_mount(self.context, server.encode(), directory.encode()), "mount")
        self.handle = ctypes.c_void_p()
        # libnfs cannot open a file with O_CREAT that is there.
        result = self.open(name, os.O_RDWR)
        if result == -errno.ENOENT and create:
            result = self.open(name, os.O_RDWR | os.O_CREAT)
        self.check(result, "open")

    def open(self, name, flags):
        return self.nfs.nfs_open2(self.context, f"/{name}".encode(), flags, 0o644, ctypes.byref(self.handle))

    def check(self, result, what):
        if result < 0:
            said = ctypes.cast(self.nfs.nfs_get_error(self.context), ctypes.c_char_p).value
            raise OSError(f"{what}: {result} {said}")
        return result

    def write(self, offset, data):
        signal.alarm(PATIENCE)
        count = self.nfs.nfs_pwrite(self.context, self.handle, ctypes.c_uint64(offset), ctypes.c_uint64(len(data)), data)
        if self.check(count, "write") != len(data):
            raise OSError("short write")
        self.check(self.nfs.nfs_fsync(self.context, self.handle), "fsync")

    def read(self, offset, count):
        signal.alarm(PATIENCE)
        data = ctypes.create_string_buffer(count)
        count = self.nfs.nfs_pread(self.context, self.handle, ctypes.c_uint64(offset), ctypes.c_uint64(count), data)
        return data.raw[:self.check(count, "read")]


def child(server, path, number):
    """Writes from that line on until something goes wrong."""
    try:
        file = File(server, path, create=True)
        while True:
            file.write(number * LINE, line(number))
            print(number, flush=True)
            number += 1
            time.sleep(0.1)
    except OSError as error:
        sys.exit(str(error))


def write(server, path):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    end = time.monotonic() + LONGEST
    number, complaint = 0, ""
    while time.monotonic() < end:
        arguments = [sys.executable, __file__, "child", server, path, str(number)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              preexec_fn=die_with_parent) as process:
            for said in process.stdout:
                number = int(said) + 1
                print(said, end="", flush=True)
            before, complaint = complaint, process.stderr.read()
        if complaint != before:
            print(f"line {number}: {complaint.strip() or 'no answer in time'}", file=sys.stderr)
        time.sleep(0.5)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def read(server, path):
    file = File(server, path, create=False)
    offset = 0
    while data := file.read(offset, 1 << 16):
        sys.stdout.buffer.write(data)
        offset += len(data)


def main():
    verb, server, path, *more = sys.argv[1:]
    if verb == "child":
        child(server, path, int(more[0]))
    else:
        {"write": write, "read": read}[verb](server, path)


main()
