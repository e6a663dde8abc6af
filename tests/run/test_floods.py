"""Frames that cost core and not their sender end the worker that sends them, and status says so."""
import os
import re
import shutil
import subprocess
import threading
import time

import pytest

from courant import SLOW, folder, numbered, program, rss
from hostile import hostile

LIMITS = {"job_deadline": f"{int(20 * SLOW)} s", "job_cpu": f"{int(20 * SLOW)} s", "workers": 2}
# What each place may send at all: READY comes once, ALIVE once a second, PROGRESS once a record.
FRAMES = [("READY", 0), ("W_ALIVE", 0), ("W_PROGRESS", 4), ("W_WAIT", 8), ("W_HTTP", 64), ("W_CHECKED", 4),
          ("W_PARSED", 64), ("STOP", 0)]
WHY = r"floods|bad frame|after its job was done|asked for HTTP beyond"


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


def cpu(pid):
    """Seconds of CPU that a process has used."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def calm(d, seconds=2):
    """Core is at rest: over some seconds it uses a part of a CPU."""
    pid, begun, used = d.pids()["core"], time.monotonic(), 0
    before = cpu(pid)
    time.sleep(seconds)
    used = (cpu(pid) - before) / (time.monotonic() - begun)
    assert used < 0.4, f"core uses {used:.2f} of a CPU"


def flooding(d, origin, where, place, frame, length, *more):
    """A daemon whose plugin floods in this place; a function that gives the reason in status."""
    kind = {"FILTER": "filter", "DELIVER": "sink"}.get(place, "source")
    hostile(where, "flood", f"{kind}_flood", f"IN_{place}", f"TYPE=MSG_{frame}", f"LEN={length}", *more)
    d.settings = {"plugins": [str(where)], "limits": LIMITS}
    url = origin.put("f", rss(numbered(1, 3)))
    d.sources = {"good": {"plugin": "feed", "url": url, "every": "1 h"}}
    if kind == "source":
        d.sources["evil"] = {"plugin": "flood", "url": url, "every": "1 h"}
        if place == "STREAM":
            del d.sources["evil"]["url"]
            del d.sources["evil"]["every"]
        d.write()
        return lambda: (d.source("evil")["state"] not in ("ok", "new") and d.source("evil")["error"]) or ""
    d.routes["r"] = {"from": ["good"], "to": {"jsonl": {"path": "all.jsonl"}}}
    if kind == "filter":
        d.routes["r"]["filters"] = [{"flood": {}}]
        d.write()
        return lambda: str(d.route("r")["filters"]["reason"])
    d.routes["r"]["to"] = {"flood": {}}
    d.write()
    return lambda: str(d.route("r")["sinks"][0]["reason"])


@pytest.mark.parametrize("frame,length", FRAMES)
@pytest.mark.parametrize("place", ["PARSE", "STREAM", "FILTER", "DELIVER"])
def test_a_worker_that_floods_core_with_frames_is_ended_for_it(daemon, origin, where, place, frame,
                                                              length):
    d = daemon()
    reason = flooding(d, origin, where, place, frame, length)
    d.start()
    pids = d.pids()
    d.until(lambda: re.search(WHY, reason()), 8, f"status shows /{WHY}/")
    d.wait_log(WHY)
    assert d.pids() == pids
    if place != "STREAM":
        calm(d)


@pytest.mark.parametrize("frame,length", FRAMES)
def test_a_worker_that_floods_core_during_a_visit_is_ended_for_it(daemon, origin, where, frame, length):
    d = daemon()
    flooding(d, origin, where, "REQUEST", frame, length)
    d.start()
    d.until(lambda: d.source("evil")["checked"], 20, "evil was read")
    pids = d.pids()
    threading.Thread(target=lambda: d.http("/x/evil/", seconds=60), daemon=True).start()
    d.wait_log(rf"worker \d+ \(flood\) died of evil: .*({WHY})", 8)
    assert d.pids() == pids
    calm(d)


@pytest.mark.parametrize("place", ["CHECK", "CONSTRUCTOR"])
@pytest.mark.parametrize("frame,length", FRAMES)
def test_a_plugin_that_floods_core_before_it_works_is_refused_for_it(daemon, origin, where, place,
                                                                     frame, length):
    d = daemon()
    flooding(d, origin, where, place, frame, length)
    begun = time.monotonic()
    code, text = d.run("-n")
    assert code == 1, text
    assert re.search(rf"(?i){WHY}|died", text), text
    assert time.monotonic() - begun < 4 * SLOW, "it was waited for"


@pytest.mark.parametrize("how", ["CRUMBS", "PRINTS"])
def test_a_stream_that_costs_core_in_other_ways_does_not_either(daemon, origin, where, how):
    d = daemon()
    flooding(d, origin, where, "STREAM", "READY", 0, how)
    d.start()
    d.until(lambda: d.source("evil")["streaming"] or d.source("evil")["error"], 10, "it began")
    time.sleep(1)
    calm(d, 4)


def test_more_descriptors_than_a_message_may_have_are_named_as_the_reason(daemon, origin, where):
    d = daemon()
    reason = flooding(d, origin, where, "PARSE", "READY", 0, "MANY_FDS")
    d.start()
    d.until(lambda: "bad frame: too many descriptors" in reason(), 8, "status names the descriptors")
    assert "killed by signal 9" not in d.log()


@pytest.mark.parametrize("command,place", [("parse", "PARSE"), ("fetch", "PARSE"), ("filter", "FILTER")])
@pytest.mark.parametrize("frame,length", [("READY", 0), ("W_ALIVE", 0), ("W_PROGRESS", 4)])
def test_a_command_that_runs_a_plugin_ends_one_that_floods(daemon, origin, where, command, place,
                                                           frame, length):
    kind = "filter" if place == "FILTER" else "source"
    path = hostile(where, "flood", f"{kind}_flood", f"IN_{place}", f"TYPE=MSG_{frame}", f"LEN={length}")
    page = where / "page"
    page.write_bytes(b"a document")
    d = daemon()
    arguments = {"parse": ["parse", "--plugin", str(path), str(page)],
                 "fetch": ["fetch", "--plugin", str(path), "--url", origin.put("f", b"a document")],
                 "filter": ["filter", "--plugin", str(path)]}[command]
    begun = time.monotonic()
    done = subprocess.run([program("courant"), "-c", str(d.conf), *arguments],
                          input=b'{"id":"a","title":"A"}\n', capture_output=True, timeout=20 * SLOW)
    assert done.returncode not in (0, None), done
    said = (done.stdout + done.stderr).decode()
    assert re.search(r"floods|sent a W_", said), said
    assert time.monotonic() - begun < 8 * SLOW
