"""Bad input: the source says what is wrong, keeps what it had, stores no validators, tries again."""
import re

import pytest

from courant import numbered, rss
from test_path import EVERYTHING, sources

GOOD = rss(numbered(1, 3)).decode()
CUT = GOOD[:GOOD.index("</item>") + len("</item>") + 20]

# What comes after a good document, and what the source then has to say.
BAD = {
    "empty_body": ({"body": ""}, "(?i)empty|no document|nothing"),
    "html_page": ({"body": "<!DOCTYPE html><html><head><title>Hi</title></head><body><p>x</p>"
                           "</body></html>", "type": "text/html"}, "(?i)html|not a feed|no feed"),
    "error_page_with_200": ({"body": "<html><body><h1>503 Service Unavailable</h1></body></html>",
                             "type": "text/xml"}, "(?i)html|not a feed|no feed|root"),
    "plain_text": ({"body": "Too many connections", "type": "application/rss+xml"}, "."),
    "truncated": ({"body": CUT, "type": "text/xml"}, "(?i)line|ended|cut|truncated|premature|well"),
    "status_500": ({"status": 500, "body": "oops"}, "500"),
    "status_404": ({"status": 404, "body": "gone fishing"}, "404"),
    "closed": ({"close": -1, "times": 2}, "."),     # a kept connection may just have been too old
    "shorter_than_said": ({"body": GOOD, "length": len(GOOD) + 500, "close": len(GOOD)}, "."),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document_is_shown_stores_no_validators_and_loses_nothing(daemon, origin, name):
    bad, pattern = BAD[name]
    good = {"body": GOOD, "type": "text/xml", "etag": '"good"'}
    better = rss(numbered(1, 4)).decode()
    origin.set("/f", {"etag": None, "modified": None, **good},
               {**bad, "headers": {"ETag": '"bad"', "Last-Modified": "Sat, 21 Nov 2026 09:16:00 GMT"},
                "conditional": False},
               {"body": better, "type": "text/xml", "conditional": False})
    d = daemon(sources({"one": origin.url("/f")}), EVERYTHING).start()
    before = d.until_lines(3)
    d.refresh("one")
    source = d.source("one")
    assert source["error"] and re.search(pattern, source["error"]), source
    assert d.records() == 3
    assert source["due"] > source["checked"]
    d.refresh("one")
    sent = origin.requests("/f")[-1]["headers"]
    assert '"bad"' not in sent.get("if-none-match", ""), sent
    assert "if-modified-since" not in sent, sent
    assert d.until_lines(4)[:3] == before
    assert d.source("one")["error"] is None


def test_a_wrong_content_type_is_no_obstacle_to_a_feed(daemon, origin):
    for n, kind in enumerate(("text/plain", "text/html", "application/octet-stream", "image/png")):
        origin.set(f"/{n}", body=rss(numbered(1, 2, f"t{n}")).decode(), type=kind)
    d = daemon(sources({f"s{n}": origin.url(f"/{n}") for n in range(4)}), EVERYTHING).start()
    d.until_lines(8)


def test_whole_entries_of_a_truncated_document_are_kept(daemon, origin):
    origin.set("/f", body=CUT, type="text/xml", etag='"cut"')
    d = daemon(sources({"one": origin.url("/f")}), EVERYTHING).start()
    assert [r["title"] for r in d.until_lines(1)] == ["n number 3"]
    assert d.source("one")["error"]


def test_invalid_utf8_is_shown_and_the_rest_stays(daemon, origin):
    body = rss(numbered(1, 3)).replace(b"number 2", b"n\xffmber \xc3( 2")
    body = body.replace(b'version="1.0"', b'version="1.0" encoding="utf-8"', 1)
    url = origin.put("f.xml", body)
    d = daemon(sources({"one": url}), EVERYTHING).start()
    titles = [r["title"] for r in d.until_lines(3)]
    assert "n number 1" in titles and "n number 3" in titles
    d.settled()
    assert re.search("(?i)utf-8|encoding|bytes", d.source("one")["error"] or ""), d.source("one")
    d.refresh("one")
    assert "if-none-match" not in origin.requests("/f.xml")[-1]["headers"]
    assert d.records() == 3


def identity(daemon, origin, entries, again=None):
    """Titles delivered of a document, read twice, then of `again`, in which it changed its order."""
    url = origin.put("f.xml", rss(entries))
    d = daemon(sources({"one": url}), EVERYTHING).start()
    d.settled()
    origin.put("f.xml", rss(again or list(reversed(entries))))
    d.refresh("one")
    d.settled()
    origin.put("f.xml", rss(entries))
    d.refresh("one")
    d.settled()
    found = d.lines()
    assert len({r["id"] for r in found}) == len(found), "an id was delivered twice"
    return sorted(r["title"] for r in found)


def test_without_a_guid_the_link_and_then_the_title_tell_entries_apart(daemon, origin):
    entries = [(None, "A", "https://example.org/a"), (None, "B", "https://example.org/b"),
               (None, "C", None), (None, "D", None)]
    assert identity(daemon, origin, entries) == ["A", "B", "C", "D"]


def test_a_guid_repeated_in_a_document_neither_loses_nor_repeats_entries(daemon, origin):
    entries = [("same", "A", "https://example.org/a"), ("same", "B", "https://example.org/b"),
               ("same", "C", "https://example.org/c"), ("other", "D", "https://example.org/d")]
    assert identity(daemon, origin, entries) == ["A", "B", "C", "D"]


def test_a_guid_repeated_without_end_is_one_entry(daemon, origin):
    entries = [("same", f"A {n}", f"https://example.org/{n}") for n in range(101)]
    assert identity(daemon, origin, entries + [("other", "B", "https://example.org/b")],
                    entries + [("other", "B", "https://example.org/b")]) == ["A 0", "B"]


def test_an_entry_that_stands_twice_in_a_document_is_one(daemon, origin):
    entries = [("g", "A", "https://example.org/a"), ("g", "A", "https://example.org/a"),
               ("h", "B", "https://example.org/b")]
    assert identity(daemon, origin, entries) == ["A", "B"]


def test_guids_that_differ_only_in_case_are_two_entries_unless_link_or_title_agree(daemon, origin):
    entries = [("Abc", "A", "https://example.org/a"), ("aBC", "B", "https://example.org/b")]
    assert identity(daemon, origin, entries) == ["A", "B"]


def test_a_guid_that_changes_only_its_case_is_the_same_entry(daemon, origin):
    entries = [("abc-1", "A", "https://example.org/a"), ("abc-2", "B", "https://example.org/b")]
    again = [(g.upper(), t, l) for g, t, l in entries]
    assert identity(daemon, origin, entries, again) == ["A", "B"]


def test_a_source_that_fails_is_polled_again_by_itself_and_recovers(daemon, origin):
    good = {"body": GOOD, "type": "text/xml"}
    origin.set("/f", {"status": 500}, good)
    d = daemon(sources({"one": origin.url("/f")}, every="1 s"), EVERYTHING).start()
    d.until_lines(3, seconds=30)
    d.until(lambda: d.source("one")["error"] is None, 10, "the error is gone")
