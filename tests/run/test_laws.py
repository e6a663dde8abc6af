"""The laws of the design that can be seen from outside, on the processes of a running daemon."""
import os
import pathlib
import re
import signal
import subprocess

import pytest

from courant import ROLES, numbered, processes, program, rss
from test_path import EVERYTHING, sources


@pytest.fixture
def running(daemon, origin):
    origin.put("f.xml", rss(numbered(1, 30)))
    d = daemon(sources({"one": origin.url("/f.xml")}, every="1 s"), EVERYTHING).start()
    d.until_lines(30)
    return d


def opened(pid):
    """{descriptor: (what it leads to, its flags)} of a process."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            info = pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
            found[int(fd)] = (os.readlink(f"/proc/{pid}/fd/{fd}"),
                              int(re.search(r"flags:\s*(\d+)", info)[1], 8))
        except OSError:
            pass
    return found


def mapped(pid):
    return pathlib.Path(f"/proc/{pid}/maps").read_text()


def workers(d):
    return [p for p, line in processes(d.process.pid).items() if "courant-worker" in line]


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="reads /proc of the daemon's processes")


@needs_root
def test_only_store_has_the_database_open_for_writing_and_serve_reads_it(running):
    d = running
    d.http("/api/v1/records")
    writers, readers, index = set(), set(), set()
    for name, pid in d.pids().items():
        for target, flags in opened(pid).values():
            if re.search(r"/index\.db(\.next)?$", target):
                index.add(name)
            elif re.search(r"\.db$", target):
                (writers if flags & os.O_ACCMODE != os.O_RDONLY else readers).add(name)
    assert writers == {"store"} and readers <= {"serve", "index"}, (writers, readers)
    assert index <= {"index"}, index


@needs_root
def test_core_has_no_network_socket_no_sqlite_and_no_plugin(running):
    d = running
    core = d.process.pid
    inodes = {re.search(r"\[(\d+)\]", t)[1] for t, _ in opened(core).values()
              if t.startswith("socket:")}
    inet = ""
    for name in ("tcp", "tcp6", "udp", "udp6"):
        inet += pathlib.Path(f"/proc/{core}/net/{name}").read_text()
    listening = {i for i in inodes if re.search(rf"\b{i}\b", inet)}
    port = f":{d.address()[1]:04X} "
    ours = {i for i in listening for line in inet.splitlines()
            if re.search(rf"\b{i}\b", line) and port in line}
    # The listener, which core hands to each new serve, is all that there may be.
    assert listening == ours, inet
    assert not re.search(r"\.db(-shm)?$", mapped(core), re.M)
    assert ".db" not in " ".join(t for t, _ in opened(core).values())
    assert "/plugins/" not in mapped(core)


@needs_root
def test_no_role_loads_a_plugin_and_only_copies_are_loaded(running):
    d = running
    for name, pid in d.pids().items():
        assert "/plugins/" not in mapped(pid), name

    def copies():
        found = [line.split()[-1] for w in workers(d) for line in mapped(w).splitlines()
                 if ".so" in line and "/plugins/" in line]
        return found
    found = d.until(copies, 20, "a worker with a plugin")
    assert all(re.search(r"/state/plugins/[0-9a-f]{64}\.so$", f) for f in found), found


@pytest.mark.sandbox
def test_a_worker_links_libc_alone(running):
    loaded = mapped(running.process.pid)
    assert "/libseccomp.so" in loaded, loaded
    text = subprocess.run(["ldd", program("courant-worker")], check=True, capture_output=True,
                          text=True).stdout
    found = re.findall(r"^\s*(\S+)", text, re.M)
    assert [f for f in found if not re.match(r"linux-vdso|libc\.so|/lib.*/ld-linux", f)] == [], text


@needs_root
@pytest.mark.sandbox
def test_workers_have_no_socket_but_their_channel_and_are_filtered(running):
    d = running

    def state():
        for w in workers(d):
            try:
                text = pathlib.Path(f"/proc/{w}/status").read_text()
                fds = opened(w)
            except OSError:
                continue
            if re.search(r"^Seccomp_filters:\s*2$", text, re.M):
                return text, fds
        return None
    text, fds = d.until(state, 20, "a sealed worker")
    assert re.search(r"^NoNewPrivs:\s*1$", text, re.M) and re.search(r"^Seccomp:\s*2$", text, re.M)
    sockets = [fd for fd, (target, _) in fds.items() if target.startswith("socket:")]
    assert sockets == [3], fds


@needs_root
def test_every_process_runs_as_the_configured_user(running):
    d = running
    for pid, line in processes(d.process.pid).items():
        try:
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        for kind in ("Uid", "Gid"):
            ids = re.search(rf"^{kind}:\s*(.*)$", text, re.M)[1].split()
            assert "0" not in ids, (line, kind, ids)
        assert not re.search(r"^Groups:.*\b0\b", text, re.M), line
        assert re.search(r"^CapEff:\s*0+$", text, re.M), line


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_is_killed_comes_back_and_work_goes_on(daemon, origin, role):
    origin.set("/f", generate=10, grow=2, window=100)
    d = daemon(sources({"one": origin.url("/f")}, every="1 s"), EVERYTHING).start()
    d.until(lambda: len(d.lines()) >= 12, 20, "it runs")
    pids = d.pids()
    os.kill(pids[role], signal.SIGKILL)
    d.until(lambda: d.pids()[role] not in (0, pids[role]), 20, f"a new {role}")
    others = {n: p for n, p in d.pids().items() if n != role}
    assert others == {n: p for n, p in pids.items() if n != role}
    told = next(r for r in d.status()["roles"] if r["name"] == role)
    assert told["restarts"] == 1 and "signal 9" in told["obituary"], told
    before, hits = len(d.lines()), origin.hits("/f")
    d.until(lambda: len(d.lines()) > before and origin.hits("/f") > hits, 30, "records go on")
    lines = d.lines()
    assert len({r["guid"] for r in lines}) == len({r["id"] for r in lines}) == len(lines)


def test_a_role_that_dies_at_once_restarts_with_a_doubling_delay(daemon, origin):
    origin.put("f.xml", rss(numbered(1, 2)))
    d = daemon(sources({"one": origin.url("/f.xml")}), EVERYTHING).start()
    for n in range(4):
        pid = d.until(lambda: d.pids()["serve"], 20, "serve is up")
        os.kill(pid, signal.SIGKILL)
        d.until(lambda: d.pids()["serve"] != pid, 20, "its death is seen")
    d.until(lambda: d.log().count("serve starts again in") >= 4, 20, "four announcements")
    delays = [int(x) for x in re.findall(r"serve starts again in (\d+) ms", d.log())]
    assert all(b == 2 * a for a, b in zip(delays, delays[1:])), delays
