"""What a request for the daemon's status costs: visitors share an answer that core writes at most once a
second and in slices, however many ask; the operator sees what is so after the question."""
import json
import os
import pathlib
import re
import socket
import struct
import threading
import time

from courant import SLOW, TREE

SOURCES = 20000
VISITORS = 8
SECONDS = 5


def cpu(pid):
    """Seconds of CPU time that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def message(name):
    """The number of a type of message."""
    text = (TREE / "core/ipc/msg.h").read_text()
    return re.findall(r"(?m)^\t(MSG_\w+)", text[text.index("enum msg_type"):]).index(name) + 1


class Operator:
    """A connection to the admin socket that asks what is answered at once: how long the loop takes."""

    def __init__(self, d):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(str(d.state / "admin.sock"))
        self.s.settimeout(20 * SLOW)
        words = struct.pack("=I", 4) + b"ping\0" + struct.pack("=I", 0xffffffff)
        self.frame = struct.pack("=IHHI", len(words), message("MSG_ASK"), 0, 1) + words

    def ping(self):
        """Seconds until the answer."""
        begun = time.monotonic()
        self.s.sendall(self.frame)
        said = b""
        while b"does not know this command" not in said:
            more = self.s.recv(4096)
            assert more, said
            said += more
        return time.monotonic() - begun


def many(d):
    d.sources = {f"s{n}": {"plugin": "absent", "url": f"http://127.0.0.1:9/{n}"} for n in range(SOURCES)}
    d.write()
    return d.start(seconds=60)


def hammer(d, until, seen):
    """One visitor after the other, each on a connection of its own."""
    host, port = d.address()
    while time.monotonic() < until:
        with socket.create_connection((host, port), timeout=20 * SLOW) as c:
            c.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            said = bytearray()
            while more := c.recv(1 << 20):
                said += more
        head, _, body = bytes(said).partition(b"\r\n\r\n")
        assert b" 200 " in head[:20], head
        seen.append(len(body))


def test_visitors_who_ask_for_the_status_cost_core_what_one_does(daemon):
    d = many(daemon())
    address = d.address()
    d.address = lambda: address
    core = d.pids()["core"]
    assert len(d.http("/api/v1/status").json["sources"]) == SOURCES
    time.sleep(3)
    operator, seen, late = Operator(d), [], []
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=hammer, args=(d, until, seen)) for _ in range(VISITORS)]
    before, begun = cpu(core), time.monotonic()
    for t in threads:
        t.start()
    while time.monotonic() < until:
        late.append(operator.ping())
        time.sleep(0.01)
    for t in threads:
        t.join()
    share = (cpu(core) - before) / (time.monotonic() - begun)
    assert len(seen) >= VISITORS and min(seen) > SOURCES * 50
    assert share < 0.08, f"core used {share:.0%} of a CPU for {len(seen)} answers"
    late.sort()
    assert late[len(late) * 95 // 100] < 0.05 * SLOW, late[-10:]


def test_the_operator_is_told_what_is_so_after_the_question(daemon, origin):
    """Not what was told to another before, however soon one asks again."""
    d = daemon({"one": {"plugin": "feed", "url": origin.put("f.xml", b"no feed"), "every": "1 h"}}).start()
    d.until(lambda: d.source("one")["checked"], 20, "it was polled")
    for n in range(10):
        hits = origin.hits("/f.xml")
        d.courant("refresh", "one")
        origin.until_hits("/f.xml", hits + 1, 10)
        d.until(lambda: not d.source("one")["polling"], 10, "it was read")
        polls = d.status()["counts"]["polls"]
        d.courant("refresh", "one")
        origin.until_hits("/f.xml", hits + 2, 10)
        d.until(lambda: d.status()["counts"]["polls"] == polls + 1, 10, "it is counted")


def test_operators_who_ask_at_the_same_time_are_all_answered(daemon):
    d = many(daemon())
    told = []

    def ask():
        told.append(json.loads(d.courant("status", "--json", seconds=60).stdout))
    threads = [threading.Thread(target=ask) for _ in range(12)]
    operator, late = Operator(d), []
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        late.append(operator.ping())
        time.sleep(0.01)
    for t in threads:
        t.join()
    assert len(told) == 12 and all(len(s["sources"]) == SOURCES for s in told)
    late.sort()
    assert late[len(late) // 2] < 0.05 * SLOW, late[-10:]
