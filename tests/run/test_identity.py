"""What a record is and which version and date of it is shown: through the daemon, as a reader sees it."""
import json
import re
import shutil
import sqlite3

from courant import TREE, numbered, rss
from receiver import Receiver

PAGE = "https://status.example/"


def incident(title, hour, text, link=PAGE):
    return (f"<item><title>{title}</title><link>{link}</link><description>{text}</description>"
            f"<pubDate>Fri, 27 Nov 2026 {hour:02}:00:00 GMT</pubDate></item>")


def feed(origin, name, *items):
    return {"plugin": "feed", "url": origin.put(f"{name}.xml", rss(items)), "every": "1 h"}


def ids(d, name="all.jsonl"):
    return {r["title"]: r["id"] for r in d.lines(name)}


LINES = {"all": {"from": ["*"], "once": "record", "to": [{"jsonl": {"path": "all.jsonl"}}]}}


def test_incidents_of_one_name_on_one_page_are_told_apart(daemon, origin):
    a, b, c = (incident("Maintenance", 10, "planned"), incident("Outage", 11, "disks"),
               incident("Outage", 15, "network"))
    d = daemon({"s": feed(origin, "s", b, a)}, LINES).start()
    assert [r["title"] for r in d.until_lines(2)] == ["Maintenance", "Outage"]
    feed(origin, "s", c, b, a)
    d.refresh("s")
    assert [r["published"][11:13] for r in d.until_lines(3)] == ["10", "11", "15"]
    d.refresh("s")
    d.settled()
    counts = d.status()["counts"]
    assert (counts["records"], counts["revisions"]) == (3, 0)
    # One with a link of its own: whatever its date, it is the same.
    own = f"{PAGE}own"
    for hour in (16, 17):
        feed(origin, "s", incident("Report", hour, "draft" if hour == 16 else "final", own), c, b, a)
        d.refresh("s")
    d.settled()
    counts = d.status()["counts"]
    assert (counts["records"], counts["revisions"]) == (4, 1)


def test_a_pinned_entry_does_not_turn_the_order_round(daemon, origin):
    posts = [incident(f"post {n}", n, "", f"{PAGE}{n}") for n in (1, 5, 4, 3, 2)]
    d = daemon({"s": feed(origin, "s", *posts)}, LINES | {
        "two": {"from": ["*"], "to": [{"jsonl": {"path": "two.jsonl", "backlog": 2}}]}}).start()
    assert [r["title"][5:] for r in d.until_lines(5)] == list("12345")
    assert [r["title"][5:] for r in d.until_lines(2, "two.jsonl")] == list("45")
    feed(origin, "s", posts[0], *(incident(f"post {n}", n, "", f"{PAGE}{n}") for n in (7, 6, 5, 4)))
    d.refresh("s")
    assert [r["title"][5:] for r in d.until_lines(7)] == list("1234567")


def test_a_database_begun_anew_gives_records_the_same_ids(daemon, origin):
    names = {name: origin.put(f"{name}.xml", rss(numbered(1, 2, name))) for name in ("x", "y")}
    d = daemon({"a": feed(origin, "a", *numbered(1, 3, "a")),
                "b": feed(origin, "b", *numbered(1, 3, "a"), incident("one", 1, ""),
                          incident("two", 2, "")),
                "group": {"plugin": "feed", "every": "1 h", "url": "{each}",
                          "each": list(names.values())}}, LINES).start()
    before = {r["id"]: r["title"] for r in d.until_lines(12)}
    assert len(before) == 12                # each source has ids of its own
    assert d.stop() == 0
    lose(d)
    d.sources = dict(reversed(d.sources.items()))
    d.write()
    d.start()
    assert {r["id"]: r["title"] for r in d.until_lines(12)} == before


def test_a_rename_keeps_ids_with_and_without_the_database(daemon, origin):
    d = daemon({"old": feed(origin, "old", *numbered(1, 3))}, LINES).start()
    d.until_lines(3)
    before = ids(d)
    assert d.stop() == 0
    d.sources = {"new": d.sources["old"] | {"was": "old"}}
    d.write()
    feed(origin, "old", *numbered(1, 4))
    d.start().refresh("new")
    d.until_lines(4)
    after = ids(d)
    assert before.items() < after.items()
    assert d.stop() == 0
    lose(d)
    d.start()
    d.until_lines(4)
    assert ids(d) == after


def lose(d):
    """The database and all that was written by it are gone."""
    for path in d.state.iterdir():
        if path.name.startswith("courant.db"):
            path.unlink()
    shutil.rmtree(d.out(""))


def test_was_wins_over_a_source_of_the_new_name_that_is_gone(daemon, origin):
    d = daemon({"new": feed(origin, "new", *numbered(1, 2, "n")),
                "old": feed(origin, "old", *numbered(1, 2, "o"))}, LINES).start()
    d.until_lines(4)
    d.settled()
    assert d.stop() == 0
    kept = d.sources.pop("old")
    d.sources = {"old": kept}
    d.write()
    d.start().settled()
    assert d.stop() == 0
    d.sources = {"new": kept | {"was": "old"}}
    d.write()
    feed(origin, "old", *numbered(1, 3, "o"))
    d.start().refresh("new")
    assert [r["title"] for r in d.until_lines(5)][4] == "o number 3"
    assert d.source("new")["name"] == "new"


def atom(entries):
    """Entries are (id, title, published or None, updated)."""
    body = "".join(
        f"<entry><id>{name}</id><title>{title}</title><link href='https://a.example/{name}'/>"
        + (f"<published>{published}</published>" if published else "")
        + (f"<updated>{updated}</updated>" if updated else "") + "</entry>"
        for name, title, published, updated in entries)
    return ("<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:a</id><title>A</title>"
            f"<updated>2026-11-01T00:00:00Z</updated>{body}</feed>").encode()


def test_one_rule_of_dates_for_page_api_feed_and_template(daemon, origin):
    got = Receiver()
    url = origin.put("a.xml", atom([
        ("p", "Published", "2026-11-02T10:00:00Z", "2026-11-05T11:00:00Z"),
        ("u", "Updated", None, "2026-11-03T12:34:00Z"), ("s", "Seen", None, None)]))
    d = daemon({"a": {"plugin": "feed", "url": url, "every": "1 h"}}, {"r": {
        "from": ["*"], "backlog": "all", "to": [{"feed": {"path": "r"}}, {"webhook": {
            "url": got.url("/"), "body": '{"title": "{title}", "date": "{published}"}'}}]}}).start()
    with got:
        d.settled()
        d.until(lambda: len(got.hooks) == 3, 20, "all are pushed")
        pushed = {}
        for each in got.hooks:
            said = json.loads(each.body)
            pushed[said["title"]] = said["date"][:16]
    records = d.http("/api/v1/records").json["records"]
    api = {r["title"]: r["date"][:16] for r in records}
    seen = next(r["seen"] for r in records if r["title"] == "Seen")[:16]
    want = {"Published": "2026-11-02T10:00", "Updated": "2026-11-03T12:34", "Seen": seen}
    assert api == want and pushed == want
    page = d.http("/new").text
    shown = dict(re.findall(r'<h2[^>]*><a [^>]*>([^<]*)</a></h2>.*?<time datetime="([^"]{16})', page, re.S))
    assert shown == want
    items = json.loads(d.out("r.json").read_bytes())["items"]
    assert {i["title"]: i["date_published"][:16] for i in items} == want
    assert [i["title"] for i in items] == ["Seen", "Updated", "Published"]


def test_the_past_of_a_new_source_pushes_no_fresh_ones_out_of_a_feed(daemon, origin):
    fresh = [incident(f"fresh {n}", n, "", f"{PAGE}{n}") for n in (9, 8, 7)]
    d = daemon({"s": feed(origin, "s", *fresh)},
               {"r": {"from": ["*"], "to": {"feed": {"path": "r", "keep": 3, "backlog": "all"}}}}).start()
    d.settled()

    def titles():
        return [i["title"] for i in json.loads(d.out("r.json").read_bytes())["items"]]
    assert titles() == ["fresh 9", "fresh 8", "fresh 7"]
    old = [re.sub("Fri, 27 Nov 2026", "Fri, 27 Nov 2015", incident(f"old {n}", n, "", f"{PAGE}o{n}"))
           for n in (5, 4, 3, 2)]
    d.sources["old"] = feed(origin, "old", *old, incident("between", 8, "", f"{PAGE}between"))
    d.write()
    d.courant("reload")
    d.until(lambda: d.records() == 8, 20, "the new source is read")
    d.settled()
    d.until(lambda: "between" in titles(), 20, "the list is written")
    assert titles() in (["fresh 9", "between", "fresh 8"], ["fresh 9", "fresh 8", "between"])


def test_feed_and_api_show_the_same_version(daemon, origin):
    d = daemon({"s": feed(origin, "s", ("g", "Before", None), ("h", "Beside", None))})
    d.routes = {name: {"from": ["*"], "updates": updates, "to": {"feed": {"path": name}}}
                for name, updates in (("yes", True), ("no", False))}
    d.write()
    d.start().settled()
    begun = d.http("/api/v1/records?route=yes&after=0").json["next"]
    feed(origin, "s", ("g", "After", None), ("h", "Beside", None))
    d.refresh("s")
    d.settled()
    d.until(lambda: "After" in d.out("yes.rss").read_text(), 10, "the list is made anew")

    def titles(name, more=""):
        return [r["title"] for r in d.http(f"/api/v1/records?route={name}{more}").json["records"]]
    for name in d.routes:
        shown = [i["title"] for i in json.loads(d.out(f"{name}.json").read_bytes())["items"]]
        assert sorted(titles(name)) == sorted(shown)
    assert sorted(titles("no")) == ["Before", "Beside"]
    assert titles("yes") == ["After", "Beside"]
    # After a place: what came to the route since, revisions as well.
    answer = d.http(f"/api/v1/records?route=yes&after={begun}").json
    assert [(r["title"], r["revision"]) for r in answer["records"]] == [("After", 1)]
    assert titles("yes", "&after=0")[2:] == ["After"] and "Before" in titles("yes", "&after=0")
    assert titles("no", "&after=0") == titles("no")[::-1]
    # A page further back shows no version that a later one took the place of.
    first = d.http("/api/v1/records?route=yes&limit=1").json
    assert [r["title"] for r in first["records"]] == ["After"]
    assert titles("yes", f"&before={first['older']}") == ["Beside"]
    feed(origin, "s", ("g", "Later", None), ("h", "Beside", None))
    d.refresh("s")
    d.settled()
    assert titles("yes") == ["Later", "Beside"] and sorted(titles("no")) == ["Before", "Beside"]


def without_steps_after(version):
    """SQL that takes the schema's steps back to that version, but for what they changed in rows."""
    whole = (TREE / "core/db/schema.c").read_text().replace('"\n\t"', "")
    whole = whole[:whole.index("\n};", whole.index("schema_steps"))]
    steps = whole[whole.index(f"/* {version + 1}: "):]
    return "".join(
        [f"DROP INDEX IF EXISTS {name};" for name in re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+)", steps)] +
        [re.search(rf"CREATE (UNIQUE )?INDEX {name} [^;]*;", whole)[0].replace('"\n\t    "', "")
         for name in re.findall(r"DROP INDEX (\w+);", steps)] +
        [f"ALTER TABLE {table} DROP COLUMN {name};"
         for table, name in re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", steps)] +
        [f"DROP TABLE {name};" for name in re.findall(r"CREATE TABLE (\w+)", steps)] +
        [f"PRAGMA user_version = {version};"])


def test_a_database_of_today_without_a_window_goes_on(daemon, origin):
    """As it was before lists had one: the tables of the version before."""
    d = daemon({"s": feed(origin, "s", *numbered(1, 3))},
               {"r": {"from": ["*"], "to": {"feed": {"path": "r", "keep": 2}}}}).start()
    d.settled()
    assert d.stop() == 0
    with sqlite3.connect(d.state / "courant.db") as db:
        db.executescript(without_steps_after(4))
    db.close()
    d.own(d.state)
    feed(origin, "s", *numbered(1, 4))
    d.start().refresh("s")
    d.settled()
    assert [i["title"] for i in json.loads(d.out("r.json").read_bytes())["items"]] == [
        "n number 4", "n number 3"]
