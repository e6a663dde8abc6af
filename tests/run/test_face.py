"""What a record is handed out with of its story: numbers, and the fields that it lacks."""
import json
import re
import sqlite3

VOTES = {"counters": {"votes": "votes", "comments": "replies"}}
FIELDS = {"guid": "id", "title": "title", "link": "url", "summary": "text", "author": "who", "image": "picture"}


def title(k):
    return f"Entirely made-up finding of number {k} told here"


def api(origin, name, entries, **options):
    origin.put(f"{name}.json", json.dumps(entries).encode())
    return {"plugin": "json", "url": origin.url(f"/{name}.json"), "every": "1 h", "fields": FIELDS, **options}


def poll(d, origin, name, entries):
    origin.put(f"{name}.json", json.dumps(entries).encode())
    d.refresh(name)
    d.settled()


def to(name, *filters, **options):
    return {"from": ["*"], "filters": list(filters), "once": "record",
            "to": {"jsonl": {"path": f"{name}.jsonl"}}, **options}


def by_guid(d, name):
    out = d.out(f"{name}.jsonl")
    return {r["guid"]: r for r in (d.lines(f"{name}.jsonl") if out.exists() else [])}


def where(*conditions, **options):
    return {"match": {"where": list(conditions), **options}}


def later(d, **routes):
    """Adds routes that judge what is there."""
    d.routes.update(routes)
    d.write()
    d.courant("reload")
    d.settled()


def test_row_22_a_story_s_numbers_are_the_highest_of_its_records(daemon, origin):
    d = daemon({"list": api(origin, "list", [{"id": f"l-{k}", "title": title(k)} for k in (1, 2, 3)], **VOTES),
                "votes": api(origin, "votes", [{"id": "v-1", "title": title(1), "votes": 60, "replies": 2},
                                               {"id": "v-2", "title": title(2), "votes": 10}], **VOTES),
                "more": api(origin, "more", [{"id": "m-1", "title": title(1), "votes": 55, "replies": 9}], **VOTES)},
               {"none": to("none", where("votes >= 1e9"))})
    d.start().settled()
    later(d, all=to("all"), fifty=to("fifty", where("story.votes >= 50")), own=to("own", where("votes >= 58")),
          three=to("three", where("sources = 3")), none_such=to("none_such", where("story.likes >= 0")),
          hot=to("hot", where("heat >= 0.001", "score > 0", "rank <= 2")))
    told = {guid: r["story"] for guid, r in by_guid(d, "all").items()}
    assert told["l-1"]["sources"] == 3 and told["l-1"]["numbers"] == {"votes": 60, "comments": 9}
    assert told["l-1"]["rank"] == 1 and told["l-2"]["rank"] == 2 and told["l-3"]["rank"] == 3
    assert told["l-3"]["sources"] == 1 and "numbers" not in told["l-3"]
    for k in (1, 2, 3):
        heat = json.loads(d.courant("explain", f"l-{k}", "--json").stdout)["items"][0]["heat"]
        assert abs(heat["now"] / told[f"l-{k}"]["heat"] - 1) < 0.01
        assert abs(heat["score"] - told[f"l-{k}"]["score"]) < 1e-9
        assert heat["numbers"] == told[f"l-{k}"].get("numbers", {})
    first = {"l-1", "v-1", "m-1"}
    assert set(by_guid(d, "fifty")) == first, "a list of papers with 50 votes is one line"
    assert set(by_guid(d, "own")) == {"l-1", "v-1"}, "a record's own number goes before its story's"
    assert set(by_guid(d, "three")) == first and not by_guid(d, "none_such")
    assert set(by_guid(d, "hot")) == first | {"l-2", "v-2"}


def test_filter_and_try_know_the_story_s_numbers(daemon, origin):
    d = daemon({"list": api(origin, "list", [{"id": "l-1", "title": title(1)}, {"id": "l-2", "title": title(2)}]),
                "votes": api(origin, "votes", [{"id": "v-1", "title": title(1), "votes": 60}], **VOTES)},
               {"none": to("none", where("votes >= 1e9"))})
    d.start().settled()
    later(d, all=to("all", where("heat > 0")))
    d.routes["all"]["filters"] = [where("story.votes >= 50")]
    d.write()
    tried = d.courant("try", "all", "-c", str(d.folder / "courant.yaml"), "--json").stdout.splitlines()
    changes = {r["title"] + r["source"]: r["change"] for r in map(json.loads, tried) if "change" in r}
    assert changes == {title(1) + "list": "stay", title(1) + "votes": "stay", title(2) + "list": "go"}
    for condition, kept in (("story.votes >= 50", 2), ("rank <= 1", 2), ("sources < 2", 1), ("score > 0", 3)):
        said = d.courant("filter", "match", "-o", f"where={condition}", str(d.out("all.jsonl")))
        assert len(said.stdout.splitlines()) == kept, condition


def test_names_of_numbers_that_only_the_host_gives(daemon, origin):
    d = daemon({"a": api(origin, "a", [{"id": "a-1", "title": title(1), "n": 7}], numbers={"points": "n"})},
               {"all": to("all")})
    for name in ("score", "heat", "rank", "sources", "story.votes"):
        d.sources["a"]["numbers"] = {name: "n"}
        d.write()
        code, said = d.run("-n")
        assert code == 1 and re.search(rf'courant\.yaml:\d+: .*numbers: "{name}" is given by Courant itself', said), said


def test_row_10_a_record_has_the_fields_of_its_story_that_it_lacks(daemon, origin):
    full = {"url": "https://example.org/f", "text": "Said by full.", "who": ["Ann Full", "Bo Full"],
            "picture": "https://example.org/f.png"}
    d = daemon({"bare": api(origin, "bare", [{"id": "b-1", "title": title(1)}]),
                "half": api(origin, "half", [{"id": "h-1", "title": title(1), "url": "https://example.com/h"}]),
                "full": api(origin, "full", [{"id": "f-1", "title": title(1), **full}])},
               {"none": to("none", where("votes >= 1e9"))})
    d.start().settled()
    later(d, all=to("all"), preferred=to("preferred", prefer=["full"]), other=to("other", prefer=["half", "full"]),
          linked=to("linked", {"match": {"in": ["link"], "any": ["re:example"]}}))
    told = by_guid(d, "all")
    for guid in told:
        assert [a["name"] for a in told[guid]["authors"]] == full["who"] and told[guid]["image"] == full["picture"]
        assert "Said by full." in told[guid]["summary"]
    assert told["f-1"]["link"] == full["url"] and told["h-1"]["link"] == "https://example.com/h", "never replaced"
    assert told["b-1"]["link"] in (full["url"], "https://example.com/h")
    assert by_guid(d, "preferred")["b-1"]["link"] == full["url"]
    assert by_guid(d, "other")["b-1"]["link"] == "https://example.com/h"
    assert by_guid(d, "other")["b-1"]["image"] == full["picture"], "field by field"
    d.routes["all"]["prefer"] = ["nobody"]
    d.write()
    assert b"there is no source `nobody`" in d.courant("reload", check=False).stderr
    assert set(by_guid(d, "linked")) == {"b-1", "h-1", "f-1"}
    for prefer, stay in ((["half"], {"bare", "half"}), (["full"], {"half"}), (["bare", "full"], {"half"})):
        d.routes["linked"] = to("linked", {"match": {"in": ["link"], "any": ["re:example.com"]}}, prefer=prefer)
        d.routes["all"].pop("prefer", None)
        d.write()
        tried = d.courant("try", "linked", "-c", str(d.folder / "courant.yaml"), "--json").stdout.splitlines()
        assert {r["source"] for r in map(json.loads, tried) if r.get("change") == "stay"} == stay, prefer


def waiting(d):
    db = sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)
    found = db.execute("SELECT (SELECT max(n) FROM log), count(*), sum(due = 0), min(number), max(number)"
                       " FROM pending WHERE state = 1").fetchone()
    db.close()
    return found


def test_ten_thousand_wait_for_a_number_and_are_asked_when_it_is_reached(daemon, origin):
    def page(votes, replies, k=None):
        return [{"id": f"v-{n}", "title": f"{n} is the count of this entry of ours", "votes": votes if n == k else 3,
                 "replies": replies} for n in range(10000)]
    d = daemon({"v": api(origin, "v", page(3, 0), **VOTES)},
               {"fifty": to("fifty", where("story.votes >= 50", unmet="wait"), patience="30 d")})
    d.start().settled(120)
    head, count, due, first, last = waiting(d)
    assert (head, count, due, first, last) == (10000, 10000, 0, "story.votes", "story.votes")
    for n in range(24):
        poll(d, origin, "v", page(49 - n, n + 1, 5))
    assert waiting(d)[:3] == (10000, 10000, 0), "no row of the log"
    poll(d, origin, "v", page(50, 30, 7))
    assert waiting(d)[:2] == (10001, 9999) and set(by_guid(d, "fifty")) == {"v-7"}


def test_another_record_s_votes_end_the_wait(daemon, origin):
    votes = [{"id": "v-1", "title": title(1), "votes": 10}, {"id": "v-2", "title": title(2), "votes": 10}]
    d = daemon({"list": api(origin, "list", [{"id": "l-1", "title": title(1)}]),
                "votes": api(origin, "votes", votes, **VOTES)},
               {"fifty": to("fifty", where("votes > 50", unmet="wait")),
                "hot": to("hot", where("score >= 2.2", unmet="wait")),
                "first": to("first", where("rank <= 1", unmet="wait"))})
    d.start().settled()
    assert not by_guid(d, "fifty")
    poll(d, origin, "votes", [votes[0] | {"votes": 50}, votes[1]])
    assert not by_guid(d, "fifty")
    poll(d, origin, "votes", [votes[0] | {"votes": 51}, votes[1] | {"votes": 45}])
    assert set(by_guid(d, "fifty")) == {"l-1", "v-1"} and set(by_guid(d, "hot")) == {"l-1", "v-1"}
    assert {"l-1", "v-1"} <= set(by_guid(d, "first"))
    assert by_guid(d, "fifty")["l-1"]["story"]["numbers"]["votes"] == 51
    d.kill()
    d.start().settled()
    poll(d, origin, "votes", [votes[0], votes[1] | {"votes": 1000000}])
    assert "v-2" in by_guid(d, "first") and "v-2" in by_guid(d, "hot") and "v-2" in by_guid(d, "fifty")


def test_a_record_that_waited_is_replayed_by_its_id_and_is_a_route_s_sample(daemon, origin):
    d = daemon({"v": api(origin, "v", [{"id": "v-1", "title": title(1), "votes": 10}], **VOTES)},
               {"fifty": to("fifty", where("votes >= 50", unmet="wait"))})
    d.start().settled()
    poll(d, origin, "v", [{"id": "v-1", "title": title(1), "votes": 60}])
    (told,) = d.lines("fifty.jsonl")
    for named in (told["id"], told["id"] + "-r0"):
        (sink,) = json.loads(d.courant("replay", "fifty", "--id", named, "--json").stdout)["sinks"]
        assert (sink["confirmed"], sink["lost"]) == (1, 0), named
    d.courant("test", "fifty")
    assert d.lines("fifty.jsonl")[-1]["title"] == f"[test] {title(1)}"
