"""Each role but core runs confined: no new privileges, a filter of system calls, few files."""
import os
import pathlib
import re
import socket

import pytest

from courant import ROLES, numbered, rss
from test_path import EVERYTHING, sources

pytestmark = pytest.mark.sandbox


def standing(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: re.search(rf"(?m)^{key}:\s*(\d+)", text)[1] for key in ("NoNewPrivs", "Seccomp")}


def test_every_role_but_core_has_given_up_what_it_does_not_need(daemon, origin):
    d = daemon(sources({"one": origin.put("f.xml", rss(numbered(1, 3)))}, every="1 s"), EVERYTHING).start()
    d.until_lines(3)
    pids = d.pids()
    assert set(pids) == {"core", *ROLES}
    for role in ROLES:
        assert standing(pids[role]) == {"NoNewPrivs": "1", "Seccomp": "2"}, role
    for worker in d.status()["workers"]:
        assert standing(worker["pid"]) == {"NoNewPrivs": "1", "Seccomp": "2"}, worker


def test_what_a_role_opens_for_reading_and_writing(daemon, origin):
    """Serve holds nothing open for writing but sockets, memory and the log; fetch no file at all."""
    d = daemon(sources({"one": origin.put("f.xml", rss(numbered(1, 3)))}), EVERYTHING).start()
    d.until_lines(3)
    assert d.http("/api/v1/records").status == 200          # the database is open
    for role in ("serve", "fetch", "send"):
        pid = d.pids()[role]
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            where = os.readlink(fd)
            flags = int(re.search(r"flags:\s*(\d+)", pathlib.Path(f"/proc/{pid}/fdinfo/{fd.name}").read_text())[1], 8)
            if int(fd.name) <= 2 or not where.startswith("/") or where.startswith(("/memfd:", "/dev/")):
                continue
            assert role == "serve" and flags & os.O_ACCMODE == os.O_RDONLY, (role, where)


def test_a_bundle_of_certificates_that_is_replaced_is_read(daemon, origin):
    """A role is confined to the file that was there when it began: it begins anew for another one."""
    d = daemon(sources({"one": origin.put("f.xml", rss(numbered(1, 3)))}, every="500 ms"), EVERYTHING)
    ca = d.folder / "ca.pem"
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    text = bundle.read_text() if bundle.exists() else ""
    ca.write_text(text)
    d.settings["ca"] = str(ca)
    d.write()
    d.start()
    d.until_lines(3)
    before = d.pids()
    (d.folder / "new.pem").write_text(text)
    (d.folder / "new.pem").rename(ca)
    d.wait_log(r"fetch\[\d+\]: \S+/ca.pem is another file than before: this role starts again")
    d.until(lambda: d.pids()["fetch"] not in (0, before["fetch"]), 20, "fetch runs again")
    origin.put("f.xml", rss(numbered(1, 5)))
    d.until_lines(5)
    again = d.pids()["fetch"]
    other = d.folder / "other.pem"                           # and another by the configuration
    other.write_text(text)
    d.settings["ca"] = str(other)
    d.write()
    d.courant("reload")
    d.until(lambda: d.pids()["fetch"] not in (0, again), 20, "fetch runs again")
    origin.put("f.xml", rss(numbered(1, 7)))
    d.until_lines(7)
    assert {k: v for k, v in d.pids().items() if k in ("store", "serve")} == {
        k: v for k, v in before.items() if k in ("store", "serve")}


def test_names_are_looked_up(daemon, origin):
    """By /etc/hosts, in a thread of the role."""
    if not any(a[4][0] == "127.0.0.1" for a in socket.getaddrinfo("localhost", 80)):
        pytest.skip("localhost is not 127.0.0.1 here")
    url = origin.put("f.xml", rss(numbered(1, 3))).replace("127.0.0.1", "localhost")
    d = daemon(sources({"one": url, "two": "http://nowhere.invalid/f.xml"}), EVERYTHING).start()
    d.until_lines(3)
    d.until(lambda: d.source("two")["failures"], 30, "the other name is not known")
    assert "nowhere.invalid" in d.source("two")["error"] or "resolve" in d.source("two")["error"]
