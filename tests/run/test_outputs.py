"""What outputs say of where their records came from and when they changed, and how files are rotated."""
import json
import xml.etree.ElementTree as tree

import pytest

from courant import numbered, rss

ATOM = "{http://www.w3.org/2005/Atom}"


def feed(*urls):
    return {f"s{n}": {"plugin": "feed", "url": url, "every": "1 h"} for n, url in enumerate(urls)}


def atom(d, name="all.atom"):
    return tree.parse(d.out(name)).getroot()


def test_updated_moves_with_a_revision(daemon, origin):
    item = ('<item><guid>a</guid><title>%s</title><link>https://x.example/1</link>'
            "<pubDate>Thu, 26 Nov 2015 10:00:00 GMT</pubDate></item>")
    origin.set("/f", body=rss([item % "Before"]))
    d = daemon(feed(origin.url("/f")), {"all": {"from": ["*"], "updates": True, "to": {"feed": {"path": "all"}}}}).start()
    d.until(lambda: d.out("all.atom").exists() and "Before" in d.out("all.atom").read_text(), 20, "the first version")
    first = atom(d)
    assert first.findtext(f"{ATOM}entry/{ATOM}updated") == "2015-11-26T10:00:00Z"
    origin.set("/f", body=rss([item % "After"]))
    d.refresh("s0")
    d.until(lambda: "After" in d.out("all.atom").read_text(), 20, "the second version")
    second = atom(d)
    assert len(second.findall(ATOM + "entry")) == 1
    assert second.findtext(f"{ATOM}entry/{ATOM}id") == first.findtext(f"{ATOM}entry/{ATOM}id")
    assert second.findtext(f"{ATOM}entry/{ATOM}updated") > "2020"
    assert second.findtext(f"{ATOM}entry/{ATOM}published") == "2015-11-26T10:00:00Z"
    assert second.findtext(ATOM + "updated") > first.findtext(ATOM + "updated")
    assert "26 Nov 2015" in tree.parse(d.out("all.rss")).getroot().findtext("channel/item/pubDate")


def test_the_id_of_a_feed_stays_when_base_changes_and_its_path_is_escaped(daemon, origin):
    origin.set("/f", body=rss(numbered(1, 2)))
    origin.set("/g", body=rss(numbered(1, 2, "m")))
    d = daemon(feed(origin.url("/f"), origin.url("/g")), {"all": {"from": ["*"], "to": {"feed": {"path": "a b/é"}}}})
    ids = set()
    for base in ("https://one.example/feeds/", "https://two.example"):
        d.write(serve={"listen": "127.0.0.1:0", "base": base})
        d.start()
        origin.set("/f", body=rss(numbered(1, 5 if "two" in base else 2)))
        d.refresh("s0")
        d.until(lambda: d.out("a b/é.json").exists() and base.rstrip("/") in d.out("a b/é.json").read_text(), 20, "the feed")
        root = atom(d, "a b/é.atom")
        ids.add(root.findtext(ATOM + "id"))
        at = base.rstrip("/") + "/"
        assert root.find(f"{ATOM}link[@rel='self']").get("href") == at + "a%20b/%C3%A9.atom"
        channel = tree.parse(d.out("a b/é.rss")).getroot().find("channel")
        assert channel.find(ATOM + "link").get("href") == at + "a%20b/%C3%A9.rss"
        page = json.loads(d.out("a b/é.json").read_text())["home_page_url"]
        assert page == channel.findtext("link")
        assert page in (at, "https://example.org/")     # of several sources: ours
        assert d.stop() == 0
    assert len(ids) == 1


@pytest.mark.parametrize("where", ("url", "self"))
def test_the_address_of_a_feed_that_holds_a_key_is_not_written(daemon, origin, where):
    own = '<link rel="self" href="https://x.example/f?user=me&amp;access_token=s3cret"/>' if where == "self" else ""
    origin.set("/f", body=f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Mine</title><id>tag:x.example,2026:f</id>{own}'
               '<entry><id>urn:1</id><title>One</title><link href="https://x.example/1"/>'
               "<updated>2026-11-01T00:00:00Z</updated></entry></feed>", type="application/atom+xml")
    d = daemon(feed(origin.url("/f?api_key=s3cret&page=1")), {"all": {"from": ["*"], "to": {"feed": {"path": "all"}}}}).start()
    d.until(lambda: d.out("all.json").exists() and "One" in d.out("all.json").read_text(), 20, "the feed")
    for name in ("all.rss", "all.atom", "all.json"):
        assert "s3cret" not in d.out(name).read_text(), name
    source = atom(d).find(f"{ATOM}entry/{ATOM}source")
    assert source.findtext(ATOM + "title") == "Mine" and source.findtext(ATOM + "id") == "tag:x.example,2026:f"


def test_a_feed_without_a_page_lends_its_own_address_to_none(daemon, origin):
    origin.set("/f", body='<feed xmlns="http://www.w3.org/2005/Atom"><title>Mine</title><id>urn:f</id>'
               '<link rel="self" href="https://x.example/feed.atom"/><entry><id>urn:1</id><title>One</title>'
               '<link href="https://x.example/1"/><updated>2026-11-01T00:00:00Z</updated></entry></feed>',
               type="application/atom+xml")
    d = daemon(feed(origin.url("/f")), {"all": {"from": ["*"], "to": {"feed": {"path": "all"}}}}).start()
    d.until(lambda: d.out("all.json").exists() and "One" in d.out("all.json").read_text(), 20, "the feed")
    assert tree.parse(d.out("all.rss")).getroot().findtext("channel/link") == "https://x.example/1"
    assert "home_page_url" not in json.loads(d.out("all.json").read_text())
    assert atom(d).find(f"{ATOM}link[@rel='alternate']") is None
    assert atom(d).find(f"{ATOM}entry/{ATOM}source/{ATOM}link[@rel='alternate']") is None


def test_records_without_a_feed_still_name_their_source(daemon, origin):
    origin.set("/api", body=json.dumps({"list": [{"id": "1", "title": "One"}]}), type="application/json")
    d = daemon({"api": {"plugin": "json", "url": origin.url("/api"), "items": "list", "fields": {"guid": "id", "title": "title"}}},
               {"all": {"from": ["*"], "to": {"feed": {"path": "all"}}}}).start()
    d.until(lambda: d.out("all.json").exists() and "One" in d.out("all.json").read_text(), 20, "the feed")
    entry = atom(d).find(ATOM + "entry")
    assert entry.findtext(f"{ATOM}source/{ATOM}title") == "api"
    assert entry.findtext(f"{ATOM}source/{ATOM}id") == "urn:courant:source:api"
    assert entry.findtext(ATOM + "content") == "One"
    assert tree.parse(d.out("all.rss")).getroot().find("channel/item/source") is None   # it has no address


def test_rotated_json_lines_are_in_the_order_of_logrotate(daemon, origin):
    origin.set("/f", body=rss(numbered(1, 5)))
    d = daemon(feed(origin.url("/f")), {"all": {"from": ["*"], "to": {"jsonl": {
        "path": "all.jsonl", "rotate_size": "1 kB", "kept": 3}}}}).start()
    for last in (5, 10, 15, 20, 25, 30):
        origin.set("/f", body=rss(numbered(last - 4, last)))
        d.refresh("s0")
        d.until(lambda: d.out("all.jsonl").exists() and f'"n number {last}"' in d.out("all.jsonl").read_text(), 20, last)
    d.settled()
    names = ("all.jsonl.3", "all.jsonl.2", "all.jsonl.1", "all.jsonl")
    found = [[int(json.loads(line)["title"].split()[-1]) for line in d.out(n).read_text().splitlines()] for n in names]
    flat = [n for part in found for n in part]
    assert flat == sorted(flat) and flat[-1] == 30 and all(found), found
    assert not d.out("all.jsonl.4").exists()
