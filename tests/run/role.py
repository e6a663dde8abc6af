"""A role as core speaks to it: `courantd --role NAME` with its channel on file descriptor 3."""
import array
import fcntl
import os
import pathlib
import re
import socket
import struct
import subprocess

from courant import TREE, program

HEAD = struct.Struct("=IHHI")           # length, type, file descriptors, id
NULL = 0xffffffff


def values(enum_name):
    """The names of an enum of that header, with the first one's value given there."""
    text = (pathlib.Path(TREE) / "core/ipc/msg.h").read_text()
    enum = re.sub(r"/\*.*?\*/", "", re.search(rf"enum {enum_name} \{{(.*?)\}};", text, re.S)[1], flags=re.S)
    first = re.search(r"= (\d+)", enum)
    return {name: n for n, name in enumerate(re.findall(r"([A-Z]\w+)", enum), int(first[1]) if first else 0)}


def fields(struct_name):
    """The members of a struct that is sent, from its list in the same header: [(type, name)]."""
    text = (pathlib.Path(TREE) / "core/ipc/msg.h").read_text()
    text = re.search(rf"#define {struct_name.upper()}_FIELDS\(F, s\)(.*?)WIRE_STRUCT", text, re.S)[1]
    return re.findall(r"F\(s, (\w+), (\w+)\)", re.sub(r"/\*.*?\*/", "", text, flags=re.S))


def put(struct_name, values):
    out = b""
    for kind, name in fields(struct_name):
        value = values.get(name)
        if kind in ("U32", "U64", "I64"):
            out += struct.pack({"U32": "=I", "U64": "=Q", "I64": "=q"}[kind], value or 0)
        elif value is None:
            out += struct.pack("=I", NULL)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += struct.pack("=I", len(value)) + value + b"\0"
    return out


def get(struct_name, data):
    out, at = {}, 0
    for kind, name in fields(struct_name):
        if kind in ("U32", "U64", "I64"):
            form = {"U32": "=I", "U64": "=Q", "I64": "=q"}[kind]
            out[name] = struct.unpack_from(form, data, at)[0]
            at += struct.calcsize(form)
            continue
        length = struct.unpack_from("=I", data, at)[0]
        at += 4
        out[name] = None if length == NULL else data[at:at + length].decode()
        at += 0 if length == NULL else length + 1
    assert at == len(data)
    return out


def sealed(data):
    """A memory file that nobody changes any more."""
    fd = os.memfd_create("body", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, 1033, 0xf)           # F_ADD_SEALS: seal, shrink, grow, write
    return fd


class Role:
    """With its log in .log(); leaving the context stops it, and checks that nothing was denied to it."""

    def __init__(self, name):
        self.types = {name.removeprefix("MSG_"): n for name, n in values("msg_type").items()}
        self.sock, other = socket.socketpair()
        self.errors = os.memfd_create("log")
        self.process = subprocess.Popen(
            [program("courantd"), "--role", name], stderr=self.errors, close_fds=False,
            preexec_fn=lambda: os.set_inheritable(os.dup2(other.fileno(), 3), True))
        other.close()
        self.ids = 0

    def __enter__(self):
        return self

    def __exit__(self, *failed):
        if self.process.poll() is None:
            self.send("STOP")
        code = self.process.wait(20)
        self.sock.close()
        if failed[0] is None:
            assert code == 0, (code, self.log())
            assert "denied:" not in self.log(), self.log()

    def log(self):
        return os.pread(self.errors, 1 << 20, 0).decode()

    def send(self, kind, data=b"", fd=None):
        self.ids += 1
        frame = HEAD.pack(len(data), self.types[kind], int(fd is not None), self.ids) + data
        more = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.sock.sendmsg([frame], more)
        return self.ids

    def exactly(self, n):
        data = b""
        while len(data) < n:
            got = self.sock.recv(n - len(data))
            assert got, ("the role is gone", self.log())
            data += got
        return data

    def receive(self, kind, seconds=30):
        self.sock.settimeout(seconds)
        length, number, _, nth = HEAD.unpack(self.exactly(HEAD.size))
        assert (number, nth) == (self.types[kind], self.ids)
        return self.exactly(length)

    def ask(self, kind, answer, data=b"", fd=None, seconds=30):
        self.send(kind, data, fd)
        return self.receive(answer, seconds)
