"""Streams: plugins that bring records by their own means, in a worker of their own, for as long as their
source exists."""
import os
import re
import shutil
import signal
import time

import pytest

from courant import BUILD, SLOW

FOLDER = BUILD / "tests" / "plugins"


def load(d, *names, **settings):
    """The test plugins of these names into a plugin folder of the daemon's."""
    where = d.folder / "plugins"
    where.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(FOLDER / f"source_{name}.so", where)
        (where / f"source_{name}.so").chmod(0o755)
    d.settings.update({"plugins": [str(where)], **settings})


def ticks(d, settings=None, **options):
    """A daemon with one stream of numbers, and all of them as JSON Lines."""
    load(d, "ticks", **(settings or {}))
    d.sources = {"ticks": {"plugin": "ticks", **options}}
    d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    return d


def numbers(d):
    path = d.out("all.jsonl")
    return [int(r["guid"].removeprefix("tick-")) for r in d.lines()] if path.exists() else []


def whole(d):
    """What came so far: each number once, none left out, in order."""
    found = numbers(d)
    assert found == list(range(1, len(found) + 1)), found
    return len(found)


def worker(d):
    return d.source("ticks")["pid"]


def test_what_a_stream_emits_is_delivered_while_it_runs(daemon):
    d = ticks(daemon(), pause="20 ms")
    d.start()
    d.until(lambda: whole(d) >= 20, 20, "twenty numbers are delivered")
    source = d.source("ticks")
    assert source["state"] == "ok" and source["streaming"] and source["ok"], source
    assert source["found"] >= 1 and not source["error"], source
    assert worker(d) in [w["pid"] for w in d.status()["workers"]]
    assert "streams" in d.courant("status").stdout.decode()
    assert d.courant("refresh", "ticks").returncode == 0


def test_a_stream_that_waits_is_well_before_it_brought_anything(daemon):
    d = ticks(daemon(), burst=0, pause="1 h")
    d.start()
    d.until(lambda: d.source("ticks")["state"] == "ok", 10, "it is well")
    assert d.source("ticks")["found"] == 0
    assert d.records() == 0


def test_a_stream_goes_on_where_its_state_says_after_an_end_and_a_kill(daemon):
    d = ticks(daemon(), pause="5 ms", burst=3)
    d.start()
    d.until(lambda: whole(d) >= 30, 20, "some numbers")
    pid = worker(d)
    assert d.stop() == 0
    assert re.search(rf"worker\[{pid}\]: ticks for \w+ says: stops behind \d+", d.log())
    stopped = int(re.findall(r"stops behind (\d+)", d.log())[-1])
    d.start()
    d.until(lambda: whole(d) >= stopped + 30, 20, "it goes on")
    assert f"begins behind {stopped}" in d.log()
    os.kill(worker(d), signal.SIGKILL)
    d.until(lambda: d.source("ticks")["error"], 10, "status shows the death")
    before = whole(d)
    d.until(lambda: whole(d) >= before + 30, 20, "a new one goes on")
    assert [o for o in d.status()["obituaries"] if o["job"] == "ticks"]


def test_stored_is_on_disk_when_it_returns_and_state_is_new_then(daemon):
    d = ticks(daemon(), burst=2500, last=2500)
    d.start()
    d.until(lambda: "stored up to 2500" in d.log(), 20, "stored() returned")
    assert d.records() == 2500
    d.kill()
    d.start()
    d.until(lambda: "begins behind 2500" in d.log(), 20, "its state was kept")
    d.until(lambda: whole(d) == 2500, 20, "and all is delivered")


@pytest.mark.parametrize("then, state, error", [
    ("gone", "gone", "no more numbers"), ("fail", "failing", "the numbers ran out"),
    ("retry", "failing", "come back in an hour"), ("crash", "failing", "signal 6"),
    ("return", "ok", None)])
def test_the_end_of_a_stream_is_shown_and_followed_by_what_it_asks_for(daemon, then, state, error):
    again = then in ("fail", "crash")
    d = ticks(daemon(), last=5, then=then, **({} if again else {"every": "1 h"}))
    d.start()
    d.until(lambda: whole(d) == 5, 20, "what it emitted before is kept")
    d.until(lambda: d.source("ticks")["state"] == state, 10, f"it is {state}")
    source = d.source("ticks")
    assert error in source["error"] if error else not source["error"], source
    begun = d.log().count("begins behind")
    if again:
        d.until(lambda: d.log().count("begins behind") >= begun + 2, 20, "it is begun again")
        waits = [int(n) for n in re.findall(r"begins again in (\d+) ms", d.log())]
        assert waits[:2] == [1000, 2000], waits
        return
    assert begun == 1 and not source["streaming"], source
    assert bool(source["due"]) == (then != "gone"), source
    if then == "retry":
        assert b"wait" in d.courant("refresh", "ticks", check=False).stderr
        return
    d.courant("refresh", "ticks")
    d.until(lambda: d.log().count("begins behind") == 2, 10, "an operator can begin it again")
    assert whole(d) == 5


def test_a_stream_that_uses_cpu_without_waiting_is_killed_and_shown(daemon):
    d = ticks(daemon(), {"limits": {"job_cpu": f"{int(300 * SLOW)} ms"}}, last=3, then="spin")
    d.start()
    d.until(lambda: "without waiting or emitting" in (d.source("ticks")["error"] or ""), 30,
            "the reason is shown")
    assert whole(d) == 3


def test_a_stream_that_does_not_stop_is_killed_after_a_while(daemon):
    d = ticks(daemon(), last=3, then="never")
    d.start()
    d.until(lambda: whole(d) == 3, 20, "it has emitted")
    pid = worker(d)
    d.sources = {"ticks": {"plugin": "ticks", "last": 4, "then": "wait"}}
    d.write()
    d.courant("reload")
    d.until(lambda: whole(d) == 4, 20, "the one that follows goes on")
    assert worker(d) != pid and "it did not stop when told" in d.log()


def test_a_reload_stops_begins_and_leaves_alone(daemon):
    d = ticks(daemon(), pause="20 ms")
    d.sources["other"] = {"plugin": "ticks", "burst": 0, "pause": "1 h"}
    d.write()
    d.start()
    d.until(lambda: whole(d) >= 5, 20, "it runs")
    pid, other = worker(d), d.until(lambda: d.source("other")["pid"], 10, "the other runs, too")
    d.write()
    d.courant("reload")
    before = whole(d)
    d.until(lambda: whole(d) > before + 5, 10, "it runs on")
    assert worker(d) == pid, "nothing changed"
    d.sources["ticks"]["pause"] = "21 ms"
    d.write()
    d.courant("reload")
    d.until(lambda: worker(d) not in (None, pid), 10, "another one runs")
    before = whole(d)
    d.until(lambda: whole(d) > before + 5, 10, "and goes on")
    assert d.source("other")["pid"] == other
    pid = worker(d)
    del d.sources["ticks"]
    d.write()
    d.courant("reload")
    d.until(lambda: pid not in [w["pid"] for w in d.status()["workers"]], 10, "it is gone")
    assert d.source("other")["pid"] == other


@pytest.mark.memory
def test_a_stream_that_emits_without_end_is_slowed_and_uses_little_memory(daemon):
    d = ticks(daemon(), pause="0", burst=1000, pad="20 kB")
    d.routes = {}
    d.write()
    d.start()
    d.until(lambda: d.records() > 4000, 40, "thousands are stored")

    def kilobytes(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
    core = next(r["pid"] for r in d.status()["roles"] if r["name"] == "core")
    assert kilobytes(worker(d)) < 30000 and kilobytes(core) < 60000
    assert d.source("ticks")["state"] == "ok"


def role(d, name):
    return next(r["pid"] for r in d.status()["roles"] if r["name"] == name)


def test_kills_of_store_and_core_lose_no_number_and_make_none_twice(daemon):
    d = ticks(daemon(), pause="1 ms", burst=7)
    d.start()
    for n in range(6):
        before = whole(d)
        d.until(lambda: whole(d) > before, 30, "it goes on")
        if n % 2 == 0:
            os.kill(role(d, "store"), signal.SIGKILL)
        else:
            d.kill()
            d.start()
        time.sleep(0.05 * n)
    d.until(lambda: d.source("ticks")["state"] == "ok", 20, "store is back")
    before = numbers(d)[-1]
    d.until(lambda: numbers(d)[-1] > before + 50, 20, "it goes on")
    assert d.stop() == 0
    d.sources["ticks"].update(burst=0, pause="1 h")
    d.write()
    d.start()
    high = int(re.findall(r"begins behind (\d+)", d.until(
        lambda: d.log() if d.log().count("begins behind") >= 5 else None, 20, "its last state"))[-1])
    d.until(lambda: numbers(d) and max(numbers(d)) == high, 20, "all is delivered")
    ids = {}
    for r in d.lines():
        ids.setdefault(r["guid"], set()).add(r["id"])
    assert sorted(int(g.removeprefix("tick-")) for g in ids) == list(range(1, high + 1))
    assert all(len(i) == 1 for i in ids.values()), "one id each"
    assert d.records() == high


def test_a_name_that_comes_twice_in_a_stream_is_news_of_one_record(daemon):
    d = ticks(daemon(), burst=50, last=50, again=True)
    d.start()
    d.until(lambda: "stored up to 50" in d.log(), 20, "all is stored")
    counts = d.status()["counts"]
    assert (counts["records"], counts["revisions"]) == (50, 50), counts
