"""The query language in routes, and what a search finds in a running daemon."""
import json
import random
import subprocess

import pytest

import courant
from asker import Asker
from courant import program, rss


def item(guid, title, text="", more=""):
    return (f"<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>"
            f"<link>https://example.org/{guid}</link><description>{text}</description>{more}</item>")


ITEMS = [
    item("1", "Sparse attention for long documents", "Graph memory in C++", "<category>cs.LG</category>"),
    item("2", "Dense retrieval", "Attention is sparse here, with GPT-4", "<author>a@b.c (Ada Lovelace)</author>"),
    item("3", "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "nothing else"),
    item("4", "Caf\u00e9 society", "sparse tables"),
]


def feeds(origin, **of):
    return {name: {"plugin": "feed", "url": origin.put(f"{name}.xml", rss(items)), "every": "1 h"}
            for name, items in of.items()}


def jsonl(name, **route):
    return {**route, "to": {"jsonl": {"path": name + ".jsonl"}}}


def guids(d, name):
    path = d.out(name + ".jsonl")
    return sorted(r["guid"] for r in d.lines(name + ".jsonl")) if path.exists() else []


QUERIES = {
    "sparse attention": ["1", "2"],
    "\"sparse attention\"": ["1"],
    "in:title sparse": ["1"],
    "sparse -attention": ["4"],
    "(dense OR cafe) sparse": ["2", "4"],
    "c++": ["1"],
    "gpt4": ["2"],
    "author:lovelace": ["2"],
    "category:cs.lg": ["1"],
    "\u5b66\u4e60": ["3"],
    "source:two": ["4"],
    "after:2020 -sparse": ["3"],
    "before:2020": [],
}


# -- in a route

def test_a_route_draws_from_a_search(daemon, origin):
    routes = {f"r{i}": jsonl(f"r{i}", **{"from": [{"search": q}]}) for i, q in enumerate(QUERIES)}
    routes["f"] = jsonl("f", **{"from": ["one"], "filters": [{"search": {"query": "sparse"}}]})
    routes["either"] = jsonl("either", **{"from": [{"search": "dense"}, {"search": "caf\u00e9"}]})
    routes["map"] = jsonl("map", **{"from": {"search": "dense"}})
    d = daemon(feeds(origin, one=ITEMS[:3], two=ITEMS[3:]), routes)
    d.start().settled()
    assert {q: guids(d, f"r{i}") for i, q in enumerate(QUERIES)} == QUERIES
    assert guids(d, "f") == ["1", "2"]
    assert guids(d, "either") == ["2", "4"]
    assert guids(d, "map") == ["2"]
    (told,) = d.explain("https://example.org/3")
    route = next(r for r in told["routes"] if r["name"] == "r0")
    assert route["rule"] == "search#0" and route["why"] == "not found by `sparse attention`", route
    assert d.stop() == 0


def test_what_a_search_in_a_route_cannot_do_is_refused_with_its_line(daemon, origin):
    d = daemon(feeds(origin, one=ITEMS))
    head = d.conf.read_text()
    line = head.count("\n") + 3
    for entry, why in {
            '[{ search: "like:abc" }]': "like: is of searches alone",
            '[{ search: "x sort:new" }]': "sort: is of searches alone",
            '[{ search: "???" }]': "no word that could be found",
            '[{ search: x }, one]': "no names stand beside",
            '[{ find: x }]': "an entry is a name, or { search: QUERY }",
            '[{ search: [x] }]': "an entry is a name, or { search: QUERY }",
    }.items():
        d.conf.write_text(head + f"routes:\n  r:\n    from: {entry}\n    to: {{ jsonl: {{ path: r.jsonl }} }}\n")
        code, said = d.run("-n")
        assert code == 1 and f":{line}: route r: " in said and why in said, (entry, said)


def test_what_of_a_query_is_not_understood_is_logged(daemon, origin):
    d = daemon(feeds(origin, one=ITEMS), {"r": jsonl("r", **{"from": [{"search": "titel:sparse OR dense"}]})})
    d.start().settled()
    d.wait_log("query: `titel:` is no operator: it is searched as a word")
    assert guids(d, "r") == ["2"]


def test_a_search_is_tried_as_any_filter(daemon, origin):
    d = daemon(feeds(origin, one=ITEMS), {"r": jsonl("r", **{"from": [{"search": "sparse"}]})})
    d.start().settled()
    lines = d.folder / "in.jsonl"
    lines.write_text("".join(json.dumps({"id": g, "title": t}) + "\n" for g, t in (("a", "Sparse"), ("b", "Dense"))))
    done = d.courant("filter", "search", "-o", "query=sparse", str(lines))
    assert [json.loads(line)["title"] for line in done.stdout.splitlines()] == ["Sparse"]
    done = d.courant("filter", "search", "-o", "query=sparse", "--why", str(lines))
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["keep", "drop"]
    other = d.folder / "other.yaml"
    other.write_text(d.conf.read_text().replace('search: "sparse"', 'search: "retrieval"'))
    done = d.courant("try", "r", "-c", str(other), "--json")
    last = json.loads(done.stdout.splitlines()[-1])
    assert "error" not in last, last
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(o.get("now", {}).get("why") == "not found by `retrieval`" for o in shown), shown


# -- asked for

def found(d, query, *more):
    got = d.search(query, *more)
    return got["step"], [s["link"].rsplit("/", 1)[1] for s in got["stories"]]


@pytest.fixture
def searched(daemon, origin):
    routes = {f"r{i}": jsonl(f"r{i}", **{"from": [{"search": q}]}) for i, q in enumerate(QUERIES)}
    d = daemon(feeds(origin, one=ITEMS[:3], two=ITEMS[3:]), routes)
    d.start().settled().indexed()
    d.until(lambda: d.courant("search", "--complete", "sparse").stdout == b"sparse 3\n", what="words are counted")
    return d


def test_a_search_finds_what_a_route_with_it_takes(searched):
    d = searched
    for i, (query, wanted) in enumerate(QUERIES.items()):
        for sort in ("match", "new", "heat"):
            step, got = found(d, query, "--sort", sort)
            assert sorted(got) == wanted == guids(d, f"r{i}"), (query, sort, step)
            assert step == ("all" if wanted else "none"), (query, step)


def test_the_steps_of_a_search(searched):
    d = searched
    assert found(d, "sparse attention") == ("all", ["1", "2"])
    assert d.search("sparse atention")["did_you_mean"] == "sparse attention"
    assert found(d, "sprase atention") == ("spelling", ["1", "2"])
    assert found(d, "sparse cafe gpt4")[0] == "any"
    assert found(d, "sparse unheardof -tables") == ("any", ["1", "2"])
    assert found(d, "unheardof") == ("none", [])
    assert d.search("titel:sparse")["notes"] == ["`titel:` is no operator: it is searched as a word"]
    done = d.courant("search", "unheardof", check=False)
    assert done.returncode == 1 and done.stdout == b"nothing is found\n", done
    done = d.courant("search", "sprase", "atention")
    assert done.stdout.startswith(b"did you mean: sparse attention\n   1  Sparse attention"), done.stdout
    done = d.courant("search", "sparse cafe gpt4").stdout
    assert done.startswith(b"nothing has all of it; these have some of its words:\n"), done
    assert d.courant("search", "--complete", "dense sp").stdout.startswith(b"sparse 3\n")
    assert d.courant("search", "--complete", "s").stdout == b""


def test_limits_and_orders(searched):
    d = searched
    assert [len(d.search("sparse", "--limit", str(n), "--sort", s)["stories"]) for n in (1, 2, 3, 4)
            for s in ("match", "new", "heat")] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert d.search("sparse", "--limit", "2")["more"] and not d.search("sparse", "--limit", "3")["more"]
    assert found(d, "sparse sort:new") == found(d, "sparse", "--sort", "new")
    newest = [r["guid"] for r in d.http("/api/v1/records").json["records"] if r["guid"] != "3"]
    assert found(d, "sparse", "--sort", "new")[1] == newest
    for wrong in (["--sort", "size", "x"], ["--limit", "0", "x"], ["--limit", "10001", "x"], []):
        assert d.courant("search", *wrong, check=False).returncode == 2, wrong


def test_an_id_or_url_leads_to_its_story_first(daemon, origin):
    paper = item("oai:arXiv.org:2401.09153", "Kestrels in the wind").replace(
        "https://example.org/oai:arXiv.org:2401.09153", "https://arxiv.org/abs/2401.09153v2")
    other = item("5", "About https://arxiv.org/abs/2401.09153", "kestrels")
    d = daemon(feeds(origin, one=ITEMS + [other], two=[paper]))
    d.start().settled().indexed()
    rid = d.search("kestrels wind")["stories"][0]["id"]
    for query in ("https://arxiv.org/pdf/2401.09153", "http://www.arxiv.org/abs/2401.09153v1#x", "arxiv:2401.09153",
                  "2401.09153", "10.48550/arXiv.2401.09153", "https://doi.org/10.48550/arXiv.2401.09153", rid):
        got = d.search(query)
        assert got["step"] == "id" and got["stories"][0]["id"] == rid, (query, got)
    assert [s["title"] for s in d.search("https://arxiv.org/abs/2401.09153")["stories"]] == [
        "Kestrels in the wind", "About https://arxiv.org/abs/2401.09153"]
    assert d.search("https://arxiv.org/abs/2401.99999")["step"] != "id"


def test_a_story_is_found_once(daemon, origin):
    d = daemon(feeds(origin, one=ITEMS, two=[ITEMS[0]]))
    d.start().settled().indexed()
    for sort in ("match", "new", "heat"):
        got = d.search("sparse attention long", "--sort", sort)
        assert [s["records"] for s in got["stories"]] == [2], got


def test_similar(searched):
    d = searched
    rid = d.search("retrieval")["stories"][0]["id"]
    for got in (d.search(rid, command="similar"), d.search("https://example.org/2", command="similar"),
                d.search(f"like:{rid}")):
        assert got["step"] == "like", got
        assert [s["link"][-1] for s in got["stories"]][0] == "1" and rid not in [s["id"] for s in got["stories"]], got
    assert found(d, "like:\"sparse attention over documents\"")[1][0] == "1"
    done = subprocess.run([program("courant"), "-s", str(d.state), "similar", "--json", "-"],
                          input=b"long documents, attention", capture_output=True)
    assert json.loads(done.stdout)["stories"][0]["link"][-1] == "1", done
    done = d.courant("similar", "https://example.org/none", check=False)
    assert done.returncode == 1 and b"no record has the id or link" in done.stderr, done


def test_ten_thousand_fuzzed_queries(searched):
    """None is an error, none takes 250 ms of the index's time."""
    d, rng = searched, random.Random(3)
    bits = ['"', "'", "(", ")", "-", "*", "^", ":", "+", "{", "}", "\\", " OR ", " AND ", " NOT ", " NEAR ", " ", " ",
            "title:", "in:title ", "source:", "author:(", "has:", "\u201c", "\ue000", ";", "--", "%", "_", "\n", "a", "0",
            "after:2026", "before:1999-01", "like:", "sort:new", "sparse", "attention", "spars", "c++", "\u5b66", "caf\u00e9",
            "https://example.org/1", "2401.09153"]
    asker = Asker(d)
    for i in range(10000 if courant.LONG else 3000):
        query = "".join(rng.choice(bits) for _ in range(rng.randrange(0, 300 if i % 100 == 0 else 12)))
        command = rng.choice(["search", "search", "search", "similar", "complete"])
        arg = {"q": query, "text": query, "sort": rng.choice(["match", "new", "heat"])}
        status, text = asker.ask(command, arg)
        assert status == 0, (command, query, text)
        json.loads(text)
    for wrong in ([], "x", {"q": "x", "sort": "size"}):
        assert asker.ask("search", wrong)[0] == 1
    assert d.pids()["index"] and next(r for r in d.status()["roles"] if r["name"] == "index")["restarts"] == 0
