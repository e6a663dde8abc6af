"""The role mail against a server that does as it is told: what each reply means for a message, one line of
the manual's table a test, and that no password shows."""
import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

from courant import SLOW, program, until
from role import Role, get, put, sealed, values
from smtpd import CLOSE, RESET, Reply, Smtpd, certificate

CLASSES = {n: name.removeprefix("MAIL_").lower() for name, n in values("mail_class").items()}
TEXT = b"Subject: x\r\n\r\nbody\r\n"
SECRET = "correct horse battery"


class Mailer(Role):
    """The role, connected to a server."""

    def __init__(self, server, **start):
        super().__init__("mail")
        given = {"url": server.url if isinstance(server, Smtpd) else server, "hello": "papers.test",
                 "plain": 1, "per_connection": 100, **start}
        self.ask("MAIL_START", "READY", put("mail_start", given))

    def post(self, recipient="ada@b.example", text=TEXT, sender="papers@b.example", **more):
        fd = sealed(text)
        job = put("mail_job", {"sender": sender, "recipient": recipient, "len": len(text), **more})
        done = get("mail_done", self.ask("MAIL", "MAILED", job, fd, seconds=60))
        os.close(fd)
        done["class"] = CLASSES[done["class"]]
        return done

    def trial(self):
        done = get("mail_tried", self.ask("MAIL_TRY", "MAIL_TRIED", seconds=60))
        done["class"] = CLASSES[done["class"]]
        return done


@pytest.fixture
def server():
    with Smtpd() as made:
        yield made


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


# ---- Accepted ----

def test_a_message_arrives_with_its_envelope(server):
    with Mailer(server) as role:
        assert role.post()["class"] == "accepted"
        done = role.post("bob@b.example", sender="", dialogue=1)
    assert (done["class"], done["code"], done["reply"]) == ("accepted", 250, "250 2.0.0 queued")
    assert [(m.sender, m.recipient, m.data) for m in server.messages] == [
        ("papers@b.example", "ada@b.example", TEXT), ("", "bob@b.example", TEXT)]
    assert len(server.connections) == 1
    assert server.connections[0].commands[0] == "EHLO papers.test"
    assert re.fullmatch(r"> MAIL FROM:<>.*\n< 250 .*\n> RCPT TO:<bob@b.example>\n< 250 .*\n> DATA\n< 354 .*\n"
                        r"< 250 2.0.0 queued\n", done["dialogue"])


@pytest.mark.parametrize("body", [
    b".\r\n", b"..\r\n", b"a\r\n.\r\nMAIL FROM:<x@y.example>\r\n", b"a\r\n..\r\n.b\r\n\r\n.\r\n\r\n",
    b"x" * 998 + b"\r\n", b".\r\n" * 60000, b"." * 998 + b"\r\n"],
    ids=["dot", "dots", "smuggle", "double", "long", "many", "row"])
def test_dots_and_long_lines_arrive_as_they_are(server, body):
    text = b"Subject: x\r\n\r\n" + body
    with Mailer(server) as role:
        assert role.post(text=text)["class"] == "accepted"
        assert role.post()["class"] == "accepted"       # nothing of the text was taken for a command
    assert [m.data for m in server.messages] == [text, TEXT]
    until(lambda: server.connections[0].verbs() == ["EHLO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"])


def test_dots_at_every_place_of_a_buffer_arrive_as_they_are(server):
    """libcurl reads blocks of 64 kB, and ends when it has written the size that it was told."""
    with Mailer(server) as role:
        for pad in range(65500, 65545):
            text = b"A: b\r\n\r\n" + b"".join([b"y" * 98 + b"\r\n"] * 656)[:pad - 10] + b"\r\n.\r\nz\r\n"
            text = re.sub(rb"\r(?!\n)|(?<!\r)\n", b"z", text)
            assert role.post(text=text)["class"] == "accepted"
            assert server.messages[-1].data == text, pad


@pytest.mark.parametrize("text,why", [
    (b"A: b\n\nx\n", "line 1 of the message ends with LF alone"), (b"A: b\r\n\r\n\n.\n", "line 3"),
    (b"A: b\r\n\r\nx\ry\r\n", "a CR without LF"), (b"A: \0\r\n", "a NUL"),
    (b"A: b\r\n\r\n\xc3\xa9\r\n", "a byte outside ASCII"), (b"A: b\r\n\r\n" + b"x" * 999 + b"\r\n", "longer than 998"),
    (b"", "is empty"), (b"A: b\r\n\r\nx", "has no end")])
def test_what_is_no_mail_is_refused_before_the_server_hears_of_it(server, text, why):
    with Mailer(server) as role:
        done = role.post(text=text)
    assert done["class"] == "bad" and why in done["reply"], done
    assert not server.connections


# ---- The envelope ----

@pytest.mark.parametrize("address", [
    "", "a", "a@b@c.example", "a b@c.example", "<a@c.example>", "a@c.example\r\nRCPT TO:<x@y.example>",
    "a@" + "b" * 250 + ".example", "a@c.example>", "a\x01@c.example"])
def test_an_address_that_is_none_reaches_no_server(server, address):
    with Mailer(server) as role:
        assert role.post(address)["class"] == "no_mailbox"
        done = role.post(sender=address or "a")
        assert done["class"] == "config", done
    assert not server.connections


def test_a_domain_in_another_alphabet_becomes_what_dns_has(server):
    with Mailer(server) as role:
        assert role.post("ada@bücher.example")["class"] == "accepted"
    assert server.messages[0].recipient == "ada@xn--bcher-kva.example"
    assert "SMTPUTF8" not in " ".join(server.commands())


def test_a_local_part_beyond_ascii_needs_a_server_that_takes_it(server):
    with Mailer(server) as role:
        assert role.post("josé@b.example")["class"] == "accepted"
    assert "MAIL FROM:<papers@b.example> SMTPUTF8" in re.sub(r" SIZE=\d+", "", "\n".join(server.commands()))
    with Smtpd(utf8=False) as other, Mailer(other) as role:
        for _ in range(2):
            done = role.post("josé@b.example")
            assert done["class"] == "no_mailbox" and "the server takes no such address" in done["reply"]
        assert not any(c.startswith(("MAIL", "RCPT")) for c in other.commands())
        assert role.post("ada@b.example")["class"] == "accepted"
        said = len(other.commands())
        assert role.post("josé@b.example")["class"] == "no_mailbox"
        assert len(other.commands()) == said            # it is known what this server takes
        assert role.post("bob@b.example")["class"] == "accepted"


def test_a_message_over_the_servers_size_is_not_sent():
    with Smtpd(size=1000) as server, Mailer(server) as role:
        for _ in range(2):
            done = role.post(text=b"A: b\r\n\r\n" + b"x\r\n" * 400)
            assert done["class"] == "too_large" and "1000" in done["reply"]
            assert not any(c.startswith("MAIL") for c in server.commands())
        assert role.post()["class"] == "accepted"
        assert any(c.endswith(f" SIZE={len(TEXT)}") for c in server.commands())


# ---- Names, connections, TLS ----

def test_a_server_that_is_not_there():
    with Mailer(f"smtp://127.0.0.1:{closed_port()}") as role:
        assert role.post()["class"] == "server"
    with Mailer("smtp://nowhere.invalid:25") as role:
        done = role.post()
        assert done["class"] == "server" and "nowhere.invalid" in done["reply"]


def test_starttls_is_demanded_and_the_certificate_verified(tls):
    context, ca = tls
    with Smtpd(tls=context, login={"papers": SECRET}) as server:
        with Mailer(server, plain=0, ca=ca, user="papers", password=SECRET) as role:
            assert role.post()["class"] == "accepted"
            assert role.post()["class"] == "accepted"
        assert server.connections[0].tls and server.connections[0].user == "papers"
        with Mailer(server, plain=0, user="papers", password=SECRET) as role:       # nobody vouches for it
            done = role.post()
            assert done["class"] == "server" and "certificate" in done["reply"], done
        with Mailer(server.url.replace("localhost", "127.0.0.1"), plain=0, ca=ca) as role:
            assert role.post()["class"] == "server"     # another name than the certificate's
        assert len(server.messages) == 2
        server.offers_tls = False
        with Mailer(server, plain=0, ca=ca, user="papers", password=SECRET) as role:
            done = role.post()
        assert (done["class"], done["reply"]) == ("config", "the server does not offer STARTTLS")
        assert not any("AUTH" in c for c in server.connections[-1].commands)


def test_starttls_that_is_refused(tls):
    context, ca = tls
    with Smtpd(tls=context) as server, Mailer(server, plain=0, ca=ca) as role:
        server.say("STARTTLS", "454 4.7.0 not now")
        assert role.post()["class"] == "server"
        server.say("STARTTLS", "502 5.5.1 what?")
        assert role.post()["class"] == "config"


def test_tls_from_the_first_byte(tls):
    context, ca = tls
    with Smtpd(tls=context, implicit=True, login={"papers": SECRET}) as server:
        with Mailer(server, plain=0, ca=ca, user="papers", password=SECRET) as role:
            assert role.post()["class"] == "accepted"
        assert server.connections[0].tls


# ---- Greeting, EHLO, login ----

@pytest.mark.parametrize("stage,reply,expected", [
    ("greeting", "421 busy", "server"), ("greeting", "554 no service for you", "sender"),
    ("greeting", CLOSE, "server"), ("EHLO", Reply("421 too many", then="close"), "server")])
def test_a_greeting_that_is_none(server, stage, reply, expected):
    server.say(stage, reply)
    with Mailer(server) as role:
        done = role.post()
    assert done["class"] == expected, done
    if isinstance(reply, str):
        assert done["reply"] == reply and done["code"] == int(reply[:3])


@pytest.mark.parametrize("mechanism,token", [("PLAIN", 0), ("LOGIN", 0), ("XOAUTH2", 1)])
def test_each_way_to_log_in(mechanism, token):
    with Smtpd(login={"papers": SECRET}, mechanisms=[mechanism]) as server:
        with Mailer(server, user="papers", password=SECRET, token=token) as role:
            assert role.post()["class"] == "accepted"
        with Mailer(server, user="papers", password="wrong secret", token=token) as role:
            done = role.post(dialogue=1)
            assert done["class"] == "config" and done["reply"] == ("the server refuses the token" if token else
                                                                  "535 5.7.8 wrong user or password"), done
        assert len(server.messages) == 1


@pytest.mark.parametrize("reply,expected", [
    ("535 5.7.8 wrong", "config"), ("534 5.7.9 too weak", "config"), ("538 5.7.11 encrypt", "config"),
    ("454 4.7.0 the database is away", "server")])
def test_a_login_that_is_refused(reply, expected):
    with Smtpd(login={"papers": SECRET}) as server, Mailer(server, user="papers", password=SECRET) as role:
        server.say("AUTH", reply)
        done = role.post()
        assert (done["class"], done["reply"], done["code"]) == (expected, reply, int(reply[:3]))


@pytest.mark.parametrize("mechanisms,token", [((), 0), (("XOAUTH2",), 0), (("PLAIN", "LOGIN"), 1), (("plain",), 0)])
def test_a_login_that_is_not_offered_sends_nothing(mechanisms, token):
    """libcurl would go on without one."""
    with Smtpd(login={"papers": SECRET} if mechanisms else None, mechanisms=mechanisms) as server:
        with Mailer(server, user="papers", password=SECRET, token=token) as role:
            done = role.post()
        assert done["class"] == "config" and "offers no login" in done["reply"], done
        assert server.connections[0].verbs() in (["EHLO"], ["EHLO", "QUIT"])


def test_no_secret_is_in_the_log_the_reply_or_the_dialogue():
    """Even when the server repeats it."""
    echo = base64.b64encode(f"\0papers\0{SECRET}".encode()).decode()
    with Smtpd(login={"papers": SECRET}) as server, Mailer(server, user="papers", password=SECRET) as role:
        server.say("AUTH", f"535 5.7.8 not {SECRET} nor {echo}")
        done, tried = role.post(dialogue=1), role.trial()
        text = repr(done) + repr(tried) + role.log()
        assert "> AUTH PLAIN\n" in done["dialogue"] and "535 5.7.8 not ***" in done["reply"], done
        for secret in (SECRET, echo, base64.b64encode(SECRET.encode()).decode()):
            assert secret not in text


# ---- MAIL, RCPT, DATA, the dot ----

@pytest.mark.parametrize("stage,reply,expected", [
    ("MAIL", "451 4.3.0 later", "server"), ("MAIL", "550 5.7.1 who are you", "sender"),
    ("MAIL", "552 5.3.4 too big", "too_large"),
    ("RCPT", "450 4.7.1 greylisted", "again"), ("RCPT", "451 4.3.0 later", "again"),
    ("RCPT", "452 4.2.2 full for now", "again"), ("RCPT", "422 4.2.2 quota", "again"),
    ("RCPT", "550 5.1.1 unknown", "no_mailbox"), ("RCPT", "551 5.1.6 moved", "no_mailbox"),
    ("RCPT", "553 no such form", "no_mailbox"), ("RCPT", "550-5.1.1 a\n550 5.1.1 b", "no_mailbox"),
    ("RCPT", "552 5.2.2 full", "refused"), ("RCPT", "550 5.2.1 disabled", "refused"), ("RCPT", "554 no", "refused"),
    ("RCPT", "550 5.7.1 listed", "policy"), ("dot", "550 5.7.26 no DKIM", "policy"),
    ("DATA", "451 4.3.0 later", "again"), ("DATA", "503 5.5.1 sequence", "bad"),
    ("dot", "451 4.3.0 later", "again"), ("dot", "552 5.2.3 too long", "bad"), ("dot", "550 no", "bad"),
    ("dot", "554 spam", "policy"), ("dot", "550 5.6.0 form", "policy")])
def test_a_refusal_has_its_meaning_and_the_next_message_goes_out(server, stage, reply, expected):
    server.say(stage, reply, message=2)
    with Mailer(server) as role:
        assert role.post("a@b.example")["class"] == "accepted"
        done = role.post("b@b.example")
        assert (done["class"], done["code"]) == (expected, int(reply[:3])), done
        assert done["reply"] == re.sub(r"\n550 5.1.1", "", reply).replace("-", " "), done
        assert role.post("c@b.example")["class"] == "accepted"
    assert [m.recipient for m in server.messages] == ["a@b.example", "c@b.example"]
    assert len(server.connections) == (1 if stage == "dot" else 2)


def test_a_refusal_does_not_wait_for_the_servers_farewell(server):
    server.say("RCPT", "550 5.1.1 unknown").say("QUIT", Reply("221 bye", delay=8))
    began = time.monotonic()
    with Mailer(server) as role:
        assert role.post()["class"] == "no_mailbox"
    assert time.monotonic() - began < 6


def test_refusals_under_tls_leave_the_next_message_its_way(tls):
    context, ca = tls
    with Smtpd(tls=context, login={"papers": SECRET}) as server:
        with Mailer(server, plain=0, ca=ca, user="papers", password=SECRET) as role:
            for stage, reply, expected in (("RCPT", "550 5.1.1 unknown", "no_mailbox"), ("dot", "451 4.3.0 later", "again"),
                                           ("MAIL", "451 4.3.0 later", "server"), ("DATA", CLOSE, "accepted")):
                server.say(stage, reply, times=1)
                assert role.post("a@b.example")["class"] == expected, stage
                assert role.post("b@b.example")["class"] == "accepted", stage
    assert [m.recipient for m in server.messages] == ["b@b.example"] * 3 + ["a@b.example", "b@b.example"]


@pytest.mark.parametrize("reply", [Reply("354 go on", then="close"), Reply("354 go on", then="reset")])
def test_lost_after_354_may_have_arrived(server, reply):
    server.say("DATA", reply)
    with Mailer(server) as role:
        done = role.post()
    assert done["class"] == "perhaps" and len(server.connections) == 1, done


@pytest.mark.parametrize("how", [CLOSE, RESET])
def test_lost_at_the_dot_may_have_arrived(server, how):
    server.say("dot", how, times=1)
    with Mailer(server) as role:
        done = role.post()
        assert done["class"] == "perhaps" and len(server.connections) == 1, done
        assert role.post()["class"] == "accepted"


@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("how", [CLOSE, RESET, "close behind 250"])
def test_lost_before_354_goes_out_again_at_once(server, stage, how):
    if how == "close behind 250":
        if stage == "DATA":
            pytest.skip("354 is the reply to DATA")
        how = Reply("250 ok", then="close")
    server.say(stage, how, times=1)
    with Mailer(server) as role:
        assert role.post()["class"] == "accepted"
        assert len(server.messages) == 1 and len(server.connections) == 2
        server.forget()
        server.say(stage, how)
        for c in server.connections:
            c.part()
        done = role.post()
        assert done["class"] == "server" and len(server.messages) == 1, done


# ---- Connections that end, and what is learnt ----

def test_a_server_that_ends_after_three_messages_gets_each_once(server):
    server.drop_after = 3
    with Mailer(server) as role:
        for n in range(10):
            assert role.post(f"r{n}@b.example")["class"] == "accepted"
        assert "takes 3 messages over one connection" in role.log()
    assert [m.recipient for m in server.messages] == [f"r{n}@b.example" for n in range(10)]
    assert [c.messages for c in server.connections] == [3, 3, 3, 1]


def test_421_after_a_few_messages_goes_out_again_at_once(server):
    for stage in ("MAIL", "RCPT", "DATA", "dot"):
        with Smtpd() as server, Mailer(server) as role:
            assert role.post("a@b.example")["class"] == "accepted"
            server.say(stage, Reply("421 4.7.0 enough", then="close"), times=1)
            assert role.post("b@b.example")["class"] == "accepted", stage
            assert [m.recipient for m in server.messages] == ["a@b.example", "b@b.example"]


def test_421_on_a_fresh_connection_is_the_servers_trouble(server):
    with Mailer(server) as role:
        server.say("MAIL", Reply("421 4.3.2 down", then="close"))
        assert role.post()["class"] == "server"
        assert len(server.connections) == 1


def test_idle_421_between_two_messages_is_not_seen_by_anybody(server):
    with Mailer(server, per_connection=50) as role:
        for n in range(6):
            assert role.post(f"r{n}@b.example")["class"] == "accepted"
            if n % 2:
                server.idle_out()
    assert [m.recipient for m in server.messages] == [f"r{n}@b.example" for n in range(6)]
    assert len(server.messages) == 6


def test_a_connection_ends_before_it_has_too_many(server):
    with Mailer(server, per_connection=2) as role:
        for n in range(5):
            assert role.post(f"r{n}@b.example")["class"] == "accepted"
    assert [c.messages for c in server.connections] == [2, 2, 1]
    until(lambda: all(c.verbs()[-1] == "QUIT" for c in server.connections))


def test_too_many_recipients_make_connections_shorter(server):
    with Mailer(server) as role:
        for n in range(2):
            assert role.post(f"r{n}@b.example")["class"] == "accepted"
        server.say("RCPT", "452 4.5.3 too many recipients", times=1)
        assert role.post("late@b.example")["class"] == "again"
        for n in range(4):
            assert role.post(f"s{n}@b.example")["class"] == "accepted"
    assert [c.messages for c in server.connections] == [2, 2, 2]


def test_a_thousand_messages_take_seconds(server):
    began = time.monotonic()
    with Mailer(server) as role:
        for n in range(1000):
            assert role.post(f"r{n}@b.example")["class"] == "accepted"
    assert len({m.recipient for m in server.messages}) == len(server.messages) == 1000
    assert len(server.connections) == 10
    assert "@" not in role.log()                    # whom a mail is for is nobody's business
    assert time.monotonic() - began < 60


# ---- The process ----

@pytest.mark.sandbox
def test_the_role_is_confined_before_it_speaks_to_anybody(server):
    with Mailer(server) as role:
        status = pathlib.Path(f"/proc/{role.process.pid}/status").read_text()
        assert re.search(r"NoNewPrivs:\s*1\n", status) and re.search(r"Seccomp:\s*2\n", status)
        assert not server.connections
        assert role.post()["class"] == "accepted"
        for fd in pathlib.Path(f"/proc/{role.process.pid}/fd").iterdir():
            assert os.readlink(fd).startswith(("socket:", "/memfd:", "anon_inode:", "/dev/")) or int(fd.name) < 3


@pytest.mark.sandbox
def test_a_bundle_that_was_replaced_ends_the_role(tls, tmp_path):
    """It may open the file alone that was there when it was confined: core starts another one."""
    context, pem = tls
    ca = tmp_path / "ca.pem"
    ca.write_text(pathlib.Path(pem).read_text())
    with Smtpd(tls=context) as server:
        role = Mailer(server, plain=0, ca=str(ca), per_connection=1)
        assert role.post()["class"] == "accepted"
        (tmp_path / "new.pem").write_text(ca.read_text())
        (tmp_path / "new.pem").rename(ca)
        done = role.post()
        if done["class"] == "accepted":
            pytest.skip("this kernel has no Landlock")
        assert done["class"] == "server", done
        assert role.process.wait(20) == 0
        assert "ca.pem is another file than before" in role.log()
        with Mailer(server, plain=0, ca=str(ca)) as role:
            assert role.post()["class"] == "accepted"


def test_stop_lets_the_message_under_way_end(server):
    server.say("dot", Reply("250 2.0.0 queued", delay=1))
    with Mailer(server) as role:
        fd = sealed(TEXT)
        role.send("MAIL", put("mail_job", {"sender": "", "recipient": "ada@b.example", "len": len(TEXT)}), fd)
        os.close(fd)
        asked = role.ids
        until(lambda: server.connections and "DATA" in server.connections[0].commands)
        role.send("STOP")
        role.ids = asked
        assert CLASSES[get("mail_done", role.receive("MAILED"))["class"]] == "accepted"
        assert role.process.wait(20) == 0
    assert len(server.messages) == 1


def test_a_role_whose_core_is_gone_ends(server):
    role = Mailer(server)
    role.sock.close()
    assert role.process.wait(20) == 1


# ---- courant mail ----

@pytest.fixture
def command(daemon, tls):
    """Runs `courant mail` with a configuration: command(server, options of `mail`..., arguments=[])."""
    def run(server, *arguments, **mail):
        d = daemon()
        (d.folder / "ca.pem").write_text(pathlib.Path(tls[1]).read_text())
        (d.folder / "smtp.key").write_text(SECRET + "\n")
        (d.folder / "smtp.key").chmod(0o600)
        d.own(d.folder / "smtp.key")
        d.settings = {"ca": "ca.pem", "mail": {
            "server": server.url if isinstance(server, Smtpd) else server, "from": "Papers <papers@b.example>",
            **mail}}
        d.write()
        done = subprocess.run([program("courant"), "-c", str(d.conf), "mail", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * SLOW, text=True)
        assert SECRET not in done.stdout + done.stderr
        assert not re.search("denied:", done.stderr), done.stderr
        return done
    return run


LOGIN = {"starttls": True, "user": "papers", "password_file": "smtp.key"}


def test_courant_mail_shows_what_the_server_offers(command, tls):
    with Smtpd(size=5000, tls=tls[0], login={"papers": SECRET}) as server:
        done = command(server, **LOGIN, hello="papers.test")
        assert done.returncode == 0, done
        for line in (r"server +smtp://localhost:\d+, EHLO papers.test", r"TLS +TLSv1\.\d / .*", r"login +papers",
                     r"from +papers@b.example, bounces to papers@b.example", r"(offers)? +SIZE 5000", r" +SMTPUTF8",
                     r" +AUTH PLAIN LOGIN", "the server takes mail"):
            assert re.search(f"(?m)^{line}$", done.stdout), (line, done.stdout)
        assert "> " not in done.stdout
        until(lambda: server.connections[0].verbs() == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"])
        assert not server.messages
        done = command(server, "-v", **LOGIN)
        assert "> EHLO" in done.stdout and "> AUTH PLAIN\n< 235" in done.stdout
        told = json.loads(command(server, "--json", **LOGIN).stdout)
        assert told["ok"] is True and "SIZE 5000" in told["offers"] and told["tls"].startswith("TLSv1"), told
        assert any(line.startswith("> STARTTLS") for line in told["dialogue"])


@pytest.mark.parametrize("server,mail,said,means", [
    ({}, {}, "421 busy", "tries again"), ({}, {}, "554 no service", "refuses this machine"),
    ({"offers_tls": False}, {"starttls": True}, "the server does not offer STARTTLS", "encryption or login"),
    ({"tls": False, "login": {"papers": "other"}}, {**LOGIN, "starttls": False}, "535 5.7.8 wrong user or password",
     "encryption or login"),
    ({"tls": False}, {**LOGIN, "starttls": False}, "the server offers no login by PLAIN or LOGIN", "encryption or login"),
    ({"host": "127.0.0.1"}, {"starttls": True}, "at STARTTLS: .*127.0.0.1", "tries again")],
    ids=["421", "554", "no STARTTLS", "wrong password", "no AUTH", "another name"])
def test_courant_mail_says_why_a_server_is_of_no_use(command, tls, server, mail, said, means):
    server = {"tls": tls[0], **server}
    host = server.pop("host", "localhost")
    with Smtpd(**server) as made:
        if said[0] in "45" and said[:3] != "535":
            made.say("greeting", said)
        url = made.url.replace("localhost", host)
        done = command(url, **mail)
        assert done.returncode == 1, done
        assert re.search(rf"(?m)^courant: mail: {said}", done.stderr) and means in done.stderr, done.stderr
        told = json.loads(command(url, "--json", **mail).stdout)
        assert told["ok"] is False and re.match(said, told["reply"]), told
        assert not any(c.startswith(("MAIL", "RCPT")) for c in made.commands())


def test_courant_mail_needs_a_server_in_the_configuration(command, daemon):
    d = daemon()
    done = subprocess.run([program("courant"), "-c", str(d.conf), "mail"], capture_output=True, text=True)
    assert done.returncode == 1 and "there is no server" in done.stderr
    done = command("smtp://mail.example.org:port")
    assert done.returncode == 1 and re.search(r"courant.yaml:\d+: mail: server: .*port", done.stderr), done.stderr


def test_the_daemon_checks_mail_in_its_configuration(daemon):
    d = daemon(settings={"mail": {"server": "mail.example.org", "from": "x", "rate": "600"}})
    code, said = d.run("-n")
    assert code == 1, said
    for word in ('server: "mail.example.org" is not smtp://', 'from: "x" is no mail address', 'rate: "600" is not N/s'):
        assert re.search(rf"courant\.yaml:\d+: mail: {word}", said), said
    d = daemon(settings={"mail": {"server": "smtps://mail.example.org", "from": "x@b.example"}})
    assert d.run("-n")[0] == 0


# ---- A trial, and another server than ours ----

def test_a_trial_logs_in_and_sends_nothing(tls):
    context, ca = tls
    with Smtpd(size=5000, tls=context, login={"papers": SECRET}, offers=["8BITMIME"]) as server:
        with Mailer(server, plain=0, ca=ca, user="papers", password=SECRET) as role:
            tried = role.trial()
            assert role.post()["class"] == "accepted"
    assert tried["class"] == "accepted" and tried["tls"].startswith("TLSv1"), tried
    assert {"8BITMIME", "SIZE 5000", "SMTPUTF8", "AUTH PLAIN LOGIN"} <= set(tried["offers"].split("\n"))
    until(lambda: server.connections[0].verbs() == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"])
    assert "> AUTH PLAIN\n< 235" in tried["dialogue"] and SECRET not in tried["dialogue"]


def test_another_implementation_takes_what_the_role_sends():
    controller = pytest.importorskip("aiosmtpd.controller", reason="python3-aiosmtpd is missing")
    got = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            got.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
            return "250 OK"

    made = controller.Controller(Handler(), hostname="127.0.0.1", port=0, enable_SMTPUTF8=True)
    made.port = closed_port()
    made.start()
    try:
        text = b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\n" + b"y" * 900 + b"\r\n"
        with Mailer(f"smtp://127.0.0.1:{made.port}") as role:
            assert role.post(text=text)["class"] == "accepted"
            assert role.post("josé@b.example")["class"] == "accepted"
    finally:
        made.stop()
    assert got == [("papers@b.example", ["ada@b.example"], text), ("papers@b.example", ["josé@b.example"], TEXT)]
