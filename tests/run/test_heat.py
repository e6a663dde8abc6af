"""How hot stories are: by whom they are told and how their counters rise, in `courant explain`."""
import json
import math
import sqlite3
import time

import pytest

from courant import fake_clock, rss

EPOCH = 1577836800
DAY = 86400


def items(n, first=1, **more):
    """Items of an API of the test's own, the newest first."""
    return [{"id": f"i-{k}", "title": f"Entirely made-up finding of number {k} told here",
             "url": f"https://example.org/i/{k}", **more} for k in range(first + n - 1, first - 1, -1)]


def api(origin, name, entries, **options):
    origin.put(f"{name}.json", json.dumps(entries).encode())
    return {"plugin": "json", "url": origin.url(f"/{name}.json"), "every": "1 h",
            "fields": {"guid": "id", "title": "title", "link": "url", "published": "at"},
            **options}


def feed(origin, name, entries, **options):
    origin.put(f"{name}.xml", rss(entries))
    return {"plugin": "feed", "url": origin.url(f"/{name}.xml"), "every": "1 h", **options}


VOTES = {"counters": {"votes": "votes", "comments": "replies"}}


def explained(d, what):
    """The only record of that id or guid, or the first of those with that link."""
    return d.explain(what)[0]


def heat(d, what):
    """The heat of a record's story; its terms that count add up to it."""
    told = explained(d, what)["heat"]
    sums = [t["sum"] for t in told["terms"] if t["counts"]]
    top = max(sums, default=0)
    assert not sums or abs(top + math.log2(sum(2 ** (s - top) for s in sums)) - told["sum"]) < 1e-9
    assert abs(sum(t["weight"] for t in told["terms"] if t["counts"]) - told["score"]) < 1e-9
    return told


def stored(d):
    """All that is stored of heat."""
    db = sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)
    found = [db.execute(q).fetchall() for q in (
        "SELECT id, heat, score, born FROM story ORDER BY id", "SELECT * FROM term ORDER BY item, name")]
    db.close()
    return found


def poll(d, origin, name, entries):
    data = json.dumps(entries).encode() if name.endswith(".json") else rss(entries)
    origin.put(name, data)
    d.refresh(name.rpartition(".")[0])
    d.settled()


def test_row_14_the_terms_explain_the_heat(daemon, origin):
    d = daemon({"a": api(origin, "a", items(1, votes=3, replies=1), **VOTES),
                "b": feed(origin, "b", [("b-1", "x", None)])})
    begun = time.time()
    d.start().settled()
    poll(d, origin, "b.xml", [("b-2", items(1)[0]["title"], items(1)[0]["url"])])
    poll(d, origin, "a.json", items(1, votes=15, replies=1))
    told = heat(d, "i-1")
    assert heat(d, "b-2")["terms"] == told["terms"], "one story"
    terms = {(t["source"], t["name"]): t for t in told["terms"]}
    assert sorted(terms) == [("a", "comments"), ("a", "mention"), ("a", "votes"), ("b", "mention")]
    assert terms["a", "votes"]["value"] == 15 and terms["a", "votes"]["events"] == 2
    assert abs(terms["a", "votes"]["weight"] - 1) < 1e-9, "a quarter for each of four doublings"
    assert abs(terms["a", "comments"]["weight"] - .125) < 1e-9
    assert told["numbers"] == {"votes": 15, "comments": 1} and told["rank"] == 1
    assert 0 < told["now"] <= told["score"] < told["now"] * 1.01
    assert begun - 2 <= (told["sum"] - math.log2(told["score"])) * DAY + EPOCH <= time.time() + 1
    text = d.courant("explain", "i-1").stdout.decode()
    assert f"{told['sum']:.9f}" in text and "votes 15 by a" in text and "mention by b" in text
    assert "rank 1" in text, text


def test_row_16_a_story_that_others_tell_too_keeps_its_heat(daemon, origin):
    one = items(1)[0]
    d = daemon({"a": api(origin, "a", items(1, votes=100), **VOTES),
                "b": feed(origin, "b", [("b-1", "Something quite different from all that", None)]),
                "c": feed(origin, "c", [("c-1", "Yet another thing which nobody else tells", None)])})
    d.start().settled()
    before = heat(d, "i-1")
    for name in "bc":
        poll(d, origin, f"{name}.xml", [(f"{name}-2", one["title"], one["url"])])
        after = heat(d, "i-1")
        assert after["sum"] > before["sum"] and after["score"] > before["score"]
        same = heat(d, f"{name}-2")
        assert after["born"] == before["born"] and same == {**after, "now": same["now"]}
        before = after


def test_row_17_votes_count_by_their_logarithm_once(daemon, origin):
    d = daemon({"a": api(origin, "a", items(2, votes=0), **VOTES)})
    d.start().settled()
    plain = heat(d, "i-1")
    assert [t["name"] for t in plain["terms"]] == ["mention"], "no event with a counter of 0"
    for votes, weight in ((30, math.log2(31) / 4), (750, math.log2(751) / 4), (20, math.log2(751) / 4),
                          (750, math.log2(751) / 4), (10**9, math.log2(1 + 10**6) / 4),
                          (10**12, math.log2(1 + 10**6) / 4)):
        poll(d, origin, "a.json", items(2, votes=votes))
        assert abs(heat(d, "i-1")["score"] - plain["score"] - weight) < 1e-9, votes
    assert heat(d, "i-1")["numbers"]["votes"] == 10**12
    assert explained(d, "i-1")["revisions"] == [], "a counter is no revision"


def test_the_api_tells_a_story_and_the_terms_whose_sum_is_its_heat(daemon, origin):
    d = daemon({"a": api(origin, "a", items(2, votes=100), **VOTES), "b": feed(origin, "b", []),
                "c": feed(origin, "c", [])})
    d.start().settled()
    one = items(1)[0]
    poll(d, origin, "c.xml", [("c-1", "Something quite different from all that", "https://example.org/c")])
    poll(d, origin, "b.xml", [("b-1", one["title"], one["url"])])
    told = explained(d, "i-1")
    other = explained(d, "b-1")["id"]
    for rid in (told["id"], other):
        story = d.http(f"/api/v1/stories/{rid}").json
        assert story["id"] == told["id"] and story["sources"] == 2 and story["numbers"] == {"votes": 100}
        assert story["title"] == one["title"] and story["link"] == one["url"] and story["rank"] == 1
        assert [(r["source"], r["guid"]) for r in story["records"]] == [("a", "i-1"), ("b", "b-1")]
        terms = d.http(f"/api/v1/stories/{rid}/heat").json
        assert [t["name"] for t in terms["terms"]] == ["mention", "mention", "votes"]
        whole = sum(2**(t["sum"] - terms["sum"]) for t in terms["terms"] if t["counts"])
        assert abs(whole - 1) < 1e-9
        assert terms["terms"] == told["heat"]["terms"] and terms["sum"] == told["heat"]["sum"]
        assert abs(terms["now"] / story["heat"] - 1) < 0.01 and terms["half_life"] == DAY * 1000
        assert abs(terms["now"] / heat(d, "i-1")["now"] - 1) < 0.01
    third = explained(d, "c-1")["id"]
    d.courant("join", told["id"], third)
    assert d.http(f"/api/v1/stories/{third}").json["id"] == told["id"]
    assert d.http(f"/api/v1/stories/{told['id']}").json["merged"] == [third]
    d.courant("hide", third, "--why", "a test")
    for path in (third, f"{third}/heat", told["id"]):
        assert d.http(f"/api/v1/stories/{path}").status == 410
    for path in ("nothing", "a" * 26, f"{third}/nothing", ""):
        assert d.http(f"/api/v1/stories/{path}").status == 404, path


def test_row_18_a_past_week_is_stable(daemon, origin):
    d = daemon({"a": api(origin, "a", items(6), **VOTES)})
    path = d.folder / "clock"
    path.write_text("+0s\n")
    path.chmod(0o644)
    with pytest.MonkeyPatch.context() as env:
        fake_clock(env, path)
        d.start().settled()
        for k, votes in ((3, 400), (5, 30), (1, 7)):
            entries = items(6)
            entries[6 - k]["votes"] = votes
            poll(d, origin, "a.json", entries)
        past = stored(d)
        now = heat(d, "i-3")["now"]
        path.write_text("+30d\n")
        poll(d, origin, "a.json", items(1, 99))
        later = stored(d)
        assert [s for s in later[0] if s in past[0]] == past[0], "nothing is written to pass time"
        assert abs(heat(d, "i-3")["now"] / (now * 2**-30) - 1) < 0.01
        assert heat(d, "i-99")["rank"] == 1 and heat(d, "i-3")["rank"] == 2
        assert abs(heat(d, "i-99")["score"] - 1 / math.log2(3)) < 1e-9, \
            "one entry in seven days"


def test_row_20_a_liar_does_not_pass_an_honest_first_place(daemon, origin):
    late = "2099-01-01T00:00:00Z"
    d = daemon({"honest": api(origin, "honest", items(3, votes=40), **VOTES),
                "second": feed(origin, "second", [("s-0", "Something quite different from it", None)]),
                "liar": api(origin, "liar", [], counters={"votes": "votes"})})
    d.sources["liar"]["counters"] = {"votes": "votes"}
    d.sources["plain"] = {"plugin": "feed", "url": origin.url("/plain.json"), "every": "1 h"}

    def claims(names, votes, at):
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [
            {"id": n, "title": f"A lie that is called {n} and nothing else", "date_published": at,
             "_counts": {"votes": votes, "comments": votes}} for n in names]}).encode()
    origin.put("plain.json", claims(["x-1", "x-2"], 10**9, late))
    d.write()
    d.start().settled()
    first = items(3)[0]
    poll(d, origin, "second.xml", [("s-1", first["title"], first["url"])])
    d.refresh("plain")
    d.settled()
    origin.put("plain.json", claims(["x-1", "x-2", "x-3"], 10**12, late))
    d.refresh("plain")
    d.settled()
    assert heat(d, "i-3")["rank"] == 1
    lie = heat(d, "x-1")
    assert [t["name"] for t in lie["terms"]] == ["mention"] and lie["rank"] > 3, "its votes are not asked for"
    assert lie["born"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "not born in 2099"
    assert heat(d, "x-3")["rank"] > 3


def test_row_20_counters_count_when_the_operator_says_so(daemon, origin):
    def claims(votes):
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [
            {"id": "x", "title": "A thing that is counted", "_counts": {"votes": votes}}]}).encode()
    origin.put("f.json", claims(7))
    d = daemon({"f": {"plugin": "feed", "url": origin.url("/f.json"), "every": "1 h"}})
    d.start().settled()
    assert heat(d, "x")["numbers"] == {}
    d.sources["f"]["counters"] = True
    d.write()
    d.courant("reload")
    origin.put("f.json", claims(15))
    d.refresh("f")
    d.settled()
    told = heat(d, "x")
    assert told["numbers"] == {"votes": 15} and abs(told["terms"][1]["weight"] - 1) < 1e-9


def test_row_20_a_record_has_so_many_counters(daemon, origin):
    def claims(turn):
        return json.dumps({"items": [{"id": "x", "title": "A thing that is counted", **{
            f"n{turn}-{k}": 5 for k in range(40)}}]}).encode()
    names = {f"n{turn}-{k}": f"n{turn}-{k}" for turn in range(2) for k in range(40)}
    origin.put("f.json", claims(0))
    d = daemon({"f": {"plugin": "json", "url": origin.url("/f.json"), "every": "1 h", "items": "items",
                      "fields": {"guid": "id", "title": "title"}, "counters": names}})
    d.start().settled()
    assert len(heat(d, "x")["terms"]) == 32
    origin.put("f.json", claims(1))
    d.refresh("f")
    d.settled()
    assert len(heat(d, "x")["terms"]) == 32, "nor does it gain some with each poll"


@pytest.mark.parametrize("option", ({"preset": "huggingface-daily-papers"}, {"counters": True}, {}))
def test_presets_have_counters(daemon, origin, option):
    origin.put("p.json", json.dumps([{"id": "2511.00001", "title": "A paper that people like",
                                      "upvotes": 7}]).encode())
    source = {"plugin": "json", "url": origin.url("/p.json"), "every": "1 h", **option}
    d = daemon({"p": source})
    d.start().settled()
    assert heat(d, "2511.00001")["numbers"] == ({"votes": 7} if "preset" in option else {})


def test_row_21_an_archive_does_not_flood(daemon, origin):
    live = feed(origin, "live", [("l-0", "The first of what is live and new", None)])
    d = daemon({"live": live})
    d.start().settled()
    d.sources["archive"] = feed(origin, "archive", [
        (f"a-{k}", f"Chapter named {k:x} of an old archive", None) for k in range(500)])
    d.write()
    d.courant("reload")
    d.until(lambda: d.records() == 501)
    poll(d, origin, "live.xml", [(f"l-{k}", f"A live thing which is called {k:x}", None) for k in range(11)])
    assert max(heat(d, f"l-{k}")["rank"] for k in range(11)) <= 11 < heat(d, "a-7")["rank"]
    assert abs(heat(d, "a-7")["score"] - 1 / math.log2(502)) < 1e-9
    poll(d, origin, "archive.xml", [("a-new", "What is new in the archive today", None)])
    assert heat(d, "a-new")["rank"] == 1, "the old ones tell nothing of how often it has something new"


def test_row_21_a_dated_archive_counts_at_its_dates(daemon, origin):
    now = time.time()

    def at(days):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - days * DAY))
    entries = [{**items(1, k)[0], "at": at(k / 2), "votes": 1000} for k in range(1, 41)]
    d = daemon({"a": api(origin, "a", entries, **VOTES)})
    d.start().settled()
    for k in (1, 7, 40):
        told = heat(d, f"i-{k}")
        assert told["born"] == at(k / 2)[:19] + told["born"][19:] or abs(
            now - k / 2 * DAY - (told["sum"] - math.log2(told["score"])) * DAY - EPOCH) < 5
        assert told["rank"] == k, "votes of old ones, too, are as old as they are"
        assert abs(told["terms"][0]["weight"] - 1 / math.log2(2 + 40 / 19.5)) < 1e-3


def test_row_22_two_feeds_of_the_same_votes_count_once(daemon, origin):
    d = daemon({"a": api(origin, "a", items(1, votes=0), **VOTES)})
    d.start().settled()
    poll(d, origin, "a.json", items(1, votes=63))
    single = heat(d, "i-1")
    d.sources["b"] = {**api(origin, "b", []), **VOTES}
    d.write()
    d.courant("reload")
    poll(d, origin, "b.json", items(1, 9))
    poll(d, origin, "b.json", [{**items(1, votes=63)[0], "id": "b-1"}])
    both = heat(d, "b-1")
    votes = [t for t in both["terms"] if t["name"] == "votes"]
    assert len(votes) == 2 and sorted(t["counts"] for t in votes) == [False, True]
    assert len([t for t in both["terms"] if t["name"] == "mention"]) == 2
    mention = [t["weight"] for t in both["terms"] if (t["name"], t["source"]) == ("mention", "b")]
    assert abs(both["score"] - single["score"] - mention[0]) < 1e-9, "only the mention is more"
    poll(d, origin, "b.json", [{**items(1, votes=255)[0], "id": "b-1"}])
    more = heat(d, "i-1")
    assert more["numbers"] == {"votes": 255} and abs(more["score"] - both["score"] - .5) < 1e-9


def test_heat_is_the_same_after_restarts_and_kills(daemon, origin):
    d = daemon({"a": api(origin, "a", items(5, votes=5), **VOTES),
                "b": feed(origin, "b", [(f"b-{k}", i["title"], i["url"]) for k, i in enumerate(items(5))])})
    d.start().settled()
    poll(d, origin, "a.json", items(5, votes=50))
    before = stored(d)
    assert len(before[1]) == 15
    d.kill()
    d.start().settled()
    d.refresh("a", "b")
    d.settled()
    assert stored(d) == before
    d.stop()
    d.start().settled()
    assert stored(d) == before


def test_the_weight_of_a_source(daemon, origin):
    def one(name):
        return [(name, f"The only thing that {name} ever tells", None)]
    d = daemon({"a": feed(origin, "a", one("a")), "b": feed(origin, "b", one("b"), weight=2.5),
                "c": feed(origin, "c", one("c"), weight=0)})
    d.start().settled()
    assert abs(heat(d, "b")["score"] - 2.5 * heat(d, "a")["score"]) < 1e-9
    assert heat(d, "c")["terms"] == [] and "rank" not in heat(d, "c") and heat(d, "c")["score"] == 0
    assert "heat" not in d.courant("explain", "c").stdout.decode()


def test_changed_settings_begin_anew_and_say_so(daemon, origin):
    d = daemon({"a": api(origin, "a", items(3, votes=63), **VOTES)})
    d.start().settled()
    old = heat(d, "i-2")
    d.settings["heat"] = {"half_life": "12 h", "votes": 0.5}
    d.write()
    d.courant("reload")
    d.wait_log("heat: its settings changed: it begins anew from the mentions of the last 14 days")
    d.wait_log("heat: all stories up to 3 have begun anew")
    d.until(lambda: heat(d, "i-2")["score"] < old["score"])
    new = heat(d, "i-2")
    mention = next(t for t in new["terms"] if t["name"] == "mention")
    assert new["sum"] == mention["sum"] and new["numbers"] == {"votes": 63} and new["born"] == old["born"]
    assert mention["weight"] == next(t for t in old["terms"] if t["name"] == "mention")["weight"]
    assert abs(new["now"] - mention["weight"]) < 0.001
    poll(d, origin, "a.json", items(3, votes=255))
    assert abs(heat(d, "i-2")["score"] - new["score"] - 1) < 1e-9
    said = len(d.log())
    d.courant("reload")
    d.stop()
    d.start().settled()
    assert "begins anew" not in d.log()[said:]


def test_an_older_database_begins_with_its_mentions_of_14_days(daemon, origin):
    d = daemon({"a": feed(origin, "a", [(f"n-{k}", f"A finding which is told as {k:x}", None)
                                        for k in range(300)])})
    d.start().settled()
    poll(d, origin, "a.xml", [("live", "What came after the first fetch of all", None)])
    d.stop()
    db = sqlite3.connect(f"{d.state}/courant.db")
    db.executescript("""UPDATE story SET heat = NULL, score = 0, born = 0; DELETE FROM term;
        DELETE FROM meta WHERE name LIKE 'heat%';
        UPDATE item SET seen = seen - 20 * 86400000 WHERE id BETWEEN 10 AND 19;""")
    db.commit()
    db.close()
    d.own(d.state)
    d.start().settled()
    d.wait_log("heat: the database had none: it begins anew")
    d.wait_log("have begun anew")
    d.until(lambda: heat(d, "live").get("rank") == 1)
    assert "rank" not in heat(d, "n-7"), "an undated entry of a first fetch has no time of its own"
    db = sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)
    assert db.execute("SELECT count(*) FROM story WHERE born = 0").fetchone() == (0,)
    db.close()


@pytest.mark.parametrize("text, why", (
    ("heat: { half_life: 0 s }", "half_life"), ("heat: { votes: many }", "votes"),
    ("heat: { vote: 1 }", "did you mean `votes`"), ("heat: { cap: 0 }", "cap"),
    ("heat: 3", "heat"),
    ("sources: { a: { plugin: feed, url: 'https://example.org/', weight: -1 } }", "weight"),
    ("sources: { a: { plugin: feed, url: 'https://example.org/', counters: { a: b } } }", "counters")))
def test_mistakes_are_told_with_their_line(daemon, text, why):
    d = daemon(text=f"state: STATE\n{text}\n")
    status, said = d.run("-n")
    assert status != 0 and why in said and ":2:" in said, said



TOP = {"top": {"from": ["courant/top"], "to": {"jsonl": {"path": "top.jsonl"}}},
       "all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}}


def topped(d, count):
    lines = d.until_lines(count, "top.jsonl")
    d.settled()
    return [r["guid"] for r in lines]


def test_row_23_entering_the_top_is_told_once(daemon, origin):
    entries = items(6)
    votes = dict.fromkeys((e["id"] for e in entries), 0)

    def rise(name, to):
        votes[name] = to
        poll(d, origin, "a.json", [{**e, "votes": votes[e["id"]]} for e in entries])
    d = daemon({"a": api(origin, "a", entries, **VOTES)}, TOP)
    d.settings["serve"] = {"listen": d.settings["serve"]["listen"], "top": 2} if "serve" in d.settings else {
        "listen": "127.0.0.1:0", "top": 2}
    d.write()
    d.start().settled()
    ids = {k: heat(d, k)["terms"][0]["id"] for k in votes}
    first = {x["guid"] for x in d.lines("top.jsonl")}
    assert len(first) <= 6, "a first fetch tells only of what is in the top then"
    told = [k for k in sorted(votes) if f"top/2/{ids[k]}" not in first][:1] or ["i-1"]
    cold = told[0]
    before = len(d.lines("top.jsonl"))
    rise(cold, 100)
    assert heat(d, cold)["rank"] == 1
    got = d.until_lines(before + (f"top/2/{ids[cold]}" not in first), "top.jsonl")
    assert f"top/2/{ids[cold]}" in [r["guid"] for r in got]
    entered = next(r for r in got if r["guid"] == f"top/2/{ids[cold]}")
    title = next(e["title"] for e in entries if e["id"] == cold)
    assert entered["title"] == title and entered["source"] == "courant/top"
    for other in [k for k in votes if k != cold][:3]:
        rise(other, 10000)
    assert heat(d, cold)["rank"] > 2, "it has left"
    rise(cold, 900000)
    assert heat(d, cold)["rank"] == 1, "and is back"
    d.settled()
    names = [r["guid"] for r in d.lines("top.jsonl")]
    assert len(names) == len(set(names)) and names.count(f"top/2/{ids[cold]}") == 1
    assert all(r["source"] != "courant/top" for r in d.lines())
    assert explained(d, entered["guid"])["published"] == entered["published"], "it is not written again"
    assert explained(d, cold)["story"] == [], "the record of the entrance is no other source of the story"
    for again in (d.kill, d.stop):
        again()
        d.start().settled()
        d.refresh("a")
    assert [r["guid"] for r in d.lines("top.jsonl")] == names


def test_row_23_only_a_story_that_enters_by_its_own_event_is_told(daemon, origin):
    d = daemon({"a": api(origin, "a", items(1), **VOTES)}, TOP)
    d.start().settled()
    one = explained(d, "i-1")["id"]
    assert topped(d, 1) == [f"top/10/{one}"]
    poll(d, origin, "a.json", items(1, votes=10))
    poll(d, origin, "a.json", items(30, votes=10))
    d.settled()
    names = [r["guid"] for r in d.lines("top.jsonl")]
    assert len(names) == len(set(names)) and 10 <= len(names) <= 31
    d.routes.pop("top")
    d.write()
    d.courant("reload")
    poll(d, origin, "a.json", items(31, votes=100))
    head = d.records()
    poll(d, origin, "a.json", items(31, votes=1000))
    assert d.records() == head, "without a route that draws from it, nothing is told"


def test_row_16_a_join_adds_and_a_split_takes_back(daemon, origin):
    d = daemon({"a": api(origin, "a", items(1, votes=100), **VOTES),
                "b": api(origin, "b", [{**items(1, 50, votes=400)[0], "id": "b-1"}], **VOTES),
                "c": feed(origin, "c", [("c-1", "What is told by nobody else than c", None)], weight=0)})
    d.start().settled()
    a, b = heat(d, "i-1"), heat(d, "b-1")
    before = stored(d)
    d.courant("join", explained(d, "i-1")["id"], explained(d, "b-1")["id"])
    both = heat(d, "i-1")
    assert heat(d, "b-1")["terms"] == both["terms"] and len(both["terms"]) == 4
    assert both["sum"] > max(a["sum"], b["sum"]) and both["born"] == min(a["born"], b["born"])
    assert both["numbers"] == {"votes": 400}
    more = next(t["weight"] for t in a["terms"] if t["name"] == "mention")
    assert abs(both["score"] - b["score"] - more) < 1e-9, "of the votes, the higher count alone"
    poll(d, origin, "a.json", items(1, votes=899))
    assert heat(d, "b-1")["numbers"] == {"votes": 899}
    d.courant("join", explained(d, "i-1")["id"], explained(d, "c-1")["id"])
    assert heat(d, "c-1")["sum"] == heat(d, "i-1")["sum"]
    for name in ("b-1", "c-1"):
        d.courant("split", explained(d, name)["id"])
    again = stored(d)
    for known, now in zip(before[0], again[0]):
        assert known[0] == now[0] and (known[1:] == now[1:] or known[0] == explained(d, "i-1")["place"]), (known, now)
    assert heat(d, "b-1")["score"] == b["score"] and heat(d, "i-1")["numbers"] == {"votes": 899}
    assert heat(d, "c-1")["born"] and "rank" not in heat(d, "c-1")
    for end in (d.kill, d.stop):
        end()
        d.start().settled()
        assert stored(d) == again


def test_hidden_stories_have_no_place_before_others(daemon, origin):
    d = daemon({"a": api(origin, "a", items(2, votes=100), **VOTES)})
    d.start().settled()
    poll(d, origin, "a.json", [{**e, "votes": 100 + 900 * (e["id"] == "i-1")} for e in items(2)])
    assert (heat(d, "i-1")["rank"], heat(d, "i-2")["rank"]) == (1, 2)
    d.courant("hide", explained(d, "i-1")["id"], "--why", "spam")
    assert heat(d, "i-2")["rank"] == 1
    d.courant("unhide", explained(d, "i-1")["id"])
    assert heat(d, "i-2")["rank"] == 2
