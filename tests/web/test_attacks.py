"""What a browser makes of our outputs when whoever wrote the feed means harm: through the daemon, from RSS,
Atom, JSON Feed and a plugin, into RSS, Atom, JSON Feed, JSON Lines and the page of serve."""
import collections
import re
import shutil
import urllib.parse
import xml.etree.ElementTree as tree

import pytest

import courant
import documents
import vectors

SCHEMES = ("http", "https", "mailto", "urn", "")     # urn: what stands for a page that is not known
FORMATS = {"rss": (documents.rss, "application/rss+xml"), "atom": (documents.atom, "application/atom+xml"),
           "json": (documents.jsonfeed, "application/feed+json"), "raw": (documents.raw, "application/octet-stream")}
SHARED = {"xss-escaped": "content/xss-escaped.xml", "xss-cdata": "content/xss-cdata.xml", "xss-atom": "content/xss-atom.xml",
          "xss-json": "json/xss.json"}
OUTPUTS = ("rss", "atom", "json", "jsonl")
FRONT = 20                              # stories of a page (PAGE_STORIES)


def pairs():
    """Each attack of HTML, with one of an address."""
    n = len(vectors.ADDRESSES)
    return [(text, vectors.ADDRESSES[i % n]) for i, (_, text) in enumerate(vectors.all_html())]


def test_the_attacks_succeed_on_who_shows_a_feed_as_it_came(browser):
    """Without the sanitiser most of each kind does: so the other tests can fail."""
    kinds, texts = zip(*vectors.all_html())
    told = [t.replace("hit(1)", f"hit({i + 2})").replace("beacon.test", f"v{i}.beacon.test") for i, t in enumerate(texts)]
    done = browser.order("insert", texts=told)
    succeeded = {int(h) - 2 for h in done["hits"] if isinstance(h, (int, float)) and h >= 2}
    succeeded |= {int(m[1]) for m in (re.search(r"//v(\d+)\.beacon", a["url"]) for a in done["asked"]) if m}
    succeeded |= {told.index(text) for text, wrong in done["found"] if re.search("taken|named|scheme", " ".join(wrong))}
    by_kind = collections.Counter(kinds[i] for i in succeeded)
    assert not [k for k, of in vectors.HTML.items() if by_kind[k] < len(of) / 2], by_kind
    assert len(succeeded) >= 0.8 * len(texts)


def harm(done):
    """What an insertion did that it may not; pictures and films of an entry may be asked for, but none of the attacks'."""
    return {"ran": done["hits"][:5],
            "asked": [a for a in done["asked"] if a["kind"] != "shown" or "beacon" in a["url"]][:5],
            "found": done["found"][:5]}


NONE = {"ran": [], "asked": [], "found": []}


def start(daemon, origin, bodies):
    """A daemon that reads each of the documents by itself, and writes each by itself in all formats."""
    sources, routes = {}, {}
    for name, (body, type_) in bodies.items():
        origin.put(name, body)
        sources[name] = {"plugin": "vectors" if name == "raw" else "feed", "url": origin.url(f"/{name}"), "every": "1 h"}
        routes["to-" + name] = {"from": [name], "once": "record", "to": [{"feed": {"path": name, "keep": 1000}}, {"jsonl": {"path": f"{name}.jsonl"}}]}
    d = daemon(sources, routes)
    plugins = d.folder / "plugins"
    plugins.mkdir()
    shutil.copy(courant.BUILD / "tests" / "plugins" / "source_vectors.so", plugins)
    (plugins / "source_vectors.so").chmod(0o755)
    d.settings["plugins"] = [str(plugins)]
    d.write()
    d.start()
    written(d, bodies)
    return d


def written(d, bodies):
    """Until all that was fetched is in the outputs."""
    d.until(lambda: all(d.out(f"{n}.{o}").exists() for n in bodies for o in OUTPUTS), 60, "the outputs")
    d.settled()


def check_outputs(browser, d, names, least):
    """least: entries that each has, at least."""
    html, addresses = {}, {}
    for name in names:
        for output in OUTPUTS:
            answer = d.http(f"/{name}.{output}")
            assert answer.status == 200
            found = browser.order("read", name=f"{name}.{output}", text=answer.text)
            assert len(found["html"]) >= least, f"{name}.{output}"
            html.update((h, f"{name}.{output}") for h in found["html"])
            addresses.update((a, f"{name}.{output}") for a in found["addresses"])
    assert harm(browser.order("insert", texts=sorted(html))) == NONE
    assert browser.order("trees", texts=sorted(html))["found"] == []
    assert not {a: where for a, where in addresses.items() if urllib.parse.urlsplit(a.strip()).scheme.lower() not in SCHEMES}


def test_nothing_runs_in_who_shows_our_outputs(browser, daemon, origin):
    d = start(daemon, origin, {name: (make(pairs()), type_) for name, (make, type_) in FORMATS.items()})
    assert {len(d.lines(f"{n}.jsonl")) for n in ("rss", "json", "raw")} == {len(pairs())}
    check_outputs(browser, d, FORMATS, 100)


@pytest.mark.shared
def test_nothing_runs_of_the_known_attacks(browser, daemon, origin):
    folder = courant.SHARED / "hostile"
    if not folder.is_dir():
        pytest.skip("hostile is missing beside the tree")
    d = start(daemon, origin, {name: ((folder / path).read_bytes(), "application/xml") for name, path in SHARED.items()})
    assert min(len(d.lines(f"{n}.jsonl")) for n in SHARED) >= 52
    check_outputs(browser, d, SHARED, 20)
    texts = [i.findtext("description") for i in tree.parse(folder / SHARED["xss-cdata"]).iter("item")]
    again = start(daemon, origin, {name: (make([(t, "javascript:alert(1)") for t in texts]), type_)
                                   for name, (make, type_) in FORMATS.items()})
    check_outputs(browser, again, FORMATS, 20)


def test_nothing_runs_on_the_page_of_serve(browser, daemon, origin):
    """All attacks, as many at once as the page has records."""
    d = None
    for first in range(0, len(pairs()), FRONT // 2):
        some = pairs()[first:first + FRONT // 2]
        bodies = {name: (FORMATS[name][0](some, f"{first}-"), FORMATS[name][1]) for name in ("rss", "json")}
        if d is None:
            d = start(daemon, origin, bodies)
        else:
            for name, (body, _) in bodies.items():
                origin.put(name, body)
            d.refresh("rss", "json")
            d.until(lambda: min(len(d.lines(f"{n}.jsonl")) for n in bodies) >= first + len(some), 30, "the next attacks")
        at = f"http://{d.address()[0]}:{d.address()[1]}"
        done = browser.order("load", url=at + "/new", allowed=[at + "/style.css", at + "/favicon.ico"])
        assert done["articles"] >= min(FRONT, len(some))     # some of the two sources are one story
        assert (done["hits"], done["asked"], done["found"]) == ([], [], ["name: main"])    # to skip the navigation
