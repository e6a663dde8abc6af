"""Lists of stories as pages and in the API: which ones, in which order, by which days; and the page of a story."""
import datetime
import re
import zoneinfo

import pytest
from test_editions import Clock
from test_face import api, poll, title

AUCKLAND = zoneinfo.ZoneInfo("Pacific/Auckland")


def entry(n, votes=0, **more):
    return {"id": f"i-{n}", "title": title(n), "url": f"https://x.example/{n}", "votes": votes, **more}


@pytest.fixture
def site(daemon, origin, monkeypatch):
    """A daemon with two sources; its clock is the test's."""
    def make(entries=(), others=(), **serve):
        d = daemon({"a": api(origin, "a", list(entries), counters={"votes": "votes"}),
                    "b": api(origin, "b", list(others), counters={"votes": "votes"})}, None,
                   {"serve": {"listen": "127.0.0.1:0", "tz": "Pacific/Auckland"} | serve})
        d.clock = Clock(d, monkeypatch)
        d.clock.set(datetime.datetime(2025, 3, 12, 12, 0, tzinfo=AUCKLAND))
        d.start(wait=False)
        d.until(d.ready)
        d.settled()
        return d
    return make


def day(d, n, hour=12):
    d.clock.set(datetime.datetime(2025, 3, n, hour, 0, tzinfo=AUCKLAND))
    d.clock.look()


def shown(d, path):
    """The numbers of the stories on a page, in order."""
    answer = d.http(path)
    assert answer.status == 200, answer.text
    return [int(n) for n in re.findall(r"<h2[^>]*>(?:<a[^>]*>)?Entirely made-up finding of number (\d+) told here", answer.text)]


def listed(d, name, **more):
    got = d.http("/api/v1/stories?list=" + name + "".join(f"&{k}={v}" for k, v in more.items())).json
    return [int(re.search(r"number (\d+)", s["title"]).group(1)) for s in got["stories"]], got["next"]


def story_of(d, n):
    (got,) = [s for s in d.http("/api/v1/stories?list=new&limit=1000").json["stories"] if s["title"] == title(n)]
    return got


def test_a_story_is_in_a_list_once_and_pages_and_api_agree(site, origin):
    d = site([entry(1, 3), entry(2, 50), entry(3, 9)], [entry(2, 80, id="o-2", url="https://y.example/2")])
    for path, name in [("/", "front"), ("/trending", "trending"), ("/new", "new"), ("/day/2025-03-12", "day:2025-03-12"),
                       ("/week/2025-W11", "week:2025-W11"), ("/month/2025-03", "month:2025-03"), ("/day/", "day:"),
                       ("/week/", "week:"), ("/month/", "month:")]:
        page, (ids, more) = shown(d, path), listed(d, name)
        assert page == ids and sorted(ids) == [1, 2, 3] and more is None, path
    assert shown(d, "/")[0] == 2 and shown(d, "/trending")[0] == 2, "two tell it, and many voted"
    both = story_of(d, 2)
    assert both["sources"] == 2 and both["numbers"] == {"votes": 80}
    assert {r["source"] for r in both["records"]} == {"a", "b"}


def test_row_48_days_are_those_of_the_zone(site, origin):
    d = site([entry(1)])
    day(d, 13, 0)
    poll(d, origin, "a", [entry(1), entry(2)])
    day(d, 13, 23)
    poll(d, origin, "a", [entry(1), entry(2), entry(3)])
    assert shown(d, "/") == listed(d, "front")[0] and sorted(shown(d, "/")) == [2, 3]
    assert sorted(shown(d, "/day/2025-03-13")) == [2, 3] and shown(d, "/day/2025-03-12") == [1]
    assert shown(d, "/day/2025-03-11") == [] and "There was nothing" in d.http("/day/2025-03-11").text
    assert "2025-03-13, Pacific/Auckland" in d.http("/").text
    page = d.http("/day/2025-03-12").text
    assert 'rel="prev" href="/day/2025-03-11"' in page and 'rel="next" href="/day/2025-03-13"' in page
    assert 'rel="next"' not in d.http("/day/2025-03-13").text
    for wrong in ("/day/2025-02-30", "/day/x", "/week/2025-W54", "/month/2025-13", "/day/2025-3-1", "/day/2025-03-12/x"):
        assert d.http(wrong).status == 404, wrong
    assert [sorted(listed(d, f"day:2025-03-{n}")[0]) for n in (11, 12, 13)] == [[], [1], [2, 3]]


def test_pages_of_a_list_are_the_list(site, origin):
    d = site([entry(n, n * n % 37) for n in range(1, 71)])
    for path, name in [("/trending", "trending"), ("/new", "new"), ("/day/2025-03-12", "day:2025-03-12"), ("/", "front")]:
        whole, none = listed(d, name, limit=1000)
        assert sorted(whole) == list(range(1, 71)) and none is None
        got, at = [], path
        while at:
            page = d.http(at)
            got += shown(d, at)
            more = re.search(r'rel="next" href="([^"]*after=[^"]*)"', page.text)
            at = more and more.group(1)
        assert got == whole, path
        part, after = listed(d, name, limit=7)
        rest, _ = listed(d, name, limit=1000, after=after)
        assert part + rest == whole
    for wrong in ("/new?after=x", "/api/v1/stories?after=x", "/api/v1/stories?list=x", "/api/v1/stories?limit=0",
                  "/api/v1/stories?x=1", "/api/v1/stories?list=day:x"):
        assert d.http(wrong).status == 400, wrong


def test_hidden_stories_are_in_no_list(site):
    d = site([entry(1), entry(2)])
    gone = story_of(d, 1)["id"]
    d.courant("hide", "i-1", "--why", "spam")
    for name in ("front", "trending", "new", "day:", "week:", "month:"):
        assert listed(d, name)[0] == [2], name
    assert d.http("/s/" + gone).status == 410
    d.courant("unhide", "i-1")
    assert d.http("/s/" + gone).status == 200


def test_the_page_of_a_story(site, origin):
    d = site([entry(1, 5, text="<p>It is <b>told</b> at length.</p>", who="Ada Lovelace")],
             [entry(1, 7, id="o-1", url="https://y.example/1")])
    s = story_of(d, 1)
    page = d.http("/s/" + s["id"]).text
    assert "It is told at length." in page and "Ada Lovelace" in page and "<b>7</b> votes" in page
    assert "https://x.example/1" in page and "https://y.example/1" in page and "<polyline" in page
    terms = re.findall(r'<tr><td>(\w)</td><td>(.*?)</td><td class="n">(.*?)</td><td class="n">([\d.]+)</td>', page)
    assert sorted(t[:3] for t in terms) == [("a", "it told the story", ""), ("b", "it told the story", ""), ("b", "votes", "7")]
    told = d.http(f"/api/v1/stories/{s['id']}/heat").json
    assert abs(sum(float(t[3]) for t in terms) - told["now"]) < 0.01
    (other,) = [r["id"] for r in s["records"] if r["id"] != s["id"]]
    moved = d.http("/s/" + other)
    assert moved.status == 301 and moved.headers["location"] == "/s/" + s["id"], "any record's id leads to it"
    assert d.http("/s/" + "a" * 26).status == 404 and d.http("/s/x").status == 404


def test_a_page_that_the_visitor_has_is_not_sent_again(site, origin):
    d = site([entry(1)])
    for path in ("/", "/trending", "/s/" + story_of(d, 1)["id"]):
        first = d.http(path)
        again = d.http(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status == 304 and not again.body, path
    first = d.http("/new")
    poll(d, origin, "a", [entry(1), entry(2)])
    assert d.http("/new", headers={"If-None-Match": first.headers["etag"]}).status == 200
    assert d.http("/", "HEAD").headers["content-length"] == str(len(d.http("/").body))


def test_nothing_that_a_feed_says_is_live(site):
    nasty = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    d = site([entry(1, title=nasty, url="javascript:alert(1)", text=nasty, who=nasty)], title=nasty)
    for path in ("/", "/trending", "/new"):
        page = d.http(path).text
        assert "<script" not in page and "<img" not in page and "javascript:" not in page, path
        link = re.search(r'href="(/s/[a-z2-7]+)"', page).group(1)
    page = d.http(link).text
    assert "<script" not in page and "<img" not in page and 'href="javascript:' not in page


def test_the_site_has_a_title_and_a_zone(site, daemon):
    d = site(title="Papers & news")
    assert "<title>Papers &amp; news</title>" in d.http("/").text
    assert "<title>Trending · Papers &amp; news</title>" in d.http("/trending").text
    d.settings["serve"]["tz"] = "Europe/Pariss"
    d.write()
    status, said = d.run("-n")
    assert status != 0 and re.search(r'courant.yaml:\d+: serve: tz: .*"Europe/Pariss", did you mean Europe/Paris', said), said
    d.settings["serve"]["tz"] = "Europe/Paris"
    for name in ("trending", "day/x.jsonl", "s/a", "api/x", "new", "./week/x", "style.css"):
        d.routes = {"r": {"from": ["*"], "to": [{"jsonl": {"path": name}}]}}
        d.write()
        assert "names of the daemon's own pages" in d.run("-n")[1], name
