"""What a worker writes is taken only if its host could have written it: a plugin that writes its results
itself gets nothing into an output that a page could not, and the operator reads which plugin it was."""
import json
import re
import shutil

import pytest

import forge
from courant import BUILD
from forge import (AUTHOR, CATEGORY, COMMENTS, CONTENT, CONTRIBUTOR, FEED, GUID, ID, IMAGE, KEEP, LANGUAGE,
                   LINK, PUBLISHED, RECORD, REQUEST, RIGHTS, SOURCE, STATE, SUMMARY, TITLE, UPDATED, counter,
                   enclosure, extra, item, number, person, put, record, results, text, time, verdict)

SCRIPT = "<script>alert(1)</script>"
FAR = 253402300800000                   # the first ms of the year 10000

# What is forged: the fields beside guid, title and link, and how the log calls the fault.
FIELDS = {
    "script_in_content": (put(CONTENT, SCRIPT), "content: .*element"),
    "script_in_summary": (put(SUMMARY, SCRIPT), "summary: .*element"),
    "script_in_title_html": (extra("title-html", SCRIPT), "title-html: .*element"),
    "script_in_rights_html": (extra("rights-html", SCRIPT), "rights-html: .*element"),
    "handler": (put(CONTENT, '<img src="https://x.example/a.png" onerror="alert(1)"/>'), "content: .*attribute"),
    "svg": (put(CONTENT, '<svg onload="alert(1)"></svg>'), "content: .*element"),
    "upper_case": (put(CONTENT, "<SCRIPT>alert(1)</SCRIPT>"), "content: .*element"),
    "script_link": (put(CONTENT, '<a href="javascript:alert(1)">x</a>'), "content: .*URL"),
    "script_link_split": (put(CONTENT, '<a href="java\nscript:alert(1)">x</a>'), "content: .*URL"),
    "data_link": (put(CONTENT, '<a href="data:text/html,x">x</a>'), "content: .*URL"),
    "image_srcset": (put(CONTENT, '<img srcset="https://x.example/a 1x, javascript:alert(1) 2x"/>'), "content: .*URL"),
    "style": (put(CONTENT, '<p style="background: url(https://x.example/t)">x</p>'), "content: .*style"),
    "unbalanced": (put(CONTENT, "</div><p>x"), "content: .*end tag"),
    "left_open": (put(CONTENT, "<blockquote>x"), "content: .*open"),
    "comment": (put(CONTENT, "<!-- x -->"), "content: .*element"),
    "bare_angle": (put(CONTENT, "a < b"), "content: .*element"),
    "bare_ampersand": (put(CONTENT, "a &lt b"), "content: .*&"),
    "deep": (put(CONTENT, "<b>" * 300 + "</b>" * 300), "content: .*deep"),
    "link_javascript": (put(LINK, "javascript:alert(1)"), "link: .*URL"),
    "link_data": (put(LINK, "data:text/html,<script>1</script>"), "link: .*URL"),
    "link_file": (put(LINK, "file:///etc/passwd"), "link: .*URL"),
    "link_relative": (put(LINK, "/relative"), "link: .*URL"),
    "link_quoted": (put(LINK, 'https://x.example/"><script>1</script>'), "link: .*URL"),
    "image_data": (put(IMAGE, "data:image/svg+xml,x"), "image: .*URL"),
    "image_magnet": (put(IMAGE, "magnet:?xt=urn"), "image: .*URL"),
    "comments_javascript": (put(COMMENTS, "javascript:alert(1)"), "comments: .*URL"),
    "enclosure_javascript": (enclosure("javascript:alert(1)", "audio/mpeg"), "enclosure: .*URL"),
    "enclosure_type": (enclosure("https://x.example/a", "audio/\x1b[2Jmpeg"), "enclosure: .*control"),
    "enclosure_size": (enclosure("https://x.example/a", None, -9), "enclosure: .*size"),
    "author_uri": (person(AUTHOR, "A", None, "javascript:alert(1)"), "author: .*URL"),
    "author_nobody": (person(AUTHOR, None), "author: .*nobody"),
    "contributor_name": (person(CONTRIBUTOR, "A\u009b31mB"), "contributor: .*control"),
    "title_escape": (put(TITLE, "a\x1b]0;b\x07"), "title: .*control"),
    "title_c1": (put(TITLE, "a\u009b31mb"), "title: .*control"),
    "title_del": (put(TITLE, "a\x7fb"), "title: .*control"),
    "title_lines": (put(TITLE, "a\nb: forged"), "title: .*line"),
    "title_no_utf8": (put(TITLE, b"a\xff\xfeb"), "title: .*UTF-8"),
    "title_bidi": (put(TITLE, "a \u202egpj.exe"), "title: .*bidirectional"),
    "title_noncharacter": (put(TITLE, "a\ufdd0b"), "title: .*UTF-8|title: .*control"),
    "title_long": (put(TITLE, "x" * 16385), "title: .*long"),
    "language": (put(LANGUAGE, "en\x1b[0m"), "language: .*control"),
    "rights": (put(RIGHTS, "\u0085x"), "rights: .*control"),
    "category": (put(CATEGORY, "a\x08b"), "category: .*control"),
    "categories": (b"".join(put(CATEGORY, f"c{n}") for n in range(257)), "category: .*more"),
    "published_far": (time(PUBLISHED, FAR), "published: .*time"),
    "published_giant": (time(PUBLISHED, 2**62), "published: .*time"),
    "published_ahead": (time(PUBLISHED, FAR - 1), "published: .*time"),
    "updated_giant": (time(UPDATED, -2**62), "updated: .*time"),
    "extra_name": (extra("a\nb", "x"), "extra: .*"),
    "extra_unnamed": (extra("", "x"), "extra: .*"),
    "extra_text": (extra("note", "a\x1bb"), "note: .*control"),
    "extra_twice": (extra("note", "a") + extra("note", "b"), "note: .*twice"),
    "extras": (b"".join(extra(f"e{n}", "x") for n in range(257)), "extra: .*more"),
    "number": (number("n", float("inf")), "n: .*number"),
    "counter": (counter("votes", 2**62), "votes: .*counter"),
    "twice": (put(TITLE, "a") + put(TITLE, "b"), "title: .*twice"),
    "id": (put(ID, "a" * 26), "id: .*store"),
    "source": (put(SOURCE, "trusted"), "source: .*store"),
    "unknown_field": (put(27, "x"), "unknown"),
    "write_only_field": (put(8, SCRIPT), "unknown"),
    "cut_off": (bytes([TITLE]) + b"\xff\xff\0\0short", "cut|ends"),
}


def raw_plugins(d, *names):
    where = d.folder / "plugins"
    where.mkdir()
    for name in names:
        folder = "evil" if "raw" in name else "plugins"
        shutil.copy(BUILD / "tests" / folder / f"{name}.so", where)
        (where / f"{name}.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]
    return d


def honest(name):
    return item(RECORD, record(put(GUID, f"honest-{name}"), put(TITLE, f"honest {name}"),
                               put(CONTENT, '<p>a <b>b</b> &amp; <a href="https://x.example/">c</a><br/></p>')))


def entry(name, fields):
    """A forged record; guid and title only if the case does not forge them."""
    plain = put(GUID, f"forged-{name}")
    if fields[0] != TITLE:
        plain += put(TITLE, f"forged {name}")
    return item(RECORD, record(plain, fields))


OUTPUTS = ("all.jsonl", "list.atom", "list.rss", "list.json")


def everywhere(d):
    """All that the daemon shows: the outputs' files, and its API."""
    shown = {name: d.out(name).read_bytes() for name in OUTPUTS if d.out(name).exists()}
    for path in ("/api/v1/records?limit=500", "/"):
        shown[path] = d.http(path).body
    return shown


def titled(shown, guid):
    return [name for name, data in shown.items() if guid.encode() in data]


def test_no_forged_field_reaches_an_output(daemon, origin):
    d = raw_plugins(daemon(), "raw")
    shutil.move(d.folder / "plugins/raw.so", d.folder / "plugins/source_raw.so")
    for name, (fields, _) in FIELDS.items():
        d.sources[name] = {"plugin": "raw", "every": "1 h", "url": origin.put(
            name, results(2, entry(name, fields), honest(name)))}
    d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}},
                "list": {"from": ["*"], "once": "record", "to": {"feed": {"path": "list", "keep": 500}}}}
    d.write()
    d.start()
    d.until(lambda: all(s["checked"] for s in d.status()["sources"]), 120, "all pages were read")
    d.until(lambda: len(d.lines()) >= len(FIELDS) if d.out("all.jsonl").exists() else 0, 30, "the honest records")
    d.settled(60)
    shown = everywhere(d)
    through = {name: titled(shown, f"forged-{name}") or titled(shown, f"forged {name}") for name in FIELDS}
    assert not {n: w for n, w in through.items() if w}
    assert not [n for n in FIELDS if not titled(shown, f"honest-{n}")], "records beside forged ones are taken"
    for name, (_, reason) in FIELDS.items():
        line = d.wait_log(rf"^.*warning: {name}: .*plugin raw.*1 record.*refused.*{reason}.*$")[0]
        assert "\x1b" not in line and "\u202e" not in line
        assert d.source(name)["forged"] == 1, name
    status = d.status()
    assert [p["forged"] for p in status["plugins"] if p["name"] == "raw"] == [len(FIELDS)]
    said = d.courant("status").stdout.decode()
    assert "1 record refused, forged by plugin raw" in said, said


# What a filter's changes forge, and how the log calls the fault.
CHANGES = {
    "id": (put(ID, "a" * 26), "id: .*store"),
    "source": (put(SOURCE, "trusted"), "source: .*store"),
    "guid": (put(GUID, "another"), "guid: .*filter"),
    "script": (put(CONTENT, SCRIPT), "content: .*element"),
    "link": (put(LINK, "javascript:alert(1)"), "link: .*URL"),
    "title": (put(TITLE, "a\u009b31mb"), "title: .*control"),
    "published": (time(PUBLISHED, FAR), "published: .*time"),
    "title_html": (extra("title-html", SCRIPT), "title-html: .*element"),
    "unknown": (put(99, "x"), "unknown"),
}


def hexed(data):
    return data.hex()


@pytest.mark.parametrize("name", CHANGES)
def test_no_forged_change_of_a_filter_reaches_an_output(daemon, origin, name):
    fields, reason = CHANGES[name]
    d = raw_plugins(daemon(), "filter_raw")
    d.sources = {"one": {"plugin": "feed", "url": origin.put("f", FEED_OF_TWO), "every": "1 h"}}
    changed = results(2, verdict(KEEP, record(fields, put(CATEGORY, "forged"))),
                      verdict(KEEP, record(put(CATEGORY, "honest"))))
    d.routes = {"r": {"from": ["one"], "once": "record", "filters": [{"raw": {"bytes": hexed(changed)}}],
                      "to": {"jsonl": {"path": "all.jsonl"}, "feed": {"path": "list"}}}}
    d.write()
    d.start()
    d.until(lambda: d.out("all.jsonl").exists() and d.lines(), 30, "the record with honest changes")
    d.settled(60)
    lines = d.lines()
    seen = d.http("/api/v1/records?route=r&limit=50").json["records"]
    for found in (lines, seen):
        assert [r["categories"] for r in found] == [["honest"]], found
        assert [r["source"] for r in found] == ["one"] and found[0]["id"] != "a" * 26
    line = d.wait_log(rf"^.*warning: route r: filter raw#1.*1 record.*refused.*{reason}.*$")[0]
    assert "\u009b" not in line
    legs = d.route("r")
    assert legs["filters"]["forged"] == 1 and legs["filters"]["dead"] == 1, legs
    assert "1 record refused, forged by a filter" in d.courant("status").stdout.decode()


FEED_OF_TWO = (b'<rss version="2.0"><channel><title>T</title><link>https://x.example/</link><item><guid>a</guid>'
               b"<title>A</title></item><item><guid>b</guid><title>B</title></item></channel></rss>")


def test_forged_verdicts_with_a_rule_of_nobody_are_malformed(daemon, origin):
    d = raw_plugins(daemon(), "filter_raw")
    d.sources = {"one": {"plugin": "feed", "url": origin.put("f", FEED_OF_TWO), "every": "1 h"}}
    forged = results(2, verdict(KEEP, rule="story"), verdict(KEEP, rule="story"))
    d.routes = {"r": {"from": ["one"], "filters": [{"raw": {"bytes": hexed(forged)}}],
                      "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    d.start()
    d.wait_log(r"route r: its verdicts are malformed")
    assert not d.out("all.jsonl").exists() or not d.lines()


def test_a_reason_of_a_verdict_reaches_no_terminal_as_an_escape(daemon, origin):
    d = raw_plugins(daemon(), "filter_raw")
    d.sources = {"one": {"plugin": "feed", "url": origin.put("f", FEED_OF_TWO), "every": "1 h"}}
    forged = results(2, verdict(forge.DROP, why="a\x1b]0;b\x07"), verdict(forge.DROP, why="plain"))
    d.routes = {"r": {"from": ["one"], "once": "record", "filters": [{"raw": {"bytes": hexed(forged)}}],
                      "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    d.start()
    d.wait_log(r"route r: filter raw#1.*refused.*reason: a control")
    d.settled(30)
    ids = [r["id"] for r in d.http("/api/v1/records").json["records"]]
    assert len(ids) == 2
    for each in ids:
        assert b"\x1b" not in d.courant("explain", each).stdout


@pytest.mark.parametrize("count", [2, 3])
def test_what_a_stream_forges_is_refused_and_what_it_miscounts_ends_it(daemon, count):
    d = raw_plugins(daemon(), "source_forge")
    made = results(count, entry("stream", put(CONTENT, SCRIPT)), honest("stream"))
    d.sources = {"ticks": {"plugin": "forge", "bytes": hexed(made)}}
    d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    d.start()
    if count == 2:
        d.until_lines(1)
        assert d.lines()[0]["guid"] == "honest-stream"
        d.wait_log(r"warning: ticks: plugin forge.*1 record refused.*content: ")
        assert d.source("ticks")["forged"] == 1
    else:
        d.wait_log(r"died of ticks: what it wrote is malformed, or not what it told")
        d.wait_log(r"warning: ticks: plugin forge.*results are refused: not as many records as it told")


# Whole files that are malformed: the job fails, by the plugin's fault.
FILES = {
    "offset": (1, honest("x")[:-3], "cut off behind item 0"),
    "length": (1, b"\xff\xff\xff\x7f\x01abc", "cut off behind item 0"),
    "kind": (1, honest("x") + item(9, b"x"), "cut off|item 2"),
    "verdict": (1, honest("x") + verdict(KEEP), "item 2, of kind 4"),
    "two_feeds": (1, honest("x") + 2 * item(FEED, record(put(TITLE, "T"))), "item 3, of kind 2"),
    "state": (1, honest("x") + item(STATE, text(b"\xff") + text("v") + text(None) + b"\0\0\0\0"), "item 2, of kind 3"),
    "request": (1, honest("x") + item(REQUEST, b"\0\0\0\0" + text("file:///etc/passwd") + 3 * text(None) + text(b"")),
                "item 2, of kind 6"),
    "request_escape": (1, honest("x") + item(REQUEST, b"\0\0\0\0" + text("http://x.example/\u009b") + 3 * text(None) + text(b"")),
                       "item 2, of kind 6"),
    "too_few": (7, honest("x"), "not as many records as it told"),
    "too_many": (0, honest("x"), "not as many records as it told"),
}


def test_a_malformed_file_of_results_is_the_plugins_fault(daemon, origin):
    d = raw_plugins(daemon(), "raw")
    shutil.move(d.folder / "plugins/raw.so", d.folder / "plugins/source_raw.so")
    for name, (count, data, _) in FILES.items():
        d.sources[name] = {"plugin": "raw", "every": "1 h", "url": origin.put(name, results(count, data))}
    d.write()
    d.start()
    for name, (_, _, reason) in FILES.items():
        d.until(lambda n=name: d.source(n)["state"] == "parked", 30, f"{name} is parked")
        d.wait_log(rf"warning: {name}: plugin raw forged.*results are refused: .*({reason})")
        assert d.source(name)["found"] in (None, 0), name


def test_the_commands_refuse_what_is_forged_too(daemon, origin):
    d = raw_plugins(daemon(), "raw", "filter_raw")
    page = d.folder / "page"
    page.write_bytes(results(2, entry("x", put(CONTENT, SCRIPT)), honest("x")))
    shutil.move(d.folder / "plugins/raw.so", d.folder / "plugins/source_raw.so")
    done = d.courant("parse", "--plugin", str(d.folder / "plugins/source_raw.so"), str(page), check=False)
    assert done.returncode == 1 and b"refused, forged by the plugin: content: " in done.stderr, done
    assert b"honest-x" in done.stdout and SCRIPT.encode() not in done.stdout
    d.sources = {"one": {"plugin": "raw", "url": origin.put("f", page.read_bytes())}}
    d.write()
    done = d.courant("-c", str(d.conf), "fetch", "one", check=False)
    assert done.returncode == 1 and b"refused, forged by the plugin: content: " in done.stderr, done
    assert b"honest-x" in done.stdout and SCRIPT.encode() not in done.stdout
    lines = d.folder / "lines"
    lines.write_text(json.dumps({"id": "b" * 26, "guid": "b", "title": "B"}) + "\n")
    changed = results(1, verdict(KEEP, record(put(ID, "a" * 26), put(SOURCE, "trusted"))))
    done = d.courant("filter", "--plugin", str(d.folder / "plugins/filter_raw.so"), "-o",
                     f"bytes={hexed(changed)}", str(lines), check=False)
    assert done.returncode == 1 and b"refused, forged by the plugin: id: " in done.stderr, done
    assert b"trusted" not in done.stdout and b"a" * 26 not in done.stdout
