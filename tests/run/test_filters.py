"""The filters match, rewrite and limit in a running daemon, configured as users write it."""
import json
import re
import textwrap
import time

from courant import TREE

ENTRIES = [
    {"guid": "1", "title": "Dense  Retrieval for everyone", "kind": "new", "comments": 3},
    {"guid": "2", "title": "Reranking of caf\u00e9s", "kind": "replace", "comments": 12},
    {"guid": "3", "title": "curl 8.0-rc1", "kind": "new", "comments": 40},
    {"guid": "4", "title": "curl 8.0", "kind": "replace-cross", "comments": 9},
    {"guid": "5", "title": "\u5168\u6587\u691c\u7d22\u306e\u7814\u7a76", "kind": "cross",
     "text": "<p>Offline</p><p>RL &lt; <b>on</b>line RL</p>"},
]


def feed(entries=None):
    items = []
    for e in ENTRIES if entries is None else entries:
        text = e.get("text", "").replace("&", "&amp;").replace("<", "&lt;")
        comments = f"<slash:comments>{e['comments']}</slash:comments>" if "comments" in e else ""
        items.append(f"<item><guid>{e['guid']}</guid><title>{e['title']}</title>"
                     f"<description>{text}</description>{comments}"
                     f"<arxiv:announce_type>{e.get('kind', 'new')}</arxiv:announce_type></item>")
    return ('<?xml version="1.0"?><rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom" '
            'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel><title>T</title>'
            "<link>https://example.org/</link><description>d</description>"
            + "".join(items) + "</channel></rss>").encode()


def configured(daemon, text, url, settings=""):
    """A daemon with the sources and routes of a text, {url} filled in; not started."""
    d = daemon()
    head = d.conf.read_text()
    d.conf.write_text(head + settings + textwrap.dedent(text).replace("{url}", url))
    return d


def routes(filters):
    """The configuration of one source, and a route to NAME.jsonl for each list of filters."""
    text = ["sources:", "  one: { plugin: feed, url: \"{url}\", every: 1 h }", "routes:"]
    for name, lines in filters.items():
        text += [f"  {name}:", "    from: [one]", "    filters:"]
        text += ["      " + line for line in textwrap.dedent(lines).strip().splitlines()]
        text += [f"    to: {{ jsonl: {{ path: {name}.jsonl }} }}"]
    return "\n".join(text) + "\n"


def titles(d, name):
    path = d.out(name + ".jsonl")
    return [r["title"] for r in d.lines(name + ".jsonl")] if path.exists() else []


def numbers(d, name):
    """Which of the entries came through, by their places in ENTRIES from 1 on."""
    path = d.out(name + ".jsonl")
    return sorted(int(r["guid"]) for r in d.lines(name + ".jsonl")) if path.exists() else []


MATCHES = {
    "words": ("- match: { in: [title, summary], any: [retrieval, reranking] }", [1, 2]),
    "phrase": ("- match: { any: [dense retrieval, offline RL] }", [1, 5]),
    "pattern": ('- match: { any: ["re:^dense\\\\b", "re:(?-i)RERANK"] }', [1]),
    "releases": ('- match: { in: [title], none: ["re:[-.](rc|alpha|beta)[.0-9]*$"] }',
                 [1, 2, 4, 5]),
    "fresh": ("- match: { in: [arxiv:announce_type], none: [replace, replace-cross] }", [1, 3, 5]),
    "talked": ("- match: { where: comments >= 10 }", [2, 3]),
    "range": ("- match: { where: [comments >= 9, comments < 40] }", [2, 4]),
    "unknown": ("- match: { where: comments >= 10, missing: keep }", [2, 3, 5]),
    "accents": ("- match: { any: [CAFES], accents: no }", [2]),
    "exact": ("- match: { any: [CAFES, retrievals] }", []),
    "kanji": ("- match: { any: [\u691c\u7d22] }", [5]),
    "html": ("- match: { in: [text], all: [RL < online, offline] }", [5]),
    "both": ("""
        - match:
            in: [title]
            any: [curl, retrieval]
            none: ["re:-rc\\\\d"]
        - match: { all: [curl] }
        """, [4]),
    "new": ("- match: { newer: 30 d }", [1, 2, 3, 4, 5]),
    "old": ("- match: { older: 30 d }", []),
}


def test_match_as_users_write_it(daemon, origin):
    d = configured(daemon, routes({k: v[0] for k, v in MATCHES.items()}),
                   origin.put("f.xml", feed()))
    d.start().settled()
    assert {name: numbers(d, name) for name in MATCHES} == {k: v[1] for k, v in MATCHES.items()}
    for r in d.status()["routes"]:
        told = r["sinks"][0]
        assert told["dead"] == 0 and r["dropped"] == 5 - len(MATCHES[r["name"]][1]), r


def test_a_list_of_terms_from_a_file(daemon, origin):
    d = configured(daemon, routes({"a": "- match: { in: [title], any_file: terms.txt }"}),
                   origin.put("f.xml", feed()))
    terms = d.folder / "terms.txt"
    terms.write_text("reranking\nre:RC[0-9]\n")
    d.start().settled()
    assert numbers(d, "a") == [2, 3]


def test_a_pattern_that_runs_away_costs_its_record_alone(daemon, origin):
    bad = [{"guid": "6", "title": ("a" * 40 + "b") * 1600}, {"guid": "7", "title": "z",
           "text": "a" * 60000 + "b"}, {"guid": "8", "title": "x aaa"}]
    d = configured(daemon, routes({"a": '- match: { any: ["re:(a+)+$"] }',
                                   "b": "- match: { any: [aaa] }"}), origin.put("f.xml", feed(bad)))
    d.start().settled()
    assert numbers(d, "a") == [8]
    route = d.route("a")
    assert route["filters"]["dead"] == 2, route
    assert "takes too long" in json.dumps(route), route
    assert numbers(d, "b") == [8] and d.route("b")["filters"]["dead"] in (0, None)
    assert d.stop() == 0


def test_rewrite_changes_records_for_its_route_alone(daemon, origin):
    d = configured(daemon, routes({
        "a": """
            - match: { in: [title], any: [curl] }
            - rewrite:
                set: { title: "{source}: {title} ({arxiv:announce_type})" }
                category: [release]
            - rewrite: { find: "re:(\\\\d+)\\\\.(\\\\d+)", with: "$2 of $1" }
            """,
        "b": "- match: { in: [title], any: [curl] }"}), origin.put("f.xml", feed()))
    d.start().settled()
    assert sorted(titles(d, "a")) == ["one: curl 0 of 8 (replace-cross)", "one: curl 0 of 8-rc1 (new)"]
    assert all(r["categories"] == ["release"] for r in d.lines("a.jsonl"))
    assert sorted(titles(d, "b")) == ["curl 8.0", "curl 8.0-rc1"]


def test_the_examples_of_the_manual_are_good(daemon, origin):
    page = (TREE / "core" / "conf" / "courant.conf.5").read_text()
    page = page[page.index(".Sh SHIPPED FILTERS"):]
    found = re.findall(r"\.Bd -literal[^\n]*\nfilters:\n(.*?)\.Ed", page, re.S)
    assert len(found) >= 2
    lines = [line.replace("\\(aq", "'").replace("\\e", "\\")
             for each in found for line in textwrap.dedent(each).strip().splitlines()]
    d = configured(daemon, routes({f"r{n}": line for n, line in enumerate(lines)}),
                   origin.put("f.xml", feed()))
    code, said = d.run("-n")
    assert code == 0, said
    d.start().settled()
    for r in d.status()["routes"]:
        assert not r["filters"].get("reason"), r      # each could be opened


# -- limit

def named(source, first, last):
    return feed([{"guid": f"{source}{n}", "title": f"{source} {n}"} for n in range(last, first - 1, -1)])


def two_sources(daemon, origin, filters):
    """A daemon with the sources x and y, and a route to NAME.jsonl for each filter."""
    text = "sources:\n" + "".join(
        f"  {s}: {{ plugin: feed, url: \"{origin.put(s + '.xml', named(s, 1, 8))}\", every: 1 h }}\n"
        for s in "xy") + "routes:\n" + "".join(
        f"  {name}: {{ from: [x, y], filters: [ {{ limit: {{ {options} }} }} ],"
        f" to: {{ jsonl: {{ path: {name}.jsonl }} }} }}\n" for name, options in filters.items())
    return configured(daemon, text, "")


LIMITS = {
    "all": ("rate: 3/h", 3), "each": ("rate: 3/h, per: source", 6), "number": ("number: 5", 5),
    "ever": ("number: 2, per: source", 4), "title": ("number: 1, per: title", 16),
    "none": ("rate: 1/30 min, per: author", 1), "enough": ("rate: 1000/d", 16),
}


def test_limit_as_users_write_it(daemon, origin):
    d = two_sources(daemon, origin, {name: options for name, (options, _) in LIMITS.items()})
    d.start().settled()
    assert {n: len(titles(d, n)) for n in LIMITS} == {n: count for n, (_, count) in LIMITS.items()}
    assert sorted(titles(d, "each")) == ["x 1", "x 2", "x 3", "y 1", "y 2", "y 3"], "the oldest first"
    for s in "xy":
        origin.put(s + ".xml", named(s, 5, 12))
    d.kill()
    d.start()
    d.refresh()
    d.settled()
    assert {n: len(titles(d, n)) for n in LIMITS} == {**{n: count for n, (_, count) in LIMITS.items()},
                                                     "title": 24, "enough": 24}, "what was counted stays"
    assert d.route("all")["dropped"] == 21


def test_limit_gives_the_same_verdicts_after_kills(daemon, origin):
    d = two_sources(daemon, origin, {"a": "rate: 40/h, per: source"})
    for n in range(10):
        for s in "xy":
            origin.put(s + ".xml", named(s, 1, 10 * n + 20))
        d.start()
        for s in "xy":
            d.courant("refresh", s)
        time.sleep(0.02 * n)
        d.kill()
    d.start()
    d.refresh()
    d.settled()
    assert d.records() > 80
    found = titles(d, "a")
    assert sorted(found) == sorted(f"{s} {n}" for s in "xy" for n in range(1, 41))


def test_a_limit_that_is_none_is_refused_with_its_line(daemon, origin):
    d = two_sources(daemon, origin, {"a": "rate: ten, per: source"})
    code, said = d.run("-n")
    assert code == 1, said
    assert re.search(r"courant.yaml:\d+: route a: limit: rate: ten is no rate: give a number", said), said
