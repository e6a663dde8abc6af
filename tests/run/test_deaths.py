"""A route whose worker dies of record after record waits longer each time, and pauses before all of the
backlog is dead letters."""
import re
import shutil
import time

import pytest

from courant import SLOW, folder, numbered, rss
from hostile import hostile

BACKLOG = 1000
DEAD = 8                                # dead letters until the pause, at most
LOG = 40000                             # bytes


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


def dying(d, origin, where, place, nth=1):
    kind = "filter" if place == "FILTER" else "sink"
    hostile(where, "dies", f"{kind}_dies", f"IN_{place}", f"NTH={nth}")
    d.settings = {"plugins": [str(where)]}
    d.sources = {"one": {"plugin": "feed", "url": origin.put("f", rss(numbered(1, BACKLOG))),
                         "every": "1 h"}}
    to = {"dies": {"backlog": "all"}} if kind == "sink" else {"jsonl": {"path": "evil.jsonl"}}
    d.routes = {"good": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}},
                "evil": {"from": ["*"], "to": to}}
    if kind == "filter":
        d.routes["evil"]["filters"] = [{"dies": {}}]
    d.write()
    return lambda: d.route("evil")["filters"] if kind == "filter" else d.route("evil")["sinks"][0]


@pytest.mark.parametrize("place", ["FILTER", "DELIVER"])
def test_a_backlog_does_not_become_dead_letters_of_a_plugin_that_dies_of_each(daemon, origin, where,
                                                                             place):
    d = daemon()
    station = dying(d, origin, where, place)
    d.start()
    d.until_lines(BACKLOG, seconds=30)
    d.until(lambda: station()["state"] == "retrying", 20, "the delay is shown")
    d.until(lambda: station()["state"] == "paused", 40, "it pauses")
    assert re.search("record after record kills its workers: .*signal 6", station()["reason"])
    assert station()["dead"] <= DEAD, station()
    assert len(d.log()) < LOG
    assert re.search(r"paused: record after record", d.courant("status").stdout.decode())
    size = len(d.log())
    time.sleep(2)
    assert len(d.log()) - size < 1000, "it rests"

    # An operator's order goes on, and pauses again.
    assert b"is resumed" in d.courant("resume", "evil").stdout
    d.until(lambda: station()["state"] == "paused" and station()["dead"] > 5, 40, "it pauses again")
    assert station()["dead"] <= 2 * DEAD

    # So does another file of the plugin, which is the cure.
    dead = station()["dead"]
    hostile(where, "dies", "filter_dies" if place == "FILTER" else "sink_dies", f"IN_{place}",
            "NTH=100000")
    d.until(lambda: station()["state"] == "idle" and not station().get("unconfirmed"), 60, "all is done")
    assert station()["dead"] == dead


@pytest.mark.parametrize("place", ["FILTER", "DELIVER"])
def test_one_that_dies_of_every_second_record_does_not_get_far_either(daemon, origin, where, place):
    d = daemon()
    station = dying(d, origin, where, place, 2)
    d.start()
    d.until_lines(BACKLOG, seconds=30)
    d.until(lambda: (station()["dead"] or 0) > 0, 20, "the first is a dead letter")
    begun = time.monotonic()
    time.sleep(8)
    assert station()["dead"] < 30, station()
    deaths = len(re.findall(r"worker \d+ \(evil/\S+\) died", d.log()))
    assert deaths < 24 + (time.monotonic() - begun), "deaths are bounded by time"
    assert len(d.log()) < 2 * LOG * SLOW
