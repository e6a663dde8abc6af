"""A document of a hundred thousand entries is stored in slices: other sources' records come in meanwhile,
and an entry that gets a guid is the same record as before."""
import shutil
import time

import pytest

from courant import SLOW, folder
from hostile import hostile

ENTRIES = 100000
LATE = 1500                             # ms that a poll may be late on a machine that others use
EVERY = 500                             # ms


def document(n, guid="-", links=0, title="Title"):
    return f"{n} {links} {title} {guid}".encode()


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


def with_healthy(d, origin, where):
    hostile(where, "source_many", "source_many")
    d.settings = {"plugins": [str(where)], "limits": {"job_cpu": "60 s", "job_deadline": "120 s"}}
    origin.set("/good", generate=5, grow=1, window=50)
    d.sources["good"] = {"plugin": "feed", "url": origin.url("/good"), "every": f"{EVERY} ms"}
    d.sources["large"] = {"plugin": "many", "url": origin.url("/large"), "every": "1 h"}
    d.routes["all"] = {"from": ["good"], "to": {"jsonl": {"path": "all.jsonl"}}}
    d.write()


def stored(d, origin, body, seconds=90):
    """Reads that document: how late the healthy source was polled meanwhile, at most, ms."""
    origin.put("large", body)
    checked, hits, lines = d.source("large")["checked"], origin.hits("/good"), len(d.lines())
    d.courant("refresh", "large")
    d.until(lambda: d.source("large")["checked"] != checked and not d.source("large")["polling"],
            seconds, "large is read", every=0.2)
    assert d.source("large")["state"] == "ok", d.source("large")
    time.sleep(1)
    d.until(lambda: len(d.lines()) > lines, 10, "records of the other source came")
    times = [r["time"] for r in origin.requests("/good")][max(hits - 1, 0):]
    return max(b - a for a, b in zip(times, times[1:])) - EVERY


def count(d):
    """Records of large."""
    return d.records() - len({r["id"] for r in d.lines()})


@pytest.mark.parametrize("first,then", [
    pytest.param({}, {"guid": "g-"}, id="guids_begin"),
    pytest.param({"guid": "g-"}, {}, id="guids_end"),
    pytest.param({"guid": "g-"}, {"guid": "G-"}, id="guids_in_capitals"),
    pytest.param({"guid": "g-"}, {"guid": "g-", "title": "Another"}, id="all_revised")])
def test_a_document_of_a_hundred_thousand_entries_delays_nobody(daemon, origin, where, first, then):
    d = daemon()
    origin.put("large", document(1, "x", title="First"))
    with_healthy(d, origin, where)
    d.start()
    d.until(lambda: d.source("large")["checked"], 20, "the first of it is read")
    pids = d.pids()
    for body in (first, then):
        late = stored(d, origin, document(ENTRIES, **body))
        assert late < LATE * SLOW, f"{late} ms late"
        d.until(lambda: abs(count(d) - ENTRIES - 1) <= 10, 10, f"{ENTRIES} records, not {count(d)}")
    assert d.pids() == pids
