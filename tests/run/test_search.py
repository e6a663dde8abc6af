"""The query language in routes, and what a search finds in a running daemon."""
import json

from courant import rss


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
