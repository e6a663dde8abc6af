"""Questions to a running daemon over one connection to its admin socket."""
import json
import os
import socket
import struct

import role


class Asker:
    def __init__(self, d):
        self.types = {name.removeprefix("MSG_"): n for name, n in role.values("msg_type").items()}
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(d.state / "admin.sock"))

    def ask(self, command, arg):
        """(status, text)"""
        data = b"".join(struct.pack("=I", len(s)) + s + b"\0" for s in (command.encode(), json.dumps(arg).encode()))
        self.sock.sendall(role.HEAD.pack(len(data), self.types["ASK"], 0, 1) + data)
        head, fds, _, _ = socket.recv_fds(self.sock, role.HEAD.size, 1)
        while len(head) < role.HEAD.size:
            head += self.sock.recv(role.HEAD.size - len(head))
        length = role.HEAD.unpack(head)[0]
        body = b""
        while len(body) < length:
            more, others, _, _ = socket.recv_fds(self.sock, length - len(body), 1)
            assert more, "the daemon closed"
            body, fds = body + more, fds + others
        status, size = struct.unpack_from("=II", body)
        if size == role.NULL:
            text = os.pread(fds[0], os.fstat(fds[0]).st_size, 0)
            os.close(fds[0])
        else:
            text = body[8:8 + size]
        return status, text.decode()

    def json(self, command, arg):
        status, text = self.ask(command, arg)
        assert status == 0, (command, arg, text)
        return json.loads(text)
