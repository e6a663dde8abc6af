"""Links of records to code, data, projects, videos and demos: extras that the host finds, in every output."""
import collections
import re

import pytest

import courant
from courant import rss

KINDS = ("code", "data", "project", "video", "demo")
ROUTES = {"all": {"from": ["*"], "once": "record", "updates": True, "to": {"jsonl": {"path": "all.jsonl"}}}}


def entry(guid, html):
    html = html.replace("&", "&amp;").replace("<", "&lt;")
    return f'<item><guid isPermaLink="false">{guid}</guid><title>{guid}</title><description>{html}</description></item>'


def extras(record):
    found = record.get("extras", {})
    return {kind: found[kind] for kind in KINDS if kind in found}


def test_links_of_texts_are_extras_of_their_kinds(daemon, origin):
    d = daemon({"a": {"plugin": "feed", "every": "1 h", "url": origin.put("a.xml", rss([
        entry("linked", '<p>A paper. <a href="https://github.com/a/b?x=1&amp;y=2">Code</a>, '
              '<a href="https://huggingface.co/datasets/a/b">here</a>.</p>'),
        entry("plain", "Project page: https://lab.example.edu/p/. Video (https://youtu.be/x), demo at "
              "https://huggingface.co/spaces/a/b, more at github.com/a/b and https://github.com/a/c"),
        entry("none", "https://user:word@github.com/a/b, https://github.com/a/b/issues/3, https://example.org/x"),
    ]))}}, ROUTES).start()
    found = {r["title"]: extras(r) for r in d.until_lines(3)}
    assert found == {
        "linked": {"code": "https://github.com/a/b?x=1&y=2", "data": "https://huggingface.co/datasets/a/b"},
        "plain": {"project": "https://lab.example.edu/p/", "video": "https://youtu.be/x",
                  "demo": "https://huggingface.co/spaces/a/b",
                  "code": "https://github.com/a/b https://github.com/a/c"},
        "none": {}}
    shown = {r["title"]: extras(r) for r in d.http("/api/v1/records").json["records"]}
    assert shown == found


def test_an_extra_of_the_plugin_stays_and_a_filter_sees_what_was_found(daemon, origin):
    page = b"""{"items": [{"id": "1", "name": "mine", "code": "https://example.org/mine",
        "text": "https://github.com/a/b https://youtu.be/x"}]}"""
    d = daemon({"a": {"plugin": "json", "every": "1 h", "url": origin.put("a.json", page), "items": "items",
                      "fields": {"guid": "id", "title": "name", "summary": "text"}, "extras": {"code": "code"}}},
               {"all": {"from": ["*"], "filters": [{"rewrite": {"set": {"title": "{title}: {video}"}}}],
                        "to": {"jsonl": {"path": "all.jsonl"}}}}).start()
    record, = d.until_lines(1)
    assert extras(record) == {"code": "https://example.org/mine", "video": "https://youtu.be/x"}
    assert record["title"] == "mine: https://youtu.be/x"


def test_a_changed_extra_alone_is_no_revision(daemon, origin):
    """What a plugin adds to a record beside its text: the stored record has it, no sink gets it again."""
    def page(more):
        return (b'{"items": [{"id": "1", "name": "one", "text": "https://github.com/a/b"' + more + b'}]}')
    d = daemon({"a": {"plugin": "json", "every": "1 h", "url": origin.put("a.json", page(b"")), "items": "items",
                      "fields": {"guid": "id", "title": "name", "summary": "text"}, "extras": {"code": "code"}}},
               ROUTES).start()
    first, = d.until_lines(1)
    origin.put("a.json", page(b', "code": "https://example.org/other"'))
    d.refresh("a")
    d.settled()
    record, = d.http("/api/v1/records").json["records"]
    assert extras(record) == {"code": "https://example.org/other"} and record["id"] == first["id"]
    assert d.status()["counts"]["revisions"] == 0
    assert len(d.lines()) == 1
    origin.put("a.json", page(b', "code": "https://example.org/other"').replace(b'"one"', b'"two"'))
    d.refresh("a")
    assert d.until_lines(2)[1]["title"] == "two"


@pytest.mark.shared
@pytest.mark.skipif(not courant.SHARED or not (courant.SHARED / "papers-pages").is_dir(),
                    reason="the listing pages beside the tree are missing")
def test_the_links_of_the_shared_listings_are_found(daemon, origin):
    """Each URL that stands in the pages, counted by a reading of our own, but for one of a comic."""
    pages = {p.name: p.read_bytes() for p in sorted((courant.SHARED / "papers-pages").glob("*.txt"))}
    urls = [u for data in pages.values() for u in re.findall(r"https?://[^ <>\"\r\n]+", data.decode())]
    assert len(urls) == 153 and sum("//github.com/" in u for u in urls) == 115
    d = daemon({f"p{name[:3]}": {"plugin": "papers", "every": "1 h", "url": origin.put(name, data)}
                for name, data in pages.items()}, ROUTES).start()
    records = d.until_lines(554, seconds=60)
    left = collections.Counter()
    for r in records:
        have = {u for text in extras(r).values() for u in text.split(" ")}
        for url in re.findall(r"https?://[^ <>\"{]+", r.get("summary", "")):
            if not any(url.startswith(h.rstrip("/")) for h in have):
                left[url] += 1
    assert list(left) == ["https://xkcd.com/927/)."], left
    code = [u for r in records for u in extras(r).get("code", "").split(" ") if u.startswith("https://github.com/")]
    assert len(code) >= 115
