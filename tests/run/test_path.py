"""From a URL in the configuration to lines and feeds in the outputs, through every role."""
import json
import xml.etree.ElementTree as tree

import pytest

from courant import numbered, rss

EVERYTHING = {"everything": {"from": ["*"], "to": [
    {"feed": {"path": "all"}}, {"jsonl": {"path": "all.jsonl"}}]}}

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:f</id><title>F</title>
<updated>2026-11-01T00:00:00Z</updated>
<entry><id>urn:a</id><title>First &amp; foremost</title><link href="/a"/>
<updated>2026-11-01T10:00:00Z</updated><content type="html">&lt;p&gt;x&lt;/p&gt;</content></entry>
<entry><id>urn:b</id><title>Second</title><link href="/b"/>
<updated>2026-11-02T10:00:00Z</updated></entry></feed>"""
ATOM03 = """<?xml version="1.0"?><feed version="0.3" xmlns="http://purl.org/atom/ns#">
<title>F</title><entry><id>urn:a</id><title>First &amp; foremost</title>
<link rel="alternate" type="text/html" href="http://example.org/a"/>
<issued>2026-11-01T10:00:00Z</issued><modified>2026-11-01T10:00:00Z</modified></entry>
<entry><id>urn:b</id><title>Second</title>
<link rel="alternate" type="text/html" href="http://example.org/b"/></entry></feed>"""
RSS20 = """<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><link>/</link>
<description>d</description><item><guid>urn:a</guid><title>First &amp; foremost</title>
<link>/a</link></item><item><guid>urn:b</guid><title>Second</title><link>/b</link></item>
</channel></rss>"""
RSS091 = """<?xml version="1.0"?><rss version="0.91"><channel><title>F</title><link>/</link>
<description>d</description><item><title>First &amp; foremost</title><link>/a</link></item>
<item><title>Second</title><link>/b</link></item></channel></rss>"""
RSS10 = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/"><channel rdf:about="http://example.org/f"><title>F</title>
<link>http://example.org/</link><description>d</description></channel>
<item rdf:about="urn:a"><title>First &amp; foremost</title><link>/a</link></item>
<item rdf:about="urn:b"><title>Second</title><link>/b</link></item></rdf:RDF>"""
RSS090 = RSS10.replace("http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/")
JSON = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": [
    {"id": "urn:a", "title": "First & foremost", "url": "/a", "content_html": "<p>x</p>"},
    {"id": "urn:b", "title": "Second", "url": "/b", "content_text": "y"}]})

FORMATS = {"rss20": (RSS20, "application/rss+xml"), "rss091": (RSS091, "text/xml"),
           "rss090": (RSS090, "text/xml"), "rss10": (RSS10, "application/rdf+xml"),
           "atom10": (ATOM, "application/atom+xml"), "atom03": (ATOM03, "application/xml"),
           "json": (JSON, "application/feed+json")}


def sources(urls, every="1 h", **more):
    return {name: {"plugin": "feed", "url": url, "every": every, **more}
            for name, url in urls.items()}


@pytest.mark.parametrize("name", FORMATS)
def test_a_feed_of_each_format_over_http_is_in_every_output(daemon, origin, name):
    body, kind = FORMATS[name]
    origin.set("/f", body=body, type=kind)
    d = daemon(sources({"one": origin.url("/f")}), EVERYTHING).start()
    lines = d.until_lines(2)
    d.settled()
    assert sorted(r["title"] for r in lines) == ["First & foremost", "Second"]
    for r in lines:
        assert len(r["id"]) == 26 and r["schema"] == 1 and r["source"] == "one"
        assert r["link"].rstrip("ab").endswith("/"), r["link"]
    ids = {r["id"] for r in lines}

    def texts(path):
        return d.out(path).read_text()
    d.until(lambda: all(d.out("all." + e).exists() and texts("all." + e).count("Second") == 1
                        for e in ("rss", "atom", "json")), 20, "all three feeds hold both")
    items = tree.fromstring(texts("all.rss")).findall("channel/item")
    assert {i.findtext("guid") for i in items} == ids
    assert sorted(i.findtext("title") for i in items) == ["First & foremost", "Second"]
    space = "{http://www.w3.org/2005/Atom}"
    entries = tree.fromstring(texts("all.atom")).findall(space + "entry")
    assert {e.findtext(space + "id").rpartition(":")[2] for e in entries} == ids
    feed = json.loads(texts("all.json"))
    assert {i["id"].rpartition(":")[2] for i in feed["items"]} == ids
    assert feed["version"].startswith("https://jsonfeed.org/version/1")
    assert d.http("/all.rss").status == 200
    assert d.stop() == 0


def test_a_second_poll_brings_nothing_new_and_a_new_entry_alone(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url}), EVERYTHING).start()
    before = d.until_lines(3)
    d.refresh("one")
    d.settled()
    assert d.lines() == before and d.records() == 3
    origin.put("f.xml", rss(numbered(1, 4)))
    d.refresh("one")
    after = d.until_lines(4)
    assert after[:3] == before and after[3]["title"] == "n number 4"


def test_validators_are_sent_byte_for_byte_and_304_keeps_what_was_there(daemon, origin):
    origin.set("/f", body=rss(numbered(1, 2)).decode(), type="text/xml", etag='W/"a b;c"',
               modified="Sat, 21 Nov 2026 09:16:00 GMT")
    d = daemon(sources({"one": origin.url("/f")}), EVERYTHING).start()
    d.until_lines(2)
    d.refresh("one")
    first, second = origin.requests("/f")[:2]
    assert "if-none-match" not in first["headers"] and "if-modified-since" not in first["headers"]
    assert second["headers"]["if-none-match"] == 'W/"a b;c"'
    assert second["headers"]["if-modified-since"] == "Sat, 21 Nov 2026 09:16:00 GMT"
    assert second["status"] == 304
    assert d.source("one")["error"] is None and d.records() == 2


def test_a_restart_knows_validators_and_records_and_delivers_nothing_twice(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 5)))
    d = daemon(sources({"one": url}), EVERYTHING).start()
    before = d.until_lines(5)
    d.settled()
    assert d.stop() == 0
    d.start()
    d.refresh("one")
    d.settled()
    assert d.lines() == before
    last = origin.requests("/f.xml")[-1]
    assert last["status"] == 304 and "if-none-match" in last["headers"]
    origin.put("f.xml", rss(numbered(1, 6)))
    d.refresh("one")
    assert d.until_lines(6)[:5] == before


def test_a_file_below_an_allowed_folder_is_read_and_another_is_refused(daemon):
    d = daemon()
    feeds, other = d.folder / "feeds", d.folder / "other"
    for each in (feeds, other):
        each.mkdir()
        (each / "f.xml").write_bytes(rss(numbered(1, 2, each.name)))
    (feeds / "link.xml").symlink_to(other / "f.xml")
    d.settings["files"] = [str(feeds)]
    d.sources = sources({"good": f"file://{feeds}/f.xml", "link": f"file://{feeds}/link.xml",
                         "up": f"file://{feeds}/../other/f.xml"})
    d.routes = EVERYTHING
    d.write()
    code, said = d.run("-n")
    if code == 0:                       # refused when read, if not when configured
        d.start()
        assert {r["source"] for r in d.until_lines(2)} == {"good"}
        d.until(lambda: d.source("link")["error"] and d.source("up")["error"], 20,
                "both show why not")
    else:
        assert "up" in said or "files" in said
        d.sources.pop("up")
        d.sources.pop("link")
        d.write()
        d.start()
        d.until_lines(2)


def test_sources_of_a_group_are_told_apart_by_name(daemon, origin):
    for name in ("a", "b"):
        origin.put(f"{name}.xml", rss(numbered(1, 2, name)))
    group = {"g": {"plugin": "feed", "each": ["a", "b"], "url": origin.url("/{each}.xml"),
                   "every": "1 h"}}
    d = daemon(group, EVERYTHING).start()
    assert {r["source"] for r in d.until_lines(4)} == {"g/a", "g/b"}


def test_a_route_takes_only_what_its_from_names(daemon, origin):
    for name in ("a", "b"):
        origin.put(f"{name}.xml", rss(numbered(1, 3, name)))
    routes = {"only-b": {"from": ["b"], "to": {"jsonl": {"path": "b.jsonl"}}}, **EVERYTHING}
    d = daemon(sources({n: origin.url(f"/{n}.xml") for n in "ab"}), routes).start()
    d.until_lines(6)
    assert {r["source"] for r in d.until_lines(3, "b.jsonl")} == {"b"}


def test_a_story_that_two_sources_tell_is_delivered_once_and_kept_twice(daemon, origin):
    for name in ("a", "b"):
        origin.put(f"{name}.xml", rss([(f"{name}-1", "The same long story title told twice",
                                        "https://example.org/story"), *numbered(2, 3, name)]))
    d = daemon(sources({n: origin.url(f"/{n}.xml") for n in "ab"}), EVERYTHING).start()
    titles = [r["title"] for r in d.until_lines(5)]
    assert titles.count("The same long story title told twice") == 1
    d.settled()
    assert d.records() == 6


def test_a_changed_title_is_a_revision_under_the_same_record_id(daemon, origin):
    url = origin.put("f.xml", rss([("g", "Before", "https://example.org/1")]))
    routes = {"r": {"from": ["*"], "updates": True, "to": {"jsonl": {"path": "all.jsonl"}}}}
    d = daemon(sources({"one": url}), routes).start()
    first = d.until_lines(1)[0]
    origin.put("f.xml", rss([("g", "After", "https://example.org/1")]))
    d.refresh("one")
    second = d.until_lines(2)[1]
    assert second["title"] == "After" and second["revision"] == 1
    assert second["record"] == first["id"] and second["id"] == first["id"] + "-r1"
    assert d.records() == 1
