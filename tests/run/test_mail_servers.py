"""Mail through servers that many run, Postfix and OpenSMTPD: what the daemon hands over comes out behind them
once and as it was. Each server runs in a root of its own that contrib/mailroots made, named by
COURANT_MAIL_ROOTS, on a port of loopback, and relays to a server of ours. TLS and logging in are Postfix's
alone: the OpenSMTPD of Debian 12 (6.8.0p2) accepts no TLS with OpenSSL 3 (OpenSMTPD#1171), and no AUTH
without TLS."""
import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

from courant import SLOW, until
from smtpd import BARE, Smtpd, certificate
from test_mail import mailer, rows, sink, until_mails
from test_mail_role import SECRET, closed_port

ROOTS = os.environ.get("COURANT_MAIL_ROOTS")
pytestmark = pytest.mark.skipif(not ROOTS, reason="COURANT_MAIL_ROOTS is not set: contrib/fresh sets it")

ADA = "ada@example.org"
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
# This machine's own addresses are strangers to it: it holds nobody for a friend who may send bare LF.
MAIN = """\
compatibility_level = 3.6
queue_directory = {place}/spool
data_directory = {place}/data
maillog_file = {place}/log
maillog_file_prefixes = {place}
myhostname = mail.test
mydestination =
mynetworks = 192.0.2.1/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relay_domains = example.org
relay_recipient_maps = inline:{{ ada@example.org=1 }}
relay_transport = relay:[127.0.0.1]:{behind}
smtpd_forbid_bare_newline = reject
smtpd_forbid_bare_newline_exclusions =
smtpd_tls_security_level = may
smtpd_tls_cert_file = {place}/localhost.pem
smtpd_tls_key_file = {place}/localhost.key
smtpd_tls_received_header = yes
smtpd_tls_auth_only = yes
"""
# Cyrus SASL reads the passwords itself, no saslauthd.
SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
sasldb_path: {place}/data/sasldb2
"""
LOGIN = """\
smtpd_sasl_auth_enable = yes
smtpd_client_restrictions = permit_sasl_authenticated, reject
"""
SMTPD = """\
table readers {{ "ada@example.org" }}
listen on 127.0.0.1 port {port} hostname mail.test
action "behind" relay host "smtp://127.0.0.1:{behind}"
match from any for rcpt-to <readers> action "behind"
"""


class Server:
    """A mail server in its root, in namespaces that end with it; what it takes comes to `behind`."""

    def __init__(self, name, login=""):
        self.name, self.login = name, login
        self.root = pathlib.Path(ROOTS) / name
        self.behind = Smtpd()
        self.port = closed_port()
        self.url = f"smtp://localhost:{self.port}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="server-", dir=self.root / "srv"))
        self.folder.chmod(0o755)
        self.place = "/" + str(self.folder.relative_to(self.root))
        self.command = getattr(self, "make_" + name)()

    def write(self, name, text):
        (self.folder / name).write_text(text.format(place=self.place, port=self.port, behind=self.behind.port))

    def make_postfix(self):
        self.ca = certificate(self.folder)[1]
        for name in ("spool", "data", "sasl"):
            (self.folder / name).mkdir()
        self.write("main.cf", MAIN + self.login)
        self.write("master.cf", MASTER)
        self.write("sasl/smtpd.conf", SASL)
        self.chroot("saslpasswd2", "-p", "-c", "-f", f"{self.place}/data/sasldb2", "-u", "mail.test", "papers", said=SECRET)
        self.chroot("chown", "-R", "postfix", f"{self.place}/data")
        # Debian's looks there, whatever cyrus_sasl_config_path says.
        return ["sh", "-c", f"mount --bind {self.place}/sasl /etc/postfix/sasl && exec postfix -c {self.place} start-fg"]

    def make_opensmtpd(self):
        self.write("smtpd.conf", SMTPD)
        return ["smtpd", "-d", "-f", f"{self.place}/smtpd.conf"]

    def chroot(self, *command, said=""):
        subprocess.run(["chroot", self.root, *command], check=True, input=said, capture_output=True, text=True,
                       timeout=30 * SLOW)

    def __enter__(self):
        self.behind.__enter__()
        # Two tests may run the same server at once: each has spool, sockets and processes of its own.
        self.log = open(self.folder / "said", "wb")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
             'mount -t tmpfs spool "$0/var/spool" && mount -t tmpfs run "$0/run" && exec chroot "$@"',
             self.root, self.root, *self.command],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(self.greets, 30, "the server's greeting", context=self.told)
        return self

    def greets(self):
        assert self.process.poll() is None, self.told()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as s:
                return s.recv(100).startswith(b"220")
        except OSError:
            return False

    def told(self):
        return "".join(p.read_text(errors="replace") for p in (self.folder / "said", self.folder / "log") if p.exists())

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()
        self.behind.__exit__()
        shutil.rmtree(self.folder)


class Tap:
    """Between the daemon and a server: what the daemon says over each connection, as it is on the wire."""

    def __init__(self, server):
        self.to, self.said = server.port, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                ours, _ = self.listener.accept()
            except OSError:
                return
            theirs = socket.create_connection(("127.0.0.1", self.to))
            self.said.append(bytearray())
            for source, to, kept in ((ours, theirs, self.said[-1]), (theirs, ours, bytearray())):
                threading.Thread(target=self.pump, args=(source, to, kept), daemon=True).start()

    @staticmethod
    def pump(source, to, kept):
        try:
            while data := source.recv(1 << 16):
                kept += data
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def messages(self):
        """Behind each DATA up to its dot, dots unstuffed."""
        found = [m for said in self.said for m in re.findall(rb"(?s)\r\nDATA\r\n(.*?\r\n)\.\r\n", bytes(said))]
        return [m.replace(b"\r\n..", b"\r\n.") for m in found]


@pytest.fixture(params=["postfix", "opensmtpd"])
def server(request):
    with Server(request.param) as s:
        yield s


def parts(data):
    """What a mail says: {type: text}, transport encodings undone."""
    m = email.message_from_bytes(data, policy=email.policy.default)
    return {p.get_content_type(): p.get_payload(decode=True) for p in m.walk() if not p.is_multipart()}


def subject(data):
    return email.message_from_bytes(data, policy=email.policy.default)["Subject"]


def same(sent, got):
    """Below the trace that servers add on top, header and body are what was sent."""
    head, _, body = got.partition(b"\r\n\r\n")
    headers, _, text = sent.partition(b"\r\n\r\n")
    assert head.endswith(headers), (headers, head)
    trace = head[:-len(headers)]
    assert all(re.match(rb"(Received|Return-Path|Delivered-To|X-Original-To):|[ \t]", line)
               for line in trace.split(b"\r\n") if line), trace
    assert body == text
    assert parts(got) == parts(sent)


def test_a_record_arrives_once_with_its_headers_and_body(daemon, origin, server):
    tap = Tap(server)
    d = mailer(daemon, origin, tap, to=[ADA], titles=("Käse & more",)).start()
    (got,) = until_mails(d, server.behind, 1)
    d.until(lambda: sink(d)["delivered"] == 1, 20, "delivered")
    (sent,) = tap.messages()
    assert (got.sender, got.recipient) == ("papers@example.org", ADA)
    same(sent, got.data)
    assert subject(got.data) == "Käse & more"
    assert not rows(d, "SELECT * FROM delivery WHERE state <> 4") and len(server.behind.messages) == 1


def posts(daemon, origin, to, *items):
    """A daemon that mails these items, {title, url, content}, to Ada."""
    origin.put("items.json", json.dumps([{"id": str(n)} | i for n, i in enumerate(items)]).encode())
    d = mailer(daemon, origin, to, to=[ADA])
    d.sources["news"]["url"] = origin.url("/items.json")
    d.sources["news"]["fields"]["content"] = "content"
    d.write()
    return d.start()


def test_row_3_a_long_url_arrives_byte_for_byte(daemon, origin, server):
    url = ("https://x.example/" + "".join(f"{n:04}=." for n in range(1000)))[:5000]
    tap = Tap(server)
    d = posts(daemon, origin, tap, {"title": "long", "url": url})
    (got,) = until_mails(d, server.behind, 1)
    same(tap.messages()[0], got.data)
    assert max(map(len, got.data.split(b"\r\n"))) < 998
    for text in parts(got.data).values():
        assert url.encode() in text


def test_row_1_bare_line_ends_and_dots_pass_a_server_that_refuses_them(daemon, origin, server):
    title = "one\n.\ntwo\rthree\r\r\n.\r\nfour"
    tap = Tap(server)
    d = posts(daemon, origin, tap, {"title": "next"},
              {"title": title, "content": "<pre>five\n.\n..\rsix\r\r\n.\r\nQUIT\r\n</pre>"})
    got = {subject(m.data): m.data for m in until_mails(d, server.behind, 2)}
    d.until(lambda: sink(d)["delivered"] == 2, 20, "delivered")
    assert set(got) == {"one . two three . four", "next"} and sink(d)["dead"] == 0
    for sent in tap.messages():
        assert not BARE.search(sent)
        same(sent, got[subject(sent)])
    assert b"\r\n.\r\n" in parts(got["one . two three . four"])["text/plain"]
    assert len(server.behind.messages) == len(tap.messages()) == 2


def test_postfix_here_does_refuse_a_bare_line_end():
    """What the test above stands on."""
    with Server("postfix") as server, socket.create_connection(("127.0.0.1", server.port)) as s:
        f = s.makefile("rb")
        for line in (b"EHLO a.test\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<ada@example.org>\r\n", b"DATA\r\n"):
            while f.readline()[3:4] == b"-":
                pass
            s.sendall(line)
        while f.readline()[:3] != b"354":
            pass
        s.sendall(b"Subject: x\r\n\r\na\n.\nb\r\n.\r\n")
        assert b"5.5.2" in f.readline() and not server.behind.messages


def test_a_wrong_address_is_a_dead_letter_with_the_servers_words(daemon, origin, server):
    d = mailer(daemon, origin, server, to=[ADA, "ben@example.org"]).start()
    until_mails(d, server.behind, 1)
    d.until(lambda: sink(d)["dead"] == 1, 20, "a dead letter")
    told = d.courant("dead", "letters").stdout.decode()
    assert {"postfix": "550 5.1.1 <ADDRESS>: Recipient address rejected: User unknown",
            "opensmtpd": "550 Invalid recipient: <ADDRESS>"}[server.name] in told
    assert [m.recipient for m in server.behind.messages] == [ADA]


def secure(d, server, **mail):
    """The daemon with STARTTLS and the server's certificate."""
    shutil.copy(server.ca, d.folder / "ca.pem")
    d.settings["ca"] = "ca.pem"
    d.settings["mail"] |= {"starttls": True} | mail
    d.write()
    return d


@pytest.mark.parametrize("login", ["", LOGIN], ids=["STARTTLS", "AUTH"])
def test_starttls_with_the_servers_certificate_and_a_login(daemon, origin, login):
    user = {"user": "papers@mail.test", "password": SECRET} if login else {}
    with Server("postfix", login) as server:
        d = secure(mailer(daemon, origin, server, to=[ADA]), server, **user).start()
        (got,) = until_mails(d, server.behind, 1)
        trace = got.data.partition(b"From:")[0]
        assert re.search(rb"using TLSv1\.[23]", trace) and (b"ESMTPSA" in trace) == bool(login), trace
        d.until(lambda: sink(d)["delivered"] == 1, 20, "delivered")


def test_a_wrong_password_at_postfix(daemon, origin):
    with Server("postfix", LOGIN) as server:
        d = secure(mailer(daemon, origin, server, to=[ADA]), server, user="papers@mail.test", password="wrong").start()
        d.until(lambda: sink(d)["paused"], 20, "the sink pauses")
        assert "535 5.7.8" in sink(d)["reason"] and not server.behind.messages
