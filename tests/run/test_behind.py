"""A sink that is down while records by the ten thousand gather behind it, and the wall clock goes on a day."""
import json
import pathlib
import re
import shutil
import statistics
import time

import pytest

from courant import BUILD, LONG, SLOW, fake_clock, processes, rss

RECORDS = 50000 if LONG else 10000
PAGE = 1000


def used(d):
    """Bytes of memory that the daemon and its roles have for themselves."""
    all_ = 0
    for pid, line in processes(d.process.pid).items():
        if "courant-worker" not in line:
            said = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            all_ += sum(1024 * int(n) for n in re.findall(r"Private_(?:Clean|Dirty): +(\d+)", said))
    return all_


def delays(d, origin, n, first):
    """Seconds until each of so many new records of another source is in its own route's output."""
    found = []
    for i in range(first, first + n):
        origin.put("b.xml", rss([(f"b-{i}", f"B {i}", f"https://example.org/b/{i}")]))
        begun = time.monotonic()
        d.courant("refresh", "b")
        d.until(lambda: d.out("b.jsonl").exists() and f'"b-{i}"' in d.out("b.jsonl").read_text(), 10,
                f"b-{i} is there", every=0.005)
        found.append(time.monotonic() - begun)
    return found


def fill(d, pages, first, last):
    """Reads some of the pages, two at a time."""
    for p in range(first, last, 2):
        for n in (p, p + 1):
            d.sources[f"a{n}"] = {"plugin": "lines", "url": pages[n], "every": "30 d"}
        d.write()
        if d.process is None:
            d.start()
        d.courant("reload")
        d.until(lambda n=p + 2: d.records() >= n * PAGE, 60, f"{p + 2} pages are stored")


def filled(daemon, origin, to):
    """A daemon with all records whose route ends in this sink; its growth in bytes from the first part of
    them on, and how long new records of another route take meanwhile."""
    d = daemon()
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(BUILD / "tests" / "plugins" / "source_lines.so", where)
    (where / "source_lines.so").chmod(0o755)
    d.settings.update({"plugins": [str(where)]})
    pages = [origin.put(f"a{p}", "".join(f"a-{p}-{i}|A {p} {i}|https://example.org/a/{p}/{i}||text {i}\n"
                                         for i in range(PAGE)).encode()) for p in range(RECORDS // PAGE)]
    d.sources["b"] = {"plugin": "feed", "url": origin.put("b.xml", rss([])), "every": "30 d"}
    d.routes = {"behind": {"from": ["a*"], "once": "record", "to": to},
                "other": {"from": ["b"], "to": {"jsonl": {"path": "b.jsonl"}}}}
    fill(d, pages, 0, 10)
    memory = used(d)
    fill(d, pages, 10, len(pages))
    late = statistics.quantiles(delays(d, origin, 30, 0), n=100)[98]
    return d, used(d) - memory, late


@pytest.mark.memory
def test_a_day_behind(daemon, origin, monkeypatch, tmp_path):
    clock = tmp_path / "clock"
    tmp_path.chmod(0o755)
    clock.write_text("+0s")
    fake_clock(monkeypatch, clock)
    origin.set("/hook", status=503)
    well, grown, soon = filled(daemon, origin, {"jsonl": {"path": "a.jsonl"}})
    assert well.stop() == 0
    d, behind, late = filled(daemon, origin, {"webhook": {"url": origin.url("/hook"), "backlog": "all"}})
    for hour in range(1, 25):
        clock.write_text(f"+{hour}h")
        time.sleep(0.1)
        d.courant("refresh", "b")
    sink = d.route("behind")["sinks"][0]
    assert sink["unconfirmed"] == RECORDS and not sink["paused"] and sink["retry"] == 1, sink
    assert behind - grown < 2_000_000, f"{behind} and {grown} bytes"
    assert late - soon < 0.1 * SLOW, f"{1000 * late:.0f} and {1000 * soon:.0f} ms"
    tried = origin.hits("/hook")
    assert 1 <= tried < 10, tried
    origin.set("/hook", body="ok")
    begun = time.monotonic()
    d.courant("resume", "behind")
    d.until(lambda: d.route("behind")["sinks"][0]["unconfirmed"] == 0, 200, "all is delivered", every=0.2)
    took = time.monotonic() - begun
    assert RECORDS / took > 500 / SLOW, "far below what `make bench` shows"
    bodies = [json.loads(r["body"])["id"] for r in origin.requests("/hook")[tried:]]
    assert len(bodies) == len(set(bodies)) == RECORDS
