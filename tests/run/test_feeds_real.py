"""Captured feeds of real sites, through the running daemon."""
import base64
import gzip
import json
import re
import sqlite3

import pytest

import courant
from courant import SHARED
from test_path import EVERYTHING


def captured():
    folder = SHARED / "feeds-real" if SHARED else None
    if not folder or not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix not in (".tsv", ".md"))


def plain(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def entries(data):
    """How many entries the document has, by a reading that shares nothing with ours."""
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return len(json.loads(data.decode("utf-8-sig"))["items"])
    data = re.sub(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", b"", data, flags=re.S)
    return len(re.findall(rb"<(?:\w+:)?(?:item|entry)[\s>]", data))


@pytest.mark.shared
def test_every_captured_feed_gives_its_entries_and_nothing_new_the_second_time(daemon, origin):
    files = captured()
    if not files:
        pytest.skip("feeds-real is missing beside the tree")
    sources, expected = {}, {}
    for path in files:
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", path.name)
        origin.put(path.name, path.read_bytes())
        if path.read_bytes()[:2] == b"\x1f\x8b":
            origin.set("/" + path.name, file=path.name, type="text/xml", conditional=False,
                       headers={"Content-Encoding": "gzip"})
        else:
            origin.set("/" + path.name, file=path.name, conditional=False)
        sources[name] = {"plugin": "feed", "url": origin.url("/" + path.name), "every": "1 h"}
        expected[name] = entries(plain(path))
    d = daemon(sources, EVERYTHING).start()
    pids = d.pids()
    d.settled(60)
    status = d.status()
    wrong = {s["name"]: (s["found"], expected[s["name"]], s["error"]) for s in status["sources"]
             if s["found"] != expected[s["name"]]}
    assert not wrong, f"(found, entries, error): {wrong}"
    assert sum(expected.values()) > 1000
    lines = d.lines()
    assert len({r["id"] for r in lines}) == len(lines)
    records, delivered = status["counts"]["records"], len(lines)

    # As if the time that some of them ask for in their ttl had passed.
    assert d.stop() == 0
    db = sqlite3.connect(d.state / "courant.db")
    db.execute("UPDATE source SET not_before = 0")
    db.commit()
    db.close()
    d.own(d.state)
    d.start()
    pids = d.pids()
    d.refresh()
    d.settled(60)
    assert (d.records(), len(d.lines())) == (records, delivered)
    assert d.status()["counts"].get("revisions", 0) == status["counts"].get("revisions", 0)
    assert d.pids() == pids
    assert not re.search(r"died|killed by signal", d.log()), d.log()
    assert courant.until(lambda: d.http("/healthz").status == 200, 5, "healthz")


@pytest.mark.shared
def test_no_two_entries_of_captured_feeds_are_one_story_but_the_same_one_told_twice(daemon, origin):
    """A feed in two formats, and feeds of one site, have entries in common: these have one title. Nothing else is
    joined."""
    if not captured():
        pytest.skip("feeds-real is missing beside the tree")
    sources = {}
    for path in captured():
        origin.put(path.name, plain(path))
        sources[re.sub(r"[^A-Za-z0-9_.-]", "_", path.name)] = {
            "plugin": "feed", "url": origin.url("/" + path.name), "every": "1 h"}
    d = daemon(sources, {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}).start()
    d.settled(60)
    told = {r["id"]: r for r in d.lines()}
    db = sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)
    stories = {}
    for story, rid in db.execute("SELECT story, rid FROM item"):
        stories.setdefault(story, []).append(told[base64.b32encode(rid).decode().lower().rstrip("=")])
    db.close()
    joined = [s for s in stories.values() if len(s) > 1]
    assert joined, "there are feeds in two formats"

    def folded(r):
        return re.sub(r"\W+", " ", r.get("title", "").casefold()).strip()
    wrong = [[(r["source"], r.get("title"), r.get("link")) for r in s] for s in joined
             if len({folded(r) for r in s}) > 1]
    assert not wrong, wrong
    for s in joined:
        assert len({r["source"] for r in s}) == len(s), "of each source one"
