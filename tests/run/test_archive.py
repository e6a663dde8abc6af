"""The archive of editions: what is kept of them, how a reader walks through it, and what a page says."""
import base64
import contextlib
import email
import email.policy
import hashlib
import json
import os
import pathlib
import re
import signal
import sqlite3


import feedparser

from test_editions import EVERY, PARIS, editions, entries, guids, issue_plugin, issues, states, weekly  # noqa: F401
from test_face import api, poll


def day(n, hour=7, minute=0):
    return 2025, 3, n, hour, minute


def test_row_32_an_edition_an_hour_overdue_shows_in_the_status(weekly, origin):  # noqa: F811
    d = weekly(*day(10, 12))
    poll(d, origin, "a", entries(1))
    d.clock.until(*day(11, 6, 30))
    (file,) = d.state.glob("*.db")
    kept = {p: p.with_name("kept-" + p.name) for p in d.state.glob("*.db*")}
    d.clock.settles = False
    for p, to in kept.items():
        p.rename(to)
    file.mkdir()                                # a store that cannot open its database
    os.kill(d.pids()["store"], signal.SIGKILL)
    d.clock.until(*day(11, 7, 0), wait=False)
    d.clock.until(*day(11, 7, 59), wait=False)
    (m,) = [r for r in d.status()["routes"] if r["name"] == "m"]
    assert "overdue" not in m
    d.clock.until(*day(11, 8, 1), wait=False)
    (m,) = [r for r in d.status()["routes"] if r["name"] == "m"]
    assert m["overdue"] == {"name": "2025-03-11", "due": "2025-03-11T06:00:00Z"}
    assert "edition 2025-03-11 is overdue" in " ".join(d.courant("status").stdout.decode().split())
    file.rmdir()
    for p, to in kept.items():
        to.rename(p)
    d.until(d.ready)
    d.clock.settles = True
    d.clock.look()
    assert states(d) == {"2025-03-11": "sealed"} and guids(d) == ["i-1"]
    assert all("overdue" not in r for r in d.status()["routes"])


def test_an_empty_edition_is_sent_to_those_who_asked_for_it(weekly, origin):  # noqa: F811
    d = weekly(*day(10, 12), edition={**EVERY, "empty": "send"})
    issue_plugin(d)
    d.routes["m"]["to"].append({"issue": {}})
    d.write()
    d.courant("reload")
    d.clock.until(*day(11))
    assert [(i["name"], i["guids"]) for i in issues(d)] == [("2025-03-11", [])]
    (e,) = editions(d)["editions"]
    assert (e["state"], e["records"], e["why"]) == ("sealed", 0, "there was nothing new")
    assert guids(d) == [], "a sink of records has none to get"
    poll(d, origin, "a", entries(1))
    assert d.stop() == 0
    d.start()
    d.clock.until(*day(12))
    d.clock.until(*day(13))
    assert [(i["name"], i["guids"]) for i in issues(d)] == [
        ("2025-03-11", []), ("2025-03-12", ["i-1"]), ("2025-03-13", [])]
    assert guids(d) == ["i-1"]
    assert not [line for line in d.log().splitlines() if "has no record" in line]
    d.courant("replay", "m/issue", "--since", "2025-03-10", "--again")
    d.until(lambda: len(issues(d)) == 6)
    assert sorted(i["name"] for i in issues(d)[3:]) == ["2025-03-11", "2025-03-12", "2025-03-13"]
    counted = next(r for r in d.status()["routes"] if r["name"] == "m")
    assert counted["kept"] == 1 and all(s["unconfirmed"] == 0 for s in counted["sinks"])


def rows(d, table):
    with contextlib.closing(sqlite3.connect(f"file:{next(d.state.glob('*.db'))}?mode=ro", uri=True)) as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_the_archive_keeps_so_many_and_never_prunes_what_a_sink_has_still_to_get(weekly, origin):  # noqa: F811
    d = weekly(*day(10, 12), edition={**EVERY, "archive": 2})
    issue_plugin(d)
    d.routes["m"]["to"].append({"issue": {"file": "first/issues"}})    # no such folder: it fails
    d.write()
    d.courant("reload")
    d.clock.settles = False
    for n in (11, 12, 13, 14):
        origin.put("a.json", json.dumps(entries(*range(11, n + 1))).encode())
        d.refresh("a")
        d.until(lambda n=n: d.records() == n - 10)
        d.clock.until(*day(n))
        d.until(lambda n=n: f"2025-03-{n}" in states(d))
    assert set(states(d).values()) == {"sealed"}, "the sink has none of them yet"
    (d.state / "out" / "first").mkdir()
    (d.state / "out" / "first").chmod(0o777)
    d.courant("resume", "m")
    d.clock.settles = True
    d.clock.look()
    (d.path,) = d.state.rglob("issues")
    assert [i["name"] for i in issues(d)] == ["2025-03-11", "2025-03-12", "2025-03-13", "2025-03-14"]
    views, records = rows(d, "edition_view"), rows(d, "record")
    poll(d, origin, "a", entries(*range(11, 16)))
    d.clock.until(*day(15))
    assert states(d) == {"2025-03-15": "sealed", "2025-03-14": "sealed", "2025-03-13": "pruned",
                         "2025-03-12": "pruned", "2025-03-11": "pruned"}
    # three editions of one record each went, one came, with its entry and what that was as it was sealed
    assert rows(d, "edition_view") == views - 3 + 1 and rows(d, "record") == records - 3 + 2
    old = editions(d, "m", "2025-03-12")["edition"]
    assert (old["state"], old["items"], old["why"]) == ("pruned", [], "the archive has no more room for it")
    said = d.courant("replay", "m/issue", "--since", "2025-03-01", "--again").stdout.decode()
    assert "no longer stored" in said
    d.until(lambda: len(issues(d)) == 7)
    assert {i["name"] for i in issues(d)[5:]} == {"2025-03-14", "2025-03-15"}
    d.stop()
    d.start()
    assert states(d)["2025-03-12"] == "pruned"
    assert "in edition 2025-03-12 as number 1" in d.courant("explain", "i-12").stdout.decode()


BASE = "https://papers.example.org"


def papers(weekly, origin, *when, edition=EVERY, **feed):  # noqa: F811
    """A daemon whose route m writes a feed of its editions."""
    d = weekly(*when, edition=edition)
    d.settings["serve"] = {"listen": "127.0.0.1:0", "base": BASE}
    d.routes["m"].update({"title": "Papers", "to": [{"feed": {"path": "papers/m", "keep": 2, **feed}}]})
    d.write()
    d.courant("reload")
    return d


def publish(d, origin, *days):
    """An edition on each of these days of March, with an entry of that number."""
    for n in days:
        poll(d, origin, "a", entries(n))
        d.clock.until(*day(n))


def parsed(d, name):
    got = feedparser.parse(d.out(name).read_bytes())
    assert not got.bozo, got.bozo_exception
    return got


def links(got):
    return {x["rel"]: x["href"] for x in got.feed.links}


def test_a_feed_of_editions_and_its_archive_are_linked_both_ways(weekly, origin):  # noqa: F811
    d = papers(weekly, origin, *day(10, 12))
    names = [f"2025-03-{n}" for n in (11, 12, 13, 14)]
    publish(d, origin, 11, 12, 13, 14)
    for suffix in "rss", "atom":
        feed = parsed(d, f"papers/m.{suffix}")
        assert [e.title for e in feed.entries] == ["Papers, Friday, 14 March 2025", "Papers, Thursday, 13 March 2025"]
        assert [e.link for e in feed.entries] == [f"{BASE}/edition/m/{n}" for n in ("2025-03-14", "2025-03-13")]
        assert 'href="https://a.example/' not in feed.entries[0].summary
        assert "number 14 told here" in (feed.entries[0].get("content") or [{"value": feed.entries[0].summary}])[0]["value"]
        assert links(feed)["self"] == f"{BASE}/papers/m.{suffix}" and "fh_archive" not in feed.feed
        walked, at, ids = [], links(feed)["prev-archive"], []
        while at is not None:
            name = at.removeprefix(f"{BASE}/edition/m/").removesuffix(f".{suffix}")
            one = parsed(d, f"edition/m/{name}.{suffix}")
            assert "fh_archive" in one.feed and len(one.entries) == 1 and links(one)["self"] == at
            assert links(one)["current"] == f"{BASE}/papers/m.{suffix}"
            walked.append(name)
            ids.append(one.entries[0].id)
            at = links(one).get("prev-archive")
        assert walked == names[::-1] and ids[:2] == [e.id for e in feed.entries] and len(set(ids)) == 4
        back = [names[0]]
        while "next-archive" in links(one):
            one = parsed(d, "edition/m/" + links(one)["next-archive"].rsplit("/", 1)[1])
            back.append(links(one)["self"].rsplit("/", 1)[1].removesuffix(f".{suffix}"))
        assert back == names
    feed, walked = json.loads(d.out("papers/m.json").read_text()), []
    assert [i["url"] for i in feed["items"]] == [f"{BASE}/edition/m/{n}" for n in ("2025-03-14", "2025-03-13")]
    while "next_url" in feed:
        feed = json.loads(d.out("edition/m/" + feed["next_url"].rsplit("/", 1)[1]).read_text())
        walked += [i["url"].rsplit("/", 1)[1] for i in feed["items"]]
    assert walked == ["2025-03-12", "2025-03-11"]


def test_a_document_of_the_archive_changes_once(weekly, origin):  # noqa: F811
    d = papers(weekly, origin, *day(10, 12))

    def files(name):
        return {s: d.out(f"edition/m/{name}.{s}").read_bytes() for s in ("rss", "atom", "json", "html")}
    publish(d, origin, 11)
    alone = files("2025-03-11")
    publish(d, origin, 12)
    linked = files("2025-03-11")
    assert linked["json"] == alone["json"]
    for s in "rss", "atom", "html":
        assert linked[s] != alone[s] and b"next" in linked[s]
        assert linked[s].replace(linked[s][len(os.path.commonprefix([linked[s], alone[s]])):], b"") in alone[s]
    d.routes["m"]["title"] = "Other papers"
    d.write()
    d.courant("reload")
    d.stop()
    d.start()
    publish(d, origin, 13)
    assert files("2025-03-11") == linked
    feed = parsed(d, "papers/m.atom")
    assert feed.feed.title == "Other papers" and [e.title.split(",")[0] for e in feed.entries] == ["Other papers", "Papers"]
    d.courant("replay", "m/feed", "--since", "2025-03-01", "--again")
    d.settled()
    d.until(lambda: all(s["replay"] == 0 for s in d.route("m")["sinks"]))
    assert links(parsed(d, "edition/m/2025-03-12.atom"))["next-archive"] == f"{BASE}/edition/m/2025-03-13.atom"
    assert b'rel="next" href="2025-03-13"' in files("2025-03-12")["html"]
    assert [e.link for e in parsed(d, "papers/m.atom").entries] == [f"{BASE}/edition/m/2025-03-{n}" for n in (13, 12)]


def test_serve_has_the_page_of_each_edition_and_410_of_pruned_ones(weekly, origin):  # noqa: F811
    d = papers(weekly, origin, *day(10, 12), edition={**EVERY, "archive": 2, "top": 1}, intro="By <hand> & eye.")
    assert d.http("/edition/m").status == 200 and "no editions here yet" in d.http("/edition/m").text
    for path in "/edition/none", "/edition/", "/edition/m/2025-03-11", "/edition/m%2Fcandidates", "/edition/m/x/y":
        assert d.http(path).status == 404, path
    poll(d, origin, "a", [*entries(1, 2), {"id": "x", "title": "<script>alert(1)</script> & more", "url": "javascript:1"}])
    d.clock.until(*day(11))
    page = d.http("/edition/m/2025-03-11")
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    for title in "number 1 told", "number 2 told", "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more":
        assert page.text.count(title) == 1, "those that had no room are there, too"
    assert "By &lt;hand&gt; &amp; eye." in page.text and "<script" not in page.text and "javascript:" not in page.text
    style = page.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert page.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    assert page.headers["cache-control"] == "no-cache", "the link to the next is to come"
    atom = d.http("/edition/m/2025-03-11.atom")
    assert atom.headers["content-type"].startswith("application/atom+xml") and atom.headers["cache-control"] == "no-cache"
    assert d.http("/edition/m/2025-03-11.json").headers["cache-control"].startswith("public, max-age=31536000")
    publish(d, origin, 12)
    page = d.http("/edition/m/2025-03-11")
    assert 'rel="next" href="2025-03-12"' in page.text and 'rel="prev"' not in page.text
    for path in "", ".rss", ".atom", ".json":
        got = d.http("/edition/m/2025-03-11" + path)
        assert got.headers["cache-control"] == "public, max-age=31536000, immutable", path
        assert d.http("/edition/m/2025-03-11" + path, headers={"If-None-Match": got.headers["etag"]}).status == 304
    assert 'rel="prev" href="2025-03-11"' in d.http("/edition/m/2025-03-12").text
    for path in "/edition/m", "/edition/m/":
        listed = re.findall(r'<h2><a href="([^"]*)', d.http(path).text)
        assert listed == ["/edition/m/2025-03-12", "/edition/m/2025-03-11"]
    assert '<a href="/edition/m">Papers: editions</a>' in d.http("/").text and "2025-03-12.rss" not in d.http("/").text
    d.clock.until(*day(13))                     # nothing new: skipped
    publish(d, origin, 14)
    gone = d.http("/edition/m/2025-03-11")
    assert gone.status == 410 and "no longer has" in gone.text and gone.headers["cache-control"] == "no-store"
    assert d.http("/edition/m/2025-03-11.atom").status == 410
    assert not list(d.out("edition/m").glob("2025-03-11*")), "the sink deleted what it had written"
    assert "nothing new" in d.http("/edition/m/2025-03-13").text and d.http("/edition/m/2025-03-13").status == 404
    assert "2025-03-11" not in d.http("/edition/m").text
    assert [e.link.rsplit("/", 1)[1] for e in parsed(d, "papers/m.rss").entries] == ["2025-03-14", "2025-03-12"]
    assert d.http("/edition/m?page=2").status == 200 and d.http("/edition/m?page=x").status == 400
    d.stop()
    d.start()
    assert d.http("/edition/m/2025-03-11").status == 410 and d.http("/edition/m/2025-03-12").status == 200


def test_a_letter_links_to_the_page_that_has_all(weekly, origin):  # noqa: F811
    d = papers(weekly, origin, *day(10, 12), edition={**EVERY, "top": 10})
    box = {"folder": "box", "to": "ada@example.org"}
    d.routes["m"]["to"].append({"maildir": box})
    d.routes["bare"] = {"from": ["*"], "edition": {**EVERY, "top": 10}, "to": {"maildir": {**box, "folder": "bare"}}}
    d.write()
    d.courant("reload")
    poll(d, origin, "a", entries(*range(222)))
    d.clock.until(*day(11))
    (mail,) = [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in d.out("box/new").iterdir()]
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert f"212 more on the page:\n{BASE}/edition/m/2025-03-11\n" in text
    page = d.http("/edition/m/2025-03-11").text
    assert all(f"number {n} told here" in page for n in range(222))
    (mail,) = [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in d.out("bare/new").iterdir()]
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "212 more were left out.\n" in text and "/edition/" not in text, "no sink makes its pages"


def test_one_sink_of_a_route_writes_the_archive(daemon, origin):
    twice = [{"feed": {"path": "a"}}, {"feed": {"path": "b"}}]
    d = daemon({"a": api(origin, "a", entries())}, {"m": {"from": ["*"], "edition": EVERY, "to": twice}})
    code, said = d.run("-n")
    assert code == 1 and "another sink of the route, feed, writes the pages of its editions already" in said, said
    d.routes["m"]["to"] = {"feed": {"path": "edition/m"}}
    d.write()
    code, said = d.run("-n")
    assert code == 1 and "the folder edition is for the pages of editions" in said, said


def test_the_next_edition_as_the_html_of_its_mail(weekly, origin):  # noqa: F811
    d = papers(weekly, origin, *day(10, 12), edition={**EVERY, "top": 2})
    box = {"folder": "box", "to": "ada@example.org", "intro": "Ranked by votes; \u00e9t\u00e9 = summer.", "summary": 20}
    d.routes["m"]["to"].insert(0, {"maildir": box})
    d.write()
    d.courant("reload")
    empty = d.courant("editions", "m", "--next", "--html").stdout.decode()
    assert "Nothing new this time." in empty and empty.startswith("<!DOCTYPE html>")
    poll(d, origin, "a", entries(1, 2, 3, text="A summary of many more words than twenty characters."))
    asked = d.courant("editions", "m", "--next", "--html").stdout.decode()
    assert states(d) == {} and not d.out("box").exists(), "nothing is sealed or sent"
    assert not [p for p in pathlib.Path("/tmp").glob("courant-??????/box")], "its folder is gone"
    d.clock.until(*day(11))
    (mail,) = [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in d.out("box/new").iterdir()]
    html = mail.get_body(("html",)).get_content().replace("\r\n", "\n")
    assert asked.rstrip("\n") == html.rstrip("\n") and "\u00e9t\u00e9 = summer" in html and "1 more on the page" in html
    assert d.courant("editions", "m", "--html", check=False).returncode == 2
