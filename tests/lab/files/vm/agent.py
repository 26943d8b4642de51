#!/usr/bin/python3
"""Runs commands in a virtual machine of the lab for the machine that the lab runs on.

One TCP connection is one request: a line of JSON, then `input` bytes. Kinds of request:
  {"argv": [...], "seconds": S, "input": N}  run a command; after S seconds it and its children are killed
  {"write": PATH, "mode": M, "input": N}     replace a file, with parents
  {"follow": [...]}                          run a command, its output is the answer as it comes
  {"observe": [VIRTUAL_IP]}                  what the audit wants to know
The answer to all but "follow" is a line of JSON, then the bytes of standard output and standard error.
"""

import json
import os
import signal
import socketserver
import subprocess
import tempfile
import time

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}
OUTPUT_CAP = 1 << 20


def kill(child):
    """The command's whole process group."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def run(request, data):
    """Output goes to files: a daemon that the command leaves behind would keep a pipe open for ever."""
    with tempfile.TemporaryFile(dir="/run") as given, tempfile.TemporaryFile(dir="/run") as out, \
            tempfile.TemporaryFile(dir="/run") as err:
        given.write(data)
        given.seek(0)
        began = time.monotonic()
        answer = {"error": None, "status": None}
        try:
            child = subprocess.Popen(request["argv"], stdin=given, stdout=out, stderr=err, env=ENVIRONMENT, cwd="/",
                                     start_new_session=True)
        except OSError as error:
            return {"error": str(error)}, b"", b""
        try:
            status = child.wait(request["seconds"])
            answer["status"] = status if status >= 0 else None
        except subprocess.TimeoutExpired:
            kill(child)
            answer["error"] = f"not finished after {request['seconds']:.1f} s, killed"
        answer["elapsed"] = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        return answer, out.read(OUTPUT_CAP), err.read(OUTPUT_CAP)


def write(request, data):
    path = request["write"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = path + ".lab"
    with open(temporary, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), request["mode"])
    os.rename(temporary, path)
    return {"error": None}, b"", b""


def read(path):
    """Content of a file of /proc; empty when its process is gone."""
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def observe(address):
    """Mounts of DRBD devices, database servers, the virtual IP."""
    mounts = [line.split()[1] for line in read("/proc/self/mounts").splitlines() if line.startswith("/dev/drbd")]
    servers = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if read(f"/proc/{pid}/comm").strip() == "kwbase":
            words = read(f"/proc/{pid}/cmdline").strip("\0").split("\0")
            if len(words) > 1 and words[1].startswith("start"):
                parent = read(f"/proc/{pid}/stat").rpartition(")")[2].split()[1:2]
                servers.append([int(pid), int(parent[0]) if parent else 0, " ".join(words)])
    pids = {pid for pid, _, _ in servers}
    # A child of a server is about to become another program.
    servers = [[pid, line] for pid, parent, line in servers if parent not in pids]
    leaf, has_address = "", False
    for line in map(str.strip, read("/proc/net/fib_trie").splitlines()):
        if line.startswith("|-- "):
            leaf = line[4:]
        elif leaf == address and line.startswith("/32 host LOCAL"):
            has_address = True
    return {"error": None, "mounted_at": mounts, "servers": servers, "has_virtual_ip": has_address}, b"", b""


class Handler(socketserver.StreamRequestHandler):
    """One request."""

    def handle(self):
        self.connection.settimeout(60)
        line = self.rfile.readline(1 << 20)
        if not line:
            return
        request = json.loads(line)
        if "follow" in request:
            self.follow(request["follow"])
            return
        data = self.rfile.read(request.get("input", 0))
        try:
            if "write" in request:
                answer, out, err = write(request, data)
            elif "observe" in request:
                answer, out, err = observe(request["observe"])
            else:
                answer, out, err = run(request, data)
        except OSError as error:
            answer, out, err = {"error": str(error)}, b"", b""
        answer.update(stdout=len(out), stderr=len(err))
        self.wfile.write(json.dumps(answer).encode() + b"\n" + out + err)

    def follow(self, argv):
        """Until the command ends or nobody listens any more."""
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.connection.fileno(), env=ENVIRONMENT,
                                 start_new_session=True)
        try:
            self.connection.settimeout(None)
            self.connection.recv(1)
        finally:
            kill(child)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each request."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


Server(("0.0.0.0", 7700), Handler).serve_forever()
