"""A mail server that does as it is told: which replies it gives, when it parts, what it offers; it records
each connection's commands and each message that it accepted.

    with Smtpd(login={"papers": "secret"}, tls=certificate(folder)) as server:
        server.say("RCPT", "450 4.7.1 greylisted", to="ada@example.org", times=2)
        server.say("DATA", Reply("354 go on", then="close"))
        ...
        server.messages[0].recipient, server.connections[0].commands
"""
import base64
import contextlib
import dataclasses
import re
import socket
import ssl
import subprocess
import threading
import time

STAGES = ("greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "dot", "QUIT")
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


@dataclasses.dataclass
class Reply:
    """A reply, `delay` s late. text None: no reply at all. then: "close" ends the connection behind it,
    "reset" ends it so that what was sent may be lost, "hang" keeps silent until the client parts."""
    text: str = None
    delay: float = 0
    then: str = "go on"


CLOSE = Reply(then="close")
RESET = Reply(then="reset")
HANG = Reply(then="hang")


@dataclasses.dataclass
class Message:
    sender: str
    recipient: str
    data: bytes             # as it was before dots were stuffed
    connection: int
    when: float


class Connection:
    """What came over one connection. `user`: who logged in; `tls`: the version, or None."""

    def __init__(self, sock, number):
        self.sock, self.number = sock, number
        self.commands, self.messages = [], 0
        self.user = self.tls = None
        self.buffer = b""
        self.open = True
        self.lock = threading.Lock()

    def verbs(self):
        return [c.split(" ")[0].split(":")[0].upper() for c in self.commands]

    def write(self, text):
        with self.lock:
            self.sock.sendall("".join(line + "\r\n" for line in text.split("\n")).encode())

    def read(self, end, most=64 << 20):
        while (at := self.buffer.find(end)) == -1:
            got = self.sock.recv(1 << 16)
            if not got or len(self.buffer) > most:
                raise ConnectionError
            self.buffer += got
        head, self.buffer = self.buffer[:at + len(end)], self.buffer[at + len(end):]
        return head

    def part(self, how="close"):
        self.open = False
        if how == "reset":
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Rule:
    def __init__(self, stage, reply, to, message, times):
        assert stage in STAGES, stage
        self.stage, self.reply, self.to, self.message, self.left = stage, reply, to, message, times

    def fits(self, stage, recipient, nth):
        return stage == self.stage and self.left != 0 and self.to in (None, recipient) and \
            self.message in (None, nth)


class Smtpd:
    """size, utf8: what EHLO offers. login: {user: password or token}, offered by `mechanisms`, after TLS
    alone where there is TLS. tls: a context of ssl.SSLContext; implicit: from the first byte.
    offers_tls: whether STARTTLS is offered. drop_after: parts after so many messages of a connection,
    without a word. strict: refuses a bare CR or LF."""

    def __init__(self, size=None, utf8=True, login=None, mechanisms=("PLAIN", "LOGIN"), tls=None,
                 implicit=False, offers_tls=True, drop_after=None, strict=True, offers=()):
        self.size, self.utf8, self.login, self.mechanisms = size, utf8, login, mechanisms
        self.tls, self.implicit, self.offers_tls = tls, implicit, offers_tls
        self.drop_after, self.strict, self.offers = drop_after, strict, offers
        self.messages, self.connections, self.rules = [], [], []
        self.refused = []               # messages whose dot got no 250
        self.lock = threading.Lock()
        self.recipients = 0             # RCPT commands, in all
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]

    # What a test says and asks

    @property
    def url(self):
        return f"smtp{'s' if self.implicit else ''}://localhost:{self.port}"

    def say(self, stage, reply, to=None, message=None, times=-1):
        """Gives this reply (a text or a Reply) at the stage; to: for this recipient alone, from RCPT on;
        message: at this message, counted from 1 over all connections by MAIL; times: so often."""
        rule = Rule(stage, reply if isinstance(reply, Reply) else Reply(reply), to, message, times)
        with self.lock:
            self.rules.insert(0, rule)
        return self

    def forget(self):
        """Takes back all that was said."""
        with self.lock:
            self.rules.clear()

    def idle_out(self, text="421 4.4.2 idle for too long"):
        """Says 421 on each open connection, and parts."""
        for c in self.connections:
            if c.open:
                with contextlib.suppress(OSError):
                    c.write(text)
                c.part()

    def to(self, recipient):
        """The messages that this recipient got."""
        return [m for m in self.messages if m.recipient == recipient]

    def commands(self):
        """All commands of all connections, in turn."""
        return [c for connection in self.connections for c in connection.commands]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for c in self.connections:
            c.part()

    # The protocol

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                connection = Connection(sock, len(self.connections))
                self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, c):
        with contextlib.suppress(OSError, ConnectionError, ssl.SSLError):
            if self.implicit:
                self.begin_tls(c)
            if self.reply(c, "greeting", "220 mail.test ESMTP"):
                while self.command(c):
                    pass
        c.part()

    def begin_tls(self, c):
        c.buffer = b""                  # nothing that came before is believed (RFC 3207)
        c.sock = self.tls.wrap_socket(c.sock, server_side=True)
        c.tls = c.sock.version()

    def reply(self, c, stage, usual, recipient=None, nth=None, accept=None):
        """Gives the reply of the first rule that fits, or the usual one. Whether it is of the usual kind, so
        that the stage is passed; ConnectionError: the connection is over. accept: called before a good
        reply goes out."""
        with self.lock:
            rule = next((r for r in self.rules if r.fits(stage, recipient, nth)), None)
            if rule:
                rule.left -= rule.left > 0
        reply = rule.reply if rule else Reply(usual)
        if reply.delay:
            time.sleep(reply.delay)
        if accept and reply.text and reply.text[0] == "2":
            accept()
        if reply.text:
            c.write(reply.text)
        if reply.then == "hang":
            while c.sock.recv(1 << 16):
                pass
        if reply.then != "go on" or not reply.text:
            c.part(reply.then)
            raise ConnectionError
        return reply.text[0] in "23"

    def command(self, c):
        line = c.read(b"\r\n").decode("utf-8", "surrogateescape")[:-2]
        c.commands.append(line)
        verb = line.split(" ")[0].split(":")[0].upper()
        act = getattr(self, "on_" + verb.lower(), None)
        if act is None or not verb.isalpha():
            c.write("502 5.5.1 no such command")
            return True
        return act(c, line)

    def on_ehlo(self, c, line):
        lines = ["mail.test", *self.offers]
        if self.size is not None:
            lines.append(f"SIZE {self.size}")
        if self.utf8:
            lines.append("SMTPUTF8")
        if self.tls and not c.tls and self.offers_tls:
            lines.append("STARTTLS")
        if self.login is not None and (c.tls or not self.tls):
            lines.append("AUTH " + " ".join(self.mechanisms))
        self.reply(c, "EHLO", "\n".join(f"250{'-' if n < len(lines) else ' '}{text}"
                                       for n, text in enumerate(lines, 1)))
        return True

    def on_helo(self, c, line):
        c.write("250 mail.test")
        return True

    def on_starttls(self, c, line):
        if self.reply(c, "STARTTLS", "220 2.0.0 go on"):
            self.begin_tls(c)
        return True

    def on_auth(self, c, line):
        kind, _, initial = line[5:].partition(" ")
        name, secret = getattr(self, "auth_" + kind.lower())(c, initial)
        if self.login.get(name) != secret:
            self.reply(c, "AUTH", "535 5.7.8 wrong user or password")
        elif self.reply(c, "AUTH", "235 2.7.0 welcome"):
            c.user = name
        return True

    @staticmethod
    def ask(c, text=""):
        c.write("334 " + base64.b64encode(text.encode()).decode())
        return c.read(b"\r\n").decode()[:-2]

    def auth_plain(self, c, initial):
        parts = base64.b64decode(initial or self.ask(c)).decode().split("\0")
        return parts[1], parts[2]

    def auth_login(self, c, initial):
        name = base64.b64decode(initial or self.ask(c, "Username:")).decode()
        return name, base64.b64decode(self.ask(c, "Password:")).decode()

    def auth_xoauth2(self, c, initial):
        said = base64.b64decode(initial or self.ask(c)).decode()
        name = re.match(r"user=([^\1]*)\1auth=Bearer ([^\1]*)\1\1$".replace(r"\1", "\1"), said)
        if self.login.get(name[1]) != name[2]:
            self.ask(c, '{"status":"401"}')
        return name[1], name[2]

    def on_mail(self, c, line):
        if self.login is not None and not c.user:
            c.write("530 5.7.0 log in first")
            return True
        with self.lock:
            self.recipients += 1
            c.nth = self.recipients
        c.sender = self.path(line)
        c.recipient = None
        self.reply(c, "MAIL", "250 2.1.0 ok", nth=c.nth)
        return True

    @staticmethod
    def path(line):
        return re.match(r"[A-Za-z]+ (?:FROM|TO):<(.*?)>", line)[1]

    def on_rcpt(self, c, line):
        c.recipient = self.path(line)
        self.reply(c, "RCPT", "250 2.1.5 ok", c.recipient, c.nth)
        return True

    def on_data(self, c, line):
        if not self.reply(c, "DATA", "354 go on", c.recipient, c.nth):
            return True
        data = b"\r\n" + c.read(b"\r\n.\r\n") if not c.buffer.startswith(b".\r\n") else b"\r\n.\r\n"
        data = data[2:-3].replace(b"\r\n.", b"\r\n")
        if data.startswith(b"."):
            data = data[1:]
        if self.strict and BARE.search(data):
            c.write("550 5.6.11 a bare CR or LF")
            return True

        message = Message(c.sender, c.recipient, data, c.number, time.monotonic())

        def accept():
            with self.lock:
                self.messages.append(message)
            c.messages += 1
        try:
            self.reply(c, "dot", "250 2.0.0 queued", c.recipient, c.nth, accept)
        finally:
            if message not in self.messages[-64:]:
                self.refused.append(message)
        if self.drop_after and c.messages >= self.drop_after:
            c.part()
            raise ConnectionError
        return True

    def on_rset(self, c, line):
        c.write("250 2.0.0 ok")
        return True

    on_noop = on_rset

    def on_quit(self, c, line):
        self.reply(c, "QUIT", "221 2.0.0 bye")
        return False


def certificate(folder, name="localhost"):
    """(context for a server, path of the certificate): self-signed, for this name."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, str(cert)
