"""Listing pages of papers, all the way: every listing a record, every paper one story, one line, one
signed webhook and one item of a feed, whatever the page's shape and however often all is killed."""
import collections
import json
import os
import random
import re
import signal
import time
import xml.etree.ElementTree as tree

import pytest

import courant
from courant import LONG
from receiver import Receiver

KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
NEWEST = 100                    # items of the feed
BATCH = 32                      # records that a sink which sends is given at once
LATENCY, FAILS = 0.02, 0.2      # of the receiver, while all is killed
WORDS = ("tide harbour rope signal lamp cable storm engine compass anchor ledger voyage beacon "
         "current drift queue socket thread buffer parser index journal cursor batch").split()
HEADERS = ["new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nbyAda and the others\n\nMar 14",
           "Get trending papers in your email inbox!\n\nSubscribe\n\nbyAda and the others\n\nMar 11"]


# -- pages

def listed(data):
    """Our own reading of a page: what stands before the line over the first abstract is its header;
    titles and abstracts follow in turn. [(title, abstract)]."""
    lines = [line.strip() for line in data.decode().splitlines() if line.strip()]
    first = next(i for i, line in enumerate(lines) if len(line) > 300)
    body = lines[first - 1:]
    body[0] = body[0].removeprefix("Subscribe")
    assert len(body) % 2 == 0
    return list(zip(body[::2], body[1::2]))


def titles_of(pages):
    """On how many pages each title stands."""
    return collections.Counter(t for page in pages for t in {t for t, _ in listed(page)})


def invented(n, link=None):
    rng = random.Random(n)

    def sentence(words):
        return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize()
    more = f" Our code is at {link}." if link else ""
    return (f"{sentence(6)} and its number {'i' * n}",
            " ".join(sentence(12) + "." for _ in range(8)) + more)


def page(papers, header=HEADERS[0], blank="\n\n"):
    lines = [header] + [line for paper in papers for line in paper]
    return (blank.join(lines) + "\n").encode()


def our_pages():
    """Twenty papers on three pages; the first two share the link to their code."""
    papers = [invented(n, "https://github.com/example/both" if n < 2 else None) for n in range(20)]
    glued = page(papers[0:11], "Get trending papers in your email inbox!", "\n")
    glued = glued.replace(papers[0][0].encode(), b"Subscribe" + papers[0][0].encode())
    return {"a.txt": glued, "b.txt": page(papers[8:16]), "c.txt": page(papers[10:20], HEADERS[1])}


def shared_pages():
    folder = courant.SHARED / "papers-pages" if courant.SHARED else None
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.txt"))} if folder else {}


def derived(pages):
    """A further page: of the first page those that share a link, the other way round, and others of all
    pages and some of its own, shuffled; another header, CRLF; it ends in the middle of an abstract."""
    rng = random.Random(6)
    papers = {t: a for data in pages.values() for t, a in listed(data)}
    by_link = collections.defaultdict(list)
    for t, a in papers.items():
        for link in re.findall(r"https?://[^\s,;)]+", a):
            by_link[link.rstrip(".")].append((t, a))
    pairs = [p for same in by_link.values() if len(same) > 1 for p in same[::-1]]
    assert pairs, "two papers share a link"
    others = [p for p in rng.sample(sorted(papers.items()), len(papers) // 3) if p not in pairs]
    others += [invented(100 + n) for n in range(7)]
    rng.shuffle(others)
    data = page(pairs + others, "The Papers of the Week\nChosen by hand\n\nFriday, Mar 14th 2025")
    data = data.decode().rstrip("\n").replace("\n", "\r\n")
    return data[:-len(others[-1][1]) // 2].encode()


@pytest.fixture(params=[
    "ours", pytest.param("shared", marks=[pytest.mark.shared, pytest.mark.skipif(
        not shared_pages(), reason="the listing pages beside the tree are missing")])])
def pages(request):
    if request.param == "ours":
        return our_pages()
    found = shared_pages()
    by_pages = collections.Counter(titles_of(found.values()).values())
    assert by_pages == {1: 422, 2: 39, 3: 14, 4: 3}
    assert sum(len(listed(p)) for p in found.values()) == 554
    return found


# -- the daemon

@pytest.fixture
def listing(daemon, origin):
    """A daemon with a source for each page and three routes from all of them; not yet started."""
    def make(pages, receiver, retry=("200 ms",)):
        route = {"from": ["*"], "backlog": "all", "once": "story"}
        d = daemon({f"p{name[:3]}": source(origin, name, data) for name, data in pages.items()}, {
            "lines": {**route, "to": {"jsonl": {"path": "all.jsonl"}}},
            "hooks": {**route, "to": {"webhook": {"url": receiver.url(), "secret": KEY,
                                                  "retry": list(retry)}}},
            "feed": {**route, "to": {"feed": {"path": "all", "keep": NEWEST}}}})
        return d
    return make


def source(origin, name, data):
    return {"plugin": "papers", "url": origin.put(name, data), "every": "1 h"}


def of_route(d, route):
    """What /api/v1/records has for a route, oldest first."""
    found, cursor = [], 0
    while True:
        answer = d.http(f"/api/v1/records?route={route}&limit=1000&after={cursor}").json
        if answer["next"] == cursor:
            return found
        found += answer["records"]
        cursor = answer["next"]


def counts(d):
    now = d.status()["counts"]
    return now["records"], now["stories"]


def everywhere(d, receiver, stories):
    """Each story is once in every output, in the order of the log; in a list by date."""
    d.until(lambda: len({h.id for h in receiver.taken()}) >= stories, 60, "all webhooks are taken")
    d.settled(60)
    shown = [r["id"] for r in of_route(d, "hooks")]
    lines = d.until_lines(stories)
    assert [line["id"] for line in lines] == [r["id"] for r in of_route(d, "lines")]
    assert [h.id for h in receiver.hooks] == shown and len(set(shown)) == stories
    for h in receiver.hooks:
        assert h.verified(KEY) and h.json["id"] == h.id
    items = list(tree.parse(d.out("all.rss")).getroot().iter("item"))
    by_date = sorted(enumerate(of_route(d, "feed")), key=lambda r: (r[1]["date"], r[0]), reverse=True)
    assert [item.findtext("title") for item in items] == [r["title"] for _, r in by_date][:NEWEST]
    for found in (lines, [h.json for h in receiver.hooks]):
        assert len({r["title"] for r in found}) == stories


def test_every_listing_is_a_record_and_every_paper_one_message(listing, pages, origin):
    titles = titles_of(pages.values())
    expected = sum(titles.values()), len(titles)
    with Receiver() as r:
        d = listing(pages, r).start()
        d.settled(60)
        assert counts(d) == expected
        everywhere(d, r, len(titles))
        assert {line["title"] for line in d.lines()} == set(titles)

        # Fetched again, whole, and by another daemon: nothing.
        assert d.stop() == 0
        for name in pages:
            os.utime(origin.root / name, (1, 1))
        d.start()
        d.refresh()
        for name in pages:
            assert [q["status"] for q in origin.requests(f"/{name}")] == [200, 200]
        assert counts(d) == expected
        everywhere(d, r, len(titles))

        # One more page: what of it is new.
        more = derived(pages)
        titles = titles_of([*pages.values(), more])
        d.sources["more"] = source(origin, "more.txt", more)
        d.write()
        d.courant("reload")
        d.until(lambda: d.source("more")["checked"], 20, "the page is read")
        assert counts(d) == (sum(titles.values()), len(titles))
        assert "ends in its last abstract" in d.source("more")["error"]
        everywhere(d, r, len(titles))


# -- pages remade

def remade(pages, seed):
    """The pages in another order, each with its papers shuffled, under another header, most of them cut in
    their last abstract. [(name, data, titles in their order)]."""
    rng = random.Random(seed)
    found = []
    for name in rng.sample(sorted(pages), len(pages)):
        papers = rng.sample(listed(pages[name]), len(listed(pages[name])))
        header = rng.choice([*HEADERS, "The Papers of the Week\nChosen by hand\n\nFriday, Mar 14th 2025"])
        data = page(papers, header, rng.choice(["\n\n", "\n", "\n\n\n"])).decode().rstrip("\n")
        if rng.random() < 0.7:
            data = data[:-len(papers[-1][1]) // 2]
        found.append((name, data.replace("\n", rng.choice(["\n", "\r\n"])).encode(), [t for t, _ in papers]))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_remade_pages_give_the_stories_and_the_order_of_their_papers(daemon, origin, pages, seed):
    papers = sorted({p for data in pages.values() for p in listed(data)})[::3]
    d = daemon({"api": {"plugin": "json", "every": "1 h", "url": origin.put("api.json", json.dumps(
        [{"id": t, "title": t, "url": f"https://example.org/{n}", "text": a} for n, (t, a) in enumerate(papers)]
        ).encode()), "fields": {"guid": "id", "title": "title", "link": "url", "summary": "text"}}}, {
            "each": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "each.jsonl"}}}})
    d.start().settled(60)
    d.routes["once"] = {"from": [], "once": "story", "to": {"jsonl": {"path": "once.jsonl"}}}
    order = {}  # the last entry of a page is taken for its oldest
    for name, data, titles in remade(pages, seed):
        d.sources[f"p{name[:3]}"] = source(origin, name, data)
        d.routes["once"]["from"].append(f"p{name[:3]}")
        d.write()
        d.courant("reload")
        d.settled(60)
        order.update(dict.fromkeys(t for t in reversed(titles) if t not in order))
    told = d.lines("each.jsonl")
    stories = collections.defaultdict(list)
    for r in told:
        stories[r["title"]].append(r)
    assert counts(d)[1] == len(order) == len(stories)
    assert [r["title"] for r in d.lines("once.jsonl")] == list(order)
    assert all("link" in r for t, _ in papers for r in stories[t])
    assert any("link" not in r for r in told), "where no record of the story has one"
    for same in stories.values():
        assert len({"link" in r for r in same}) == 1, same[0]["title"]


# -- kills

def kill(d, whom):
    """The whole group, or one role, which comes back by itself."""
    if whom == "all":
        d.kill()
        d.start()
    else:
        os.kill(d.pids()[whom], signal.SIGKILL)
        d.until(d.ready, 20, f"{whom} is back")


def nothing_overtakes(hooks, order):
    """A message is sent only once all before it were taken."""
    place = {each: i for i, each in enumerate(order)}
    taken = 0
    for h in hooks:
        assert place[h.id] <= taken, f"{h.json['title']} overtakes"
        if h.status == 200 and place[h.id] == taken:
            taken += 1


def test_kills_during_the_webhooks_lose_nothing_and_keep_order_and_ids(listing, pages):
    rng = random.Random(20261121)
    stories = len(titles_of(pages.values()))
    kills = min(stories // 8, 100 if LONG else 10)  # a slow build lets several pass at each
    with Receiver(lambda *_: 500 if rng.random() < FAILS else 200, LATENCY) as r:
        d = listing(pages, r, ["20 ms"] * BATCH)
        d.start()
        for n in range(kills):
            before = len({h.id for h in r.taken()})
            assert before < stories, f"all was taken before kill {n}"
            seen = len(r.hooks) + rng.randrange(1, 5)
            d.until(lambda: len(r.hooks) >= seen, 20, "some more webhooks")
            time.sleep(rng.random() * LATENCY)
            kill(d, rng.choice(("all", "all", "all", "send", "store")))
        d.until(lambda: len({h.id for h in r.taken()}) >= stories, 60, "all webhooks are taken")
        d.settled(60)
        order = [x["id"] for x in of_route(d, "hooks")]
        assert len(order) == stories
        assert list(dict.fromkeys(h.id for h in r.hooks)) == order
        nothing_overtakes(r.hooks, order)
        assert all(h.verified(KEY) and h.json["id"] == h.id for h in r.hooks)
        names = collections.defaultdict(set)
        for h in r.hooks:
            names[h.json["title"]].add(h.id)
        assert {len(ids) for ids in names.values()} == {1} and len(names) == stories
        repeated = len(r.taken()) - stories
        assert repeated <= kills * BATCH, repeated
        d.until_lines(stories)
