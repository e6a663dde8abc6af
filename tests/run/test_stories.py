"""Which records are one story, over polls, revisions, restarts and kills; and what an operator says of
it: split, join, hide, unhide."""
import collections
import itertools
import json
import random
import sqlite3

import pytest

import test_papers
from courant import rss
from test_papers import pages  # noqa: F401, a fixture

WORDS = ("tide harbour rope signal lamp cable storm engine compass anchor ledger voyage beacon current "
         "drift queue socket thread buffer parser index journal cursor batch keeper gale reef shoal "
         "sextant ballast mooring tackle pilot").split()
LIST = {"feed": {"path": "list", "keep": 50}}


def item(guid, title, link=None, text=None):
    return ("<item>" + f"<guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>" +
            (f"<link>{link}</link>" if link else "") +
            (f"<description>{text}</description>" if text else "") + "</item>")


def feed(origin, name, *entries):
    return {"plugin": "feed", "url": origin.put(f"{name}.xml", rss([item(*e) for e in entries])),
            "every": "1 h"}


def tell(d, origin, name, *entries):
    """The source's document has these entries now, and is read."""
    origin.put(f"{name}.xml", rss([item(*e) for e in entries]))
    d.refresh(name)


def explain(d, what):
    (only,) = d.explain(what)
    return only


def rows(d, sql):
    with sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def partition(d):
    """{the guids of one story}, as the database has them."""
    stories = collections.defaultdict(set)
    for o in d.http("/api/v1/records?limit=1000").json["records"]:
        stories[explain_story(d, o["id"])].add((o["source"], o["guid"]))
    return {frozenset(s) for s in stories.values()}


def explain_story(d, rid):
    told = explain(d, rid)
    return min([rid] + [o["id"] for o in told["story"]])


def stories(d):
    return d.status()["counts"]["stories"]


def consistent(d):
    """The tables of stories agree, and so does the count."""
    assert rows(d, "SELECT s.id FROM story s WHERE s.items <> (SELECT count(*) FROM item i "
                   "WHERE i.story = s.id) OR s.id <> (SELECT min(id) FROM item i WHERE i.story = s.id)") == []
    assert rows(d, "SELECT m.item FROM mention m JOIN item i ON i.id = m.item "
                   "WHERE i.story <> m.story OR i.source <> m.source") == []
    assert rows(d, "SELECT i.id FROM item i WHERE i.id <> i.story AND NOT EXISTS "
                   "(SELECT 1 FROM mention m WHERE m.story = i.story AND m.item = i.id)") == []
    assert rows(d, "SELECT a.id FROM alias a JOIN item i ON i.id = a.id WHERE a.story <> i.story "
                   "OR a.id = a.story") == []
    assert rows(d, "SELECT count(*) FROM story")[0][0] == stories(d)


def again(d, how):
    """The daemon has ended and is back."""
    if how == "stop":
        assert d.stop() == 0
    else:
        d.kill()
    d.start().settled()


# -- rules

def sentence(rng, words):
    return " ".join(rng.sample(WORDS, words)).capitalize()


def text(rng, sentences=8):
    return " ".join(sentence(rng, 12) + "." for _ in range(sentences))


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_row_5_a_record_with_both_ids_joins_both_stories_in_any_order(daemon, origin, order):
    entries = {"a": ("a", "On sand", "https://arxiv.org/abs/2401.00001v1"),
               "b": ("b", "Of rivers", "https://doi.org/10.1234/Sand"),
               "c": ("doi:10.1234/sand", "On sand and rivers", "https://arxiv.org/pdf/2401.00001")}
    d = daemon({n: feed(origin, n) for n in entries})
    d.start().settled()
    for n in order:
        tell(d, origin, n, entries[n])
    assert len(partition(d)) == stories(d) == 1
    consistent(d)
    ids = {o["guid"]: o["id"] for o in d.http("/api/v1/records").json["records"]}
    told = explain(d, ids["doi:10.1234/sand"])
    whys = {o["guid"]: (o.get("why"), o.get("with")) for o in told["story"]}
    assert whys == {"a": ("the same id arxiv:2401.00001", None), "b": ("the same id doi:10.1234/sand", None)}
    assert "since: the same id arxiv:2401.00001" in d.courant("explain", "a").stdout.decode()
    other = {o["guid"]: o.get("with") for o in explain(d, ids["a"])["story"]}
    assert other == {"doi:10.1234/sand": None, "b": told["id"]}, "by way of the third"
    first = explain(d, ids[entries[order[0]][0]])
    assert first["place"] == 1 and len(first.get("merged", [])) == (order[2] == "c"), "an old id goes on"


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_row_4_the_arxiv_id_of_one_record_is_the_doi_of_another(daemon, origin, order):
    entries = {"a": ("a", "On sand and what it hides", "https://arxiv.org/abs/2401.00007v2"),
               "b": ("b", "A preprint as a library lists it", "https://doi.org/10.48550/arXiv.2401.00007"),
               "c": ("doi:10.48550/ARXIV.2401.00007", "Nothing but its identifier here", "https://example.org/c")}
    d = daemon({s: feed(origin, s) for s in "abc"})
    d.start().settled()
    for s in order:
        tell(d, origin, s, entries[s])
    assert partition(d) == {frozenset((s, entries[s][0]) for s in "abc")}
    consistent(d)


def test_row_6_two_values_of_one_scheme_stay_two_whatever_the_title(daemon, origin):
    title = "Deep sand that a slow river moves by night"
    body = text(random.Random(1))
    d = daemon({"a": feed(origin, "a", ("a", title, "https://arxiv.org/abs/2401.00001", body)),
                "b": feed(origin, "b", ("b", title, "https://arxiv.org/abs/2401.00002", body)),
                "c": feed(origin, "c", ("c", title, "https://example.org/sand", body))})
    d.start().settled()
    found = partition(d)
    assert len(found) == 2 and all(not {("a", "a"), ("b", "b")} <= s for s in found)


def test_rows_2_and_3_series_of_three_newspapers_share_nothing(daemon, origin, seed=20261128):
    rng = random.Random(seed)
    columns = ["Letters to the keeper", "The week in harbours", "Weather for the coast", "Preface"]
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]

    def paper(name):
        told = [(f"{name}-{c}-{i}", f"{c}, {d} {i}" if i % 2 else c, f"https://{name}.example/{c}/{i}".replace(" ", "-"),
                 text(rng)) for c in columns for i, d in enumerate(days)]
        return feed(origin, name, *told)
    d = daemon({n: paper(n) for n in ("morning", "evening", "sunday")})
    d.start().settled()
    assert d.status()["counts"]["records"] == stories(d) == 60


def test_row_13_a_shortened_and_a_retitled_copy_are_one_story(daemon, origin):
    rng = random.Random(13)
    title, body = sentence(rng, 9), text(rng)
    d = daemon({"a": feed(origin, "a", ("a", title, "https://a.example/1", body)),
                "b": feed(origin, "b", ("b", title + " | Harbour Post", "https://b.example/x", body[:400])),
                "c": feed(origin, "c", ("c", sentence(rng, 9), "https://c.example/y", text(rng)))})
    d.start().settled()
    assert stories(d) == 2
    b, = explain(d, "a")["story"]
    assert b["guid"] == "b" and "overlap" in b["why"]


def test_row_11_versions_are_one_story_and_a_revision_may_join_but_never_parts(daemon, origin):
    d = daemon({"a": feed(origin, "a", ("a", "On sand", "https://arxiv.org/abs/2401.00001v1")),
                "b": feed(origin, "b", ("b", "Another thing", "https://example.org/b")),
                "c": feed(origin, "c", ("c", "On sand", "https://arxiv.org/abs/2401.00001v2"))})
    d.start().settled()
    assert stories(d) == 2
    tell(d, origin, "b", ("b", "On sand, again", "https://arxiv.org/pdf/2401.00001v3"))
    assert stories(d) == 1 and d.status()["counts"]["revisions"] == 1
    tell(d, origin, "b", ("b", "Another thing", "https://example.org/b"))
    again(d, "kill")
    assert stories(d) == 1
    consistent(d)


def test_an_id_that_comes_without_a_revision_joins_too(daemon, origin):
    def page(*ids):
        more = "".join(f"<prism:doi>{i}</prism:doi>" for i in ids)
        entry = item("b", "Something else altogether", "https://example.org/b").replace("</item>", more + "</item>")
        return rss([entry]).replace(b"<rss ", b'<rss xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/" ')
    d = daemon({"a": feed(origin, "a", ("a", "On sand", "https://doi.org/10.1000/SAND")),
                "b": {"plugin": "feed", "url": origin.put("b.xml", page()), "every": "1 h"}})
    d.start().settled()
    assert stories(d) == 2
    origin.put("b.xml", page("10.1000/sand"))
    d.refresh("b")
    assert stories(d) == 1 and d.status()["counts"]["revisions"] == 0
    origin.put("b.xml", page("10.1000/sand", "10.1000/other"))
    d.refresh("b")
    again(d, "kill")
    assert stories(d) == 1 and explain(d, "b")["story"][0]["guid"] == "a"
    consistent(d)


def invented(seed):
    """Entries of six sources, some of which tell the same; and which: [(source, entry)], partition."""
    rng = random.Random(seed)
    told, same = [], []
    for n in range(40):
        title, body, link = sentence(rng, 9), text(rng), f"https://arxiv.org/abs/2402.{n:05}"
        by = rng.sample("uvwxyz", rng.randrange(1, 5))
        told += [(s, (f"{s}-{n}", title if k else sentence(rng, 7), link + rng.choice(["", "v1", "v2"]), body))
                 for k, s in enumerate(by)]
        same.append(frozenset((s, f"{s}-{n}") for s in by))
    return told, set(same)


@pytest.mark.parametrize("seed", [1, 2])
def test_partitions_are_the_same_in_any_order_and_after_kills(daemon, origin, seed):
    told, same = invented(seed)
    rng = random.Random(seed)
    rng.shuffle(told)
    d = daemon({s: feed(origin, s) for s in "uvwxyz"})
    d.start().settled()
    parts = collections.defaultdict(list)
    for place in range(0, len(told), 20):
        for s, entry in told[place:place + 20]:
            parts[s].append(entry)
        for s in {s for s, _ in told[place:place + 20]}:
            origin.put(f"{s}.xml", rss([item(*e) for e in parts[s]]))
        if place % 40:
            d.courant("refresh", "*")
            again(d, "kill")
        d.refresh()
    assert partition(d) == same
    consistent(d)


@pytest.mark.parametrize("order", ["forwards", "backwards"])
def test_row_1_the_papers_of_the_pages_are_each_one_story_in_any_order(daemon, origin, pages, order):
    names = sorted(pages, reverse=order == "backwards")
    d = daemon({f"p{n[:3]}": test_papers.source(origin, n, pages[names[0]]) for n in names[:1]})
    d.start().settled()
    for n in names[1:]:
        d.sources[f"p{n[:3]}"] = test_papers.source(origin, n, pages[n])
        d.write()
        d.courant("reload")
        d.settled(60)
    assert stories(d) == len(test_papers.titles_of(pages.values()))
    consistent(d)


# -- split and join

def pair(daemon, origin, once="story", **routes):
    """Two sources that tell one story, in a route that takes it once, with a list."""
    link = "https://example.org/story"
    d = daemon({"a": feed(origin, "a", ("a", "What the tide has brought", link)),
                "b": feed(origin, "b"), "c": feed(origin, "c")},
               {"r": {"from": ["*"], "once": once, "to": {"jsonl": {"path": "all.jsonl"}}},
                "l": {"from": ["*"], "once": once, "to": LIST}, **routes})
    d.start().settled()
    tell(d, origin, "b", ("b", "What the tide has brought", link))
    assert stories(d) == 1
    return d, link


def listed(d):
    """The guids in the feed, by its JSON form's titles and ids."""
    return {i["id"] for i in json.loads(d.out("list.json").read_text())["items"]}


def delivered(d):
    return [r["guid"] for r in d.lines()]


@pytest.mark.parametrize("which", ["first", "second"])
def test_row_8_a_split_pair_is_never_one_story_again(daemon, origin, which):
    d, link = pair(daemon, origin)
    out = "a" if which == "first" else "b"
    a, b = explain(d, "a")["id"], explain(d, "b")["id"]
    assert delivered(d) == ["a"]
    told = d.courant("split", out, "--why", "two different tides").stdout.decode()
    assert "story of its own" in told and "made again" in told
    d.until(lambda: delivered(d) == ["a", "b"], 10, "what the story dropped is judged again")
    d.until(lambda: len(listed(d)) == 2, 10, "the list has both")
    for step in ("poll", "kill", "revise", "stop"):
        if step == "poll":
            d.refresh()
        elif step == "revise":
            tell(d, origin, "b", ("b", "What the tide has brought, at last", link))
        else:
            again(d, step)
        assert stories(d) == 2 and explain(d, a)["story"] == explain(d, b)["story"] == [], step
    tell(d, origin, "c", ("c", "What the tide has brought", link))
    assert stories(d) == 2, "a third record joins one of them, and does not bring them together"
    consistent(d)
    told = explain(d, a)
    assert [(o["id"], o["who"], o["why"]) for o in told["apart"]] == [(b, "root", "two different tides")]
    assert "split by root" in d.courant("explain", b).stdout.decode()
    assert delivered(d) == ["a", "b"]
    assert rows(d, "SELECT who, what, object, why FROM act") == [
        ("root", "split", a if which == "first" else b, "two different tides")]


def test_a_split_story_can_be_joined_and_split_again(daemon, origin):
    d, _ = pair(daemon, origin)
    for turn in range(3):
        d.courant("split", "b")
        assert stories(d) == 2
        consistent(d)
        d.courant("join", "b", "a", "--why", f"turn {turn}")
        assert stories(d) == 1
        consistent(d)
        d.settled()
    o, = explain(d, "b")["story"]
    assert (o["joined"]["who"], o["joined"]["why"]) == ("root", "turn 2") and "apart" not in explain(d, "b")
    assert "joined by root" in d.courant("explain", "a").stdout.decode()
    assert delivered(d) == ["a", "b"], "once each, however often they are split"
    again(d, "kill")
    assert stories(d) == 1
    refused = d.courant("split", "nothing", check=False)
    assert refused.returncode == 1 and b"no record has" in refused.stderr
    d.courant("split", "a")
    refused = d.courant("split", "a", check=False)
    assert refused.returncode == 1 and b"only record" in refused.stderr


def test_row_7_a_join_holds_against_the_guards_and_the_old_ids_go_on(daemon, origin):
    d = daemon({"a": feed(origin, "a", ("a1", "Of tides", "https://arxiv.org/abs/2401.00001"),
                          ("a2", "Of gales", "https://arxiv.org/abs/2401.00002")),
                "b": feed(origin, "b", ("b", "Of gales", "https://arxiv.org/abs/2401.00002v2"))})
    d.start().settled()
    ids = {g: explain(d, g)["id"] for g in ("a1", "a2", "b")}
    assert stories(d) == 2
    d.courant("join", ids["b"], "https://arxiv.org/abs/2401.00001", "--why", "one talk")
    for how in ("stop", "kill"):
        assert stories(d) == 1
        for rid in ids.values():
            told = explain(d, rid)
            assert {o["id"] for o in told["story"]} == set(ids.values()) - {rid}
            assert len(told["merged"]) == 1 and told["merged"][0] in ids.values()
        consistent(d)
        again(d, how)
    tell(d, origin, "a", ("a1", "Of tides, revised", "https://arxiv.org/abs/2401.00001"),
         ("a2", "Of gales, revised", "https://arxiv.org/abs/2401.00002"))
    assert stories(d) == 1
    d.courant("split", ids["a1"])
    assert stories(d) == 2 and {o["id"] for o in explain(d, "b")["story"]} == {ids["a2"]}
    assert "merged" not in explain(d, ids["a1"])
    consistent(d)


def test_a_join_asks_the_routes_that_wait(daemon, origin):
    d = daemon({"a": feed(origin, "a", ("a", "Of tides", "https://example.org/tides")),
                "b": feed(origin, "b", ("b", "Of gales", "https://example.org/gales"))},
               {"two": {"from": ["*"], "filters": [{"match": {"where": ["sources >= 2"], "unmet": "wait"}}],
                        "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.start().settled()
    assert d.route("two")["filters"]["waiting"] == 2
    d.courant("join", "a", "b")
    d.until_lines(1)
    d.settled()
    assert len(delivered(d)) == 1, "the other is dropped, as its story is taken"


def test_a_joined_story_is_once_in_lists_that_take_stories_once(daemon, origin):
    d = daemon({"a": feed(origin, "a", ("a", "Of tides", "https://example.org/tides")),
                "b": feed(origin, "b", ("b", "Of gales", "https://example.org/gales"))},
               {"l": {"from": ["*"], "to": LIST}})
    d.start().settled()
    d.until(lambda: len(listed(d)) == 2, 10, "both are listed")
    d.courant("join", "a", "b")
    d.until(lambda: len(listed(d)) == 1, 10, "the story is listed once")
    d.courant("split", "b")
    d.until(lambda: len(listed(d)) == 2, 10, "both are listed again")


def test_a_list_has_a_story_once_that_were_two_until_a_third_record_came(daemon, origin):
    d = daemon({"a": feed(origin, "a", ("a", "On sand", "https://arxiv.org/abs/2401.00001")),
                "b": feed(origin, "b", ("b", "Of rivers", "https://doi.org/10.1234/sand")), "c": feed(origin, "c")},
               {"l": {"from": ["*"], "to": LIST}})
    d.start().settled()
    d.until(lambda: len(listed(d)) == 2, 10, "both are listed")
    tell(d, origin, "c", ("doi:10.1234/sand", "Both", "https://arxiv.org/pdf/2401.00001"))
    assert stories(d) == 1
    tell(d, origin, "c", ("c2", "Of other things", "https://example.org/other"))
    d.until(lambda: len(listed(d)) == 2, 10, "the story and the other")
    assert len(listed(d) & {o["id"] for o in explain(d, "c2")["story"] + [explain(d, "c2")]}) == 1


# -- hide

def shown(d, rid):
    return {"list": rid in listed(d), "page": rid in d.http("/").text or "What the tide" in d.http("/").text,
            "api": rid in {r["id"] for r in d.http("/api/v1/records").json["records"]},
            "route": rid in {r["id"] for r in d.http("/api/v1/records?route=l").json["records"]},
            "record": d.http(f"/api/v1/records/{rid}").status == 200}


def test_a_hidden_story_is_out_of_lists_page_and_api_and_stays_so(daemon, origin):
    d, link = pair(daemon, origin)
    tell(d, origin, "c", ("c", "Of other things", "https://example.org/other"))
    a, c = explain(d, "a")["id"], explain(d, "c")["id"]
    d.until(lambda: {a, c} <= listed(d), 10, "both are listed")
    assert all(shown(d, a).values())
    bare = d.courant("hide", "a", check=False)
    assert bare.returncode == 2 and b"--why" in bare.stderr
    d.courant("hide", "b", "--why", "an advertisement")
    d.until(lambda: listed(d) == {c}, 10, "the list is written without it")
    for how in (None, "stop", "kill"):
        if how:
            again(d, how)
        assert not any(shown(d, a).values()), how
        gone = d.http(f"/api/v1/records/{a}")
        assert gone.status == 410 and "hidden" in gone.text
        told = explain(d, "a")
        assert (told["hidden"]["who"], told["hidden"]["why"]) == ("root", "an advertisement")
    assert "hidden" in d.courant("explain", "b").stdout.decode()
    assert d.courant("hide", "a", "--why", "x", check=False).returncode == 1
    tell(d, origin, "c", ("c2", "What the tide has brought", link), ("c", "Of other things", "https://example.org/other"))
    assert stories(d) == 2 and not any(shown(d, explain(d, "c2")["id"]).values()), "hidden stays hidden"
    d.courant("unhide", "a")
    d.until(lambda: a in listed(d), 10, "the list has it again")
    assert all(shown(d, a).values()) and "hidden" not in explain(d, "a")
    assert [r[0] for r in rows(d, "SELECT what FROM act ORDER BY id")] == ["hide", "unhide"]
    assert delivered(d) == ["a", "c"]


def test_hiding_the_only_story_empties_the_list(daemon, origin):
    d, _ = pair(daemon, origin)
    d.until(lambda: len(listed(d)) == 1, 10, "it is listed")
    d.courant("hide", "a", "--why", "x")
    d.until(lambda: listed(d) == set(), 10, "the list is empty")
