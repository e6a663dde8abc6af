"""Eight sources that hold their workers, asleep or burning, delay nobody else: each plugin has a share."""
import re
import shutil

import pytest

from courant import SLOW, folder
from hostile import hostile

LATE = 1500                             # ms that a poll may be late on a machine that others use
EVERY = 500                             # ms


@pytest.fixture
def where():
    path = folder("plugins-")
    yield path
    shutil.rmtree(path)


def prepared(d, origin, where, files, burn, hold="7 s", n=8, limits=None):
    """Hogs of one plugin, or each of its own, and healthy sources: of feed, and of a hog's plugin."""
    names = [f"hog{i if files > 1 else 0}" for i in range(n)]
    for name in sorted(set(names)):
        hostile(where, "source_hog", f"source_{name}")
    d.settings = {"plugins": [str(where)],
                  "limits": {"job_deadline": "55 s", "job_cpu": "55 s", **(limits or {})}}
    for path in ("/page", "/good", "/near"):
        origin.set(path, generate=5, grow=1, window=50)
    url = origin.url("/page")
    for i, name in enumerate(names):
        d.sources[f"slow{i}"] = {"plugin": name, "url": url, "every": "1 s", "hold": hold,
                                 "burn": burn}
    d.sources["good"] = {"plugin": "feed", "url": origin.url("/good"), "every": f"{EVERY} ms"}
    if files == 1:
        d.sources["near"] = {"plugin": "hog0", "url": origin.url("/near"), "every": f"{EVERY} ms",
                             "hold": "0 s"}
    d.routes["all"] = {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}
    d.write()
    return ["/good", "/near"] if files == 1 else ["/good"]


def latest(origin, path, hits):
    """How late a source was polled, at most, ms."""
    times = [r["time"] for r in origin.until_hits(path, hits, 60)]
    return max(b - a for a, b in zip(times, times[1:])) - EVERY


@pytest.mark.parametrize("burn", [False, True], ids=["asleep", "burning"])
@pytest.mark.parametrize("files", [1, 8], ids=["of_one_plugin", "of_eight"])
def test_eight_that_hold_their_workers_delay_nobody_else(daemon, origin, where, files, burn):
    d = daemon()
    healthy = prepared(d, origin, where, files, burn)
    d.start(seconds=60)
    pids = d.pids()
    late = {path: latest(origin, path, 24) for path in healthy}
    assert all(ms < LATE * SLOW for ms in late.values()), f"{late} ms late"
    assert d.pids() == pids
    held = [w for w in d.status()["workers"] if (w["job"] or "").startswith("slow")]
    assert held, "the slow ones run all the same"


def test_status_tells_which_source_its_share_holds_back_and_why(daemon, origin, where):
    d = daemon()
    prepared(d, origin, where, 1, False, hold="30 s", n=24)
    d.start(seconds=60)
    why = r"\d+ jobs of plugin hog0 run"
    source = d.until(lambda: [s for s in d.status()["sources"] if re.search(why, s["waits"] or "")], 20,
                     "status names what a source waits for")[0]
    assert source["name"].startswith("slow") and source["polling"], source
    assert re.search(why, d.courant("status").stdout.decode())


def test_more_documents_of_a_plugin_than_the_queue_holds_keep_no_other_source_from_its_poll(
        daemon, origin, where):
    d = daemon()
    healthy = prepared(d, origin, where, 1, False, hold="30 s", n=400)
    d.start(seconds=60)
    late = latest(origin, healthy[0], 16)
    assert late < LATE * SLOW, f"{late} ms late"
