"""The core process: reloads at bad moments, roles that die at others, and limits that hold."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from courant import BUILD, fake_clock, folder, numbered, processes, program, rss
from test_evil import LIMITS, folder_of
from test_path import EVERYTHING, sources


def roles(d, name):
    return [p for p, line in processes(d.process.pid).items() if line.endswith(f"--role {name}")]


def test_two_reloads_at_once_are_both_taken(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url}), EVERYTHING).start()
    d.until_lines(3)
    d.settled()
    d.until(lambda: all(leg["state"] == "idle" for leg in d.route("everything")["sinks"]), 20, "idle")
    pid = d.pids()["store"]
    os.kill(pid, signal.SIGSTOP)        # so that both reach it before it answers the first
    for n in (30, 60):
        d.sources.update(sources({f"more{i}": url for i in range(n)}, every="1 h"))
        d.write()
        assert d.courant("reload").returncode == 0
        d.wait_log(f"configuration taken: {n + 1} sources")
    os.kill(pid, signal.SIGCONT)
    d.until(lambda: all(s["checked"] for s in d.status()["sources"]), 20, "all are polled")
    assert d.process.poll() is None and d.pids()["store"] == pid


def test_a_reload_is_taken_though_store_dies_of_what_it_was_asked(daemon, origin):
    origin.set("/f", generate=3, grow=1, window=20)
    d = daemon(sources({"one": origin.url("/f")}, every="200 ms"), EVERYTHING).start()
    d.until(lambda: len(d.lines()) >= 3, 20, "it runs")
    pid = d.pids()["store"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(1)                       # stations ask, and are not answered
    d.sources.update(sources({"two": origin.put("g.xml", rss(numbered(1, 2, "g")))}))
    d.write()
    d.courant("reload")
    os.kill(pid, signal.SIGKILL)
    d.wait_log("configuration taken: 2 sources", 10)
    d.until(lambda: d.source("two")["found"] == 2, 20, "the new source is polled")


def test_serve_that_waits_for_its_return_is_not_started_twice(daemon, origin):
    d = daemon(sources({"one": origin.put("f.xml", rss(numbered(1, 2)))}), EVERYTHING).start()
    for n in range(5):
        pid = d.until(lambda: roles(d, "serve"), 20, "serve is up")[0]
        os.kill(pid, signal.SIGKILL)
        d.until(lambda: d.log().count("serve starts again in") > n, 20, "its death is seen")
    d.courant("reload")
    d.wait_log("configuration taken")
    d.until(lambda: d.log().count("serve starts as pid") >= 6, 20, "it is back")
    time.sleep(2)
    assert len(roles(d, "serve")) == 1 and d.log().count("serve starts as pid") == 6


def test_what_a_reload_changed_is_polled_anew_and_whole(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": origin.url("/wrong"), "two": url}, every="1 h"), EVERYTHING).start()
    d.until(lambda: d.source("one")["failures"] and d.source("two")["found"] == 3, 20, "both polled")
    hits = origin.hits("/f.xml")
    d.sources["one"]["url"] = url
    d.write()
    d.courant("reload")
    d.until(lambda: d.source("one")["found"] == 3, 10, "the mended address is asked at once")
    assert d.source("one")["failures"] == 0
    assert origin.hits("/f.xml") == hits + 1, "the other source was left in peace"


def plugins_of(d, *names):
    folder_of(d, *names)
    d.own(d.folder / "plugins")
    return d.folder / "plugins"


@pytest.mark.parametrize("valid", [True, False])
def test_a_plugin_that_is_refused_while_in_use_costs_its_source_alone(daemon, origin, valid):
    d = daemon()
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(BUILD / "tests" / "plugins" / "source_lines.so", where)
    (where / "source_lines.so").chmod(0o755)
    d.settings = {"plugins": [str(where)]}
    url = origin.put("list.txt", b"a\nb\n")
    d.sources = {"lines": {"plugin": "lines", "url": url, "every": "250 ms"},
                 **sources({"one": origin.put("f.xml", rss(numbered(1, 3)))}, every="250 ms")}
    d.routes = {}
    d.write()
    d.start()
    d.until(lambda: d.source("lines")["checked"], 20, "it is polled")
    (where / "source_lines.so").chmod(0o777)
    if not valid:
        d.write(**{"no-such-key": "x"})
    d.courant("reload", check=False)
    hits = origin.hits("/f.xml")
    origin.until_hits("/f.xml", hits + 4, 20)
    assert d.process.poll() is None
    # Its folder is watched: whatever becomes of the configuration, nothing of the file is run.
    d.until(lambda: d.source("lines")["state"] == "waiting", 10, "it waits for its plugin")


def test_many_documents_for_a_plugin_that_crashes_are_each_answered(daemon, origin):
    d = daemon()
    folder_of(d, "crash")
    url = origin.put("evil", b"a document")
    d.sources = {f"evil{i}": {"plugin": "crash", "url": url, "every": "1 h"} for i in range(24)}
    d.write()
    d.start()
    d.until(lambda: all(s["state"] == "parked" for s in d.status()["sources"]), 30, "all parked")


def test_files_that_are_all_due_at_once_are_polled_one_after_the_other(daemon):
    many = 12000
    d = daemon()
    where = d.folder / "in"
    where.mkdir()
    d.settings = {"files": [str(where)]}
    d.sources = {"gone": {"plugin": "feed", "each": [str(i) for i in range(many)],
                          "url": f"file://{where}/{{each}}.xml", "every": "2 s"}}
    d.write()
    d.start(seconds=60)
    d.until(lambda: d.status()["counts"]["failed"] >= many, 60, "each was looked at")
    os.kill(d.process.pid, signal.SIGSTOP)
    time.sleep(8)                       # longer than any of them waits by now
    os.kill(d.process.pid, signal.SIGCONT)
    failed = d.status()["counts"]["failed"]
    d.until(lambda: d.status()["counts"]["failed"] > failed + many / 2, 60, "they are looked at")
    assert d.process.poll() is None


def test_a_second_daemon_is_told_so_even_when_the_port_is_taken(daemon):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    d = daemon(settings={"serve": {"listen": f"127.0.0.1:{port}"}}).start()
    code, said = d.run()
    assert code == 75 and "another courantd" in said, (code, said)
    assert d.process.poll() is None


def test_garbage_on_the_admin_socket_harms_nobody(daemon):
    d = daemon().start()
    pids = d.pids()
    for data in (b"\0" * 4096, b"\xff" * 64, b"GET / HTTP/1.0\r\n\r\n", struct.pack("<IHHI", 9, 31, 2, 1),
                 struct.pack("<IHHI", 4, 29, 0, 1) + b"\xff" * 4):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(d.state / "admin.sock"))
            s.sendall(data)
            s.settimeout(5)
            try:
                s.recv(100)
            except (ConnectionError, TimeoutError):
                pass
    held = []
    for _ in range(40):                 # more than it takes at once
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(d.state / "admin.sock"))
        held.append(s)
    d.wait_log("too many connections")
    for s in held:
        s.close()
    d.until(lambda: d.courant("status", "--json", check=False).returncode == 0, 10, "it answers")
    assert d.pids() == pids


def test_a_stop_with_a_sink_that_hangs_ends_in_bounded_time(daemon, origin):
    d = daemon()
    folder_of(d, "sink_hang")
    d.settings["limits"] = {**LIMITS, "job_deadline": "60 s"}
    d.sources = sources({"one": origin.put("f.xml", rss(numbered(1, 3)))})
    name = re.search(r'\.name = "(\w+)"', (pathlib.Path(__file__).parents[1] / "evil" /
                                           "sink_hang.c").read_text())[1]
    d.routes = {"r": {"from": ["*"], "to": {name: {}}}}
    d.write()
    d.start()
    d.until(lambda: d.route("r")["sinks"][0]["state"] == "working", 20, "it hangs")
    begun = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - begun < 12


@pytest.mark.parametrize("pause", [0.0, 0.003, 0.01])
def test_nothing_survives_core(daemon, origin, pause):
    d = daemon()
    folder_of(d, "sleep", "ignore_signals")
    url = origin.put("evil", b"a document")
    d.sources = {f"{n}{i}": {"plugin": n, "url": url, "every": "1 h"}
                 for n in ("sleep", "ignore_signals") for i in range(4)}
    d.write()
    d.start(wait=False)
    d.wait_log("died of|fetch starts")
    for _ in range(50):
        if any("courant-worker" in p for p in processes(d.process.pid).values()):
            break
        time.sleep(0.01)
    time.sleep(pause)
    os.kill(d.process.pid, signal.SIGKILL)
    d.process.wait()
    d.gone()


def test_status_of_thousands_of_sources_comes_whole(daemon):
    d = daemon()
    d.sources = {"many": {"plugin": "feed", "each": [f"s{i}" for i in range(5000)],
                          "url": "http://127.0.0.1:1/{each}", "every": "1 h"}}
    d.write()
    d.start()
    for _ in range(5):
        assert len(json.loads(d.courant("status", "--json").stdout)["sources"]) == 5000


def test_a_log_that_nobody_reads_holds_up_nobody(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({f"s{i}": url for i in range(20)}, every="200 ms"), EVERYTHING)
    d.write()
    read, write = os.pipe()
    d.process = subprocess.Popen([program("courantd"), "-d", "-c", str(d.conf)],
                                 stdin=subprocess.DEVNULL, stdout=write, stderr=write,
                                 start_new_session=True, cwd=d.folder)
    os.close(write)
    d.until(d.ready)
    d.until(lambda: d.status()["counts"]["not_modified"] > 300, 40, "hundreds of polls")
    os.set_blocking(read, False)
    said = b""
    def lost():
        nonlocal said
        try:
            said += os.read(read, 1 << 20)
        except BlockingIOError:
            pass
        return re.search(rb"\d+ lines were lost", said)
    d.until(lost, 10, "it says what was lost")
    assert d.stop() == 0
    os.close(read)


def test_a_clock_put_back_does_not_hold_up_the_polls(daemon, origin):
    clock = folder() / "clock"
    clock.write_text("+3d\n")
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url}, every="1 s"), EVERYTHING)
    with pytest.MonkeyPatch.context() as env:
        fake_clock(env, clock)
        d.start(wait=False)
    d.until(d.ready)
    origin.until_hits("/f.xml", 2, 20)
    clock.write_text("+0d\n")
    time.sleep(1.5)
    hits = origin.hits("/f.xml")
    d.courant("status")                 # whoever turned the clock wakes the loop this way
    origin.until_hits("/f.xml", hits + 3, 20)
    shutil.rmtree(clock.parent)


@pytest.fixture
def small_disk(daemon):
    """A daemon whose state lies on a disk with 2 MB beside the copies of its plugins."""
    d = daemon()
    room = sum(so.stat().st_size for so in (BUILD / "plugins").glob("*.so")) + (2 << 20)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room},mode=0755", "none", str(d.state)],
                      capture_output=True).returncode != 0:
        pytest.skip("no disk can be mounted here")
    d.own(d.state)
    d.settings["limits"] = {"disk_free": 0}     # 1 MiB of these 2 MB
    yield d
    if d.process and d.process.poll() is None:
        d.kill()
    subprocess.run(["umount", "-l", str(d.state)], capture_output=True)


def fill(disk):
    """Writes until nothing fits; the file to remove when there is to be room again."""
    ballast = disk / "ballast"
    with open(ballast, "wb", buffering=0) as f, pytest.raises(OSError):
        while True:
            f.write(b"x" * 4096)
    return ballast


def test_a_plugin_that_finds_no_room_for_its_copy_is_refused_and_the_daemon_runs(small_disk):
    d = small_disk
    d.sources = {}
    d.write()
    d.start()
    assert d.stop() == 0
    shutil.rmtree(d.state / "plugins")
    ballast = fill(d.state)
    d.start(wait=False)
    d.wait_log("cannot be copied to .*: No space left on device")
    d.until(lambda: not list((d.state / "plugins").glob("*.new")), 10,
            "nothing half is left behind, but while one is tried again")
    assert not d.reports
    d.kill()
    ballast.unlink()


def test_a_full_disk_stores_nothing_half_and_work_goes_on_once_there_is_room(small_disk, origin):
    d = small_disk
    origin.set("/f", generate=5, grow=5, window=50)
    d.sources = sources({"one": origin.url("/f")}, every="300 ms")
    d.routes = {"r": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    d.start()
    d.until(lambda: len(d.lines()) >= 10, 20, "it runs")
    pids = d.pids()
    ballast = fill(d.state)
    d.wait_log("no room on the disk", 40)
    time.sleep(3)
    assert d.process.poll() is None and d.pids() == pids, d.log()
    ballast.unlink()
    before = len(d.lines())
    d.until(lambda: len(d.lines()) > before + 10, 90, "work goes on")
    assert d.pids() == pids
    assert d.stop() == 0
    lines = d.lines()
    ids = [r["id"] for r in lines]
    numbers = sorted(int(re.search(r"\d+", r["title"])[0]) for r in lines)
    assert len(set(r["guid"] for r in lines)) == len(set(ids))
    assert sorted(set(numbers)) == list(range(numbers[0], numbers[-1] + 1)), "none is missing"
