"""Sums: the memory of all workers together, what one source may bring in an hour, room on the disk."""
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from courant import BUILD, processes
from test_core import fill

MB = 1 << 20


def evil(d, *names, **limits):
    where = d.folder / "plugins"
    where.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(BUILD / "tests" / "evil" / f"{name}.so", where / f"source_{name}.so")
        (where / f"source_{name}.so").chmod(0o755)
    d.settings.update({"plugins": [str(where)], "limits": {"workers": 2, **limits}})


def everything(d):
    d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()


def healthy(d, origin):
    origin.set("/healthy", generate=5, grow=1, window=50)
    d.sources["healthy"] = {"plugin": "feed", "url": origin.url("/healthy"), "every": "500 ms"}


def is_alive(pid):
    try:
        return "RssAnon" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def taken(d):
    """Bytes of memory of all workers, memory files that they have open included. 0: one died while the others were
    read, who was not there together with its successor."""
    all_, files, counted = 0, {}, []
    for pid, line in processes(d.process.pid).items():
        if "courant-worker" not in line:
            continue
        try:
            said = pathlib.Path(f"/proc/{pid}/status").read_text()
            all_ += 1024 * int(re.search(r"RssAnon:\s+(\d+)", said)[1])
            counted.append(pid)
            for fd in os.scandir(f"/proc/{pid}/fd"):
                st = os.stat(fd.path)
                if os.readlink(fd.path).startswith("/memfd:"):
                    files[st.st_ino] = 512 * st.st_blocks
        except (OSError, TypeError):
            continue
    return all_ + sum(files.values()) if all(map(is_alive, counted)) else 0


def peak(d, seconds, until=None):
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and not (until and until()):
        most = max(most, taken(d))
        time.sleep(0.01)
    return most


def goes_on(origin):
    """The healthy source is polled all the same. How soon is the CPU's affair."""
    origin.until_hits("/healthy", origin.hits("/healthy") + 4, 20)


@pytest.mark.memory
def test_what_loading_makes_of_memory_files_is_bounded(daemon):
    d = daemon()
    evil(d, "c_memory_files")
    everything(d)
    d.start(wait=False)
    most = peak(d, 20, lambda: re.search(r"MB of memory files|denied: memfd_create", d.log()))
    got = re.search(r"has (\d+) MB of memory files", d.log())
    assert not got or int(got[1]) <= 64, f"{got[0]}, {most / MB:.0f} MB seen"
    assert got or "denied: memfd_create" in d.log()
    assert most < 128 * MB


def adjusted(pid):
    return int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text())


def file_size(pid):
    return re.search(r"Max file size +(\d+) +(\d+)", pathlib.Path(f"/proc/{pid}/limits").read_text())


def test_workers_have_limits_and_go_before_roles_and_roles_before_core(daemon, origin):
    d = daemon()
    evil(d, "hoard")
    d.sources = {"h": {"plugin": "hoard", "take": "1 MB"}}
    healthy(d, origin)
    everything(d)
    d.start()
    d.until(lambda: {"h", "healthy", "all"} <= {w["job"] for w in d.status()["workers"]} or
            len(d.status()["workers"]) >= 3, 20, "workers of three kinds")
    status = d.status()
    core = adjusted(d.process.pid)
    roles = [adjusted(r["pid"]) for r in status["roles"] if r["name"] != "core"]
    workers = [w["pid"] for w in status["workers"]]
    assert all(core < score or score == 1000 for score in roles), (core, roles)
    assert all(max(roles) < adjusted(pid) or max(roles) == 1000 for pid in workers)
    for pid in workers:
        assert file_size(pid) and int(file_size(pid)[2]) <= 4 << 30, pid
    assert d.stop() == 0


@pytest.mark.memory
@pytest.mark.parametrize("files", [False, True])
def test_twelve_hoarding_streams_stay_within_the_limit_together(daemon, origin, files):
    d = daemon()
    evil(d, "hoard", memory="400 MB")
    d.sources = {f"h{i}": {"plugin": "hoard", "take": "150 MB", "files": files} for i in range(12)}
    healthy(d, origin)
    everything(d)
    d.start()
    pids = d.pids()
    most = peak(d, 6)
    assert most <= 400 * MB * 1.2, f"{most / MB:.0f} MB"   # taken() reads one after the other
    said = d.wait_log(r"died of h\d+: (the workers hold .*)", 5)[1]
    assert "limits: memory" in said
    status = d.status()
    assert status["memory"]["used"] > 0 and status["memory"]["limit"] == 400 * 10**6, status["memory"]
    assert [s for s in status["sources"] if s["plugin"] == "hoard" and
            (s["error"] or "").startswith("the workers hold")]
    goes_on(origin)
    assert d.pids() == pids
    assert d.stop() == 0


def flooded(d, **options):
    evil(d, "gush", **options.pop("limits", {}))
    d.sources["flood"] = {"plugin": "gush", **options}


@pytest.mark.parametrize("where", ["limits", "source"])
def test_a_source_that_brings_too_much_in_an_hour_is_held_and_told(daemon, origin, where):
    d = daemon()
    most = {"hour_bytes": "5 MB"}
    flooded(d, **({"limits": most} if where == "limits" else most))
    healthy(d, origin)
    everything(d)
    d.start()
    d.until(lambda: d.source("flood")["state"] == "held", 20, "it is held")
    source = d.source("flood")
    assert re.search(r"over .*5 MB.*hour_bytes", source["error"]), source
    assert source["held_until"] and source["streaming"], source
    assert "hour_bytes" in d.courant("status").stdout.decode()
    d.until(lambda: len([r for r in d.lines() if r["source"] == "flood"]) >= 40, 10)
    before = len([r for r in d.lines() if r["source"] == "flood"])
    goes_on(origin)
    after = [int(r["guid"]) for r in d.lines() if r["source"] == "flood"]
    assert len(after) <= before + 11 and sorted(after) == list(range(1, len(after) + 1))
    assert d.stop() == 0


@pytest.fixture
def disk(daemon, request):
    """A daemon whose state lies on a disk with 40 MB beside the copies of its plugins, or so many MB."""
    d = daemon()
    room = (sum(so.stat().st_size for so in (BUILD / "plugins").glob("*.so")) +
            getattr(request, "param", 40) * MB)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room},mode=0755", "none", str(d.state)],
                      capture_output=True).returncode != 0:
        pytest.skip("no disk can be mounted here")
    d.own(d.state)
    yield d
    if d.process and d.process.poll() is None:
        d.kill()
    subprocess.run(["umount", "-l", str(d.state)], capture_output=True)


def free(d):
    fs = os.statvfs(d.state)
    return fs.f_bavail * fs.f_frsize


def test_below_disk_free_records_wait_delivery_goes_on_and_all_comes_back(disk, origin):
    d = disk
    flooded(d, limits={"disk_free": "12 MB"})
    healthy(d, origin)
    d.routes = {"all": {"from": ["healthy"], "once": "record",
                        "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    ballast = d.state / "ballast"
    ballast.write_bytes(bytes(12 * MB))
    d.start()
    pids = d.pids()
    said = d.wait_log(r"no room on the disk for new records: (\S+ \S+) free, 12 MB wanted "
                      r"\(limits: disk_free\): fetching and streams wait, delivery goes on", 20)
    assert said
    before = d.records()
    time.sleep(1)
    hits = origin.hits("/healthy")
    time.sleep(1.5)
    status = d.status()
    assert free(d) > 6 * MB and d.records() <= before + 60 and origin.hits("/healthy") == hits
    assert status["disk"]["free"] < status["disk"]["wanted"] == 12 * 10**6
    assert "12 MB wanted" in d.courant("status").stdout.decode()
    refused = d.courant("refresh", "healthy", check=False)
    assert refused.returncode == 1 and b"no room on the disk" in refused.stdout + refused.stderr
    d.routes["later"] = {"from": ["healthy"], "once": "record",
                         "to": {"jsonl": {"path": "later.jsonl", "backlog": "all"}}}
    d.write()
    d.courant("reload")
    d.until(lambda: d.out("later.jsonl").exists() and len(d.lines("later.jsonl")) >= 5, 10,
            "delivery goes on")
    held = d.records()
    ballast.unlink()
    d.wait_log("free on the disk: fetching and streams go on", 10)
    d.until(lambda: d.records() > held + 20 and origin.hits("/healthy") > hits, 15, "all comes back")
    assert d.pids() == pids
    assert d.stop() == 0


def test_a_disk_that_is_full_holds_the_store_up_and_loses_nothing(disk, origin):
    d = disk
    flooded(d, size="10 kB", burst=5, pause="20 ms", limits={"disk_free": 0})
    healthy(d, origin)
    everything(d)
    d.start()
    d.until(lambda: len(d.lines()) > 20, 20, "it runs")
    pids = d.pids()
    ballast = fill(d.state)
    d.wait_log("no room on the disk of the database: store waits", 10)
    time.sleep(2)
    begun = time.monotonic()
    status = d.status()
    assert time.monotonic() - begun < 2 and status["disk"]["held"], status["disk"]
    assert d.pids() == pids
    before = status["counts"]["records"]
    ballast.unlink()
    d.wait_log("there is room on the disk of the database again", 10)
    d.until(lambda: d.records() > before + 50, 20, "it goes on")
    assert d.pids() == pids
    assert d.stop() == 0
    numbers = sorted({int(r["guid"]) for r in d.lines() if r["source"] == "flood"})
    assert numbers == list(range(1, len(numbers) + 1)), "none is missing"
    assert "starts again" not in d.log()
