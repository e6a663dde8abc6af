"""Sanitised HTML is the same tree to a browser by whatever way it is read, and read again."""
import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest

import courant
import vectors

TESTS = pathlib.Path(__file__).resolve().parents[1]
RANDOM = 4000 if not courant.LONG else 100000
BLOCKS = "p div ul ol li dl dt dd h1 h2 pre blockquote center address section details summary hr form fieldset main dialog".split()
PHRASES = ("a b i em strong span font u nobr code small sub ruby rt rp rb rtc br img q button label select option textarea noscript title "
           "style xmp svg math template iframe object marquee video audio source picture canvas input plaintext listing image").split()
TABLES = "table table caption colgroup col tbody thead tfoot tr tr td td th".split()
TEXTS = ["x", "y z", " ", "\n", "\n\nq", "&nbsp;", "&lt;", "&#10;", " \n ", "\r\n", "&#13;", "&amp;lt;", "<!-- c -->", "<![CDATA[d]]>"]
ATTRS = ["", "", "", " class=c", " href=/u", " src=/i.png", ' title="a>b"', " id=x name=y", " style='color:red'", "/"]


def batch(paths):
    """The HTML of all documents, as `courant parse` has it."""
    lines = "".join(f"{p}\t-\n" for p in paths)
    done = subprocess.run([courant.program("courant"), "parse", "--batch"], input=lines.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=300 * courant.SLOW, check=False)
    found = set()
    for line in done.stdout.splitlines():
        for entry in json.loads(line).get("entries", []):
            found.update(v for v in (entry.get("content"), entry.get("summary")) if v)
    return sorted(found)


def sanitised(texts, folder):
    """The same of bare HTML, one text at a time in a JSON Feed."""
    path = folder / "feed.json"
    path.write_text(json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [
        {"id": str(n), "content_html": t.replace("\0", "")} for n, t in enumerate(texts)]}), encoding="utf-8")
    return batch([path])


@pytest.fixture
def where():
    """A folder that the user can read whom root's commands become."""
    path = courant.folder("trees-")
    yield path
    shutil.rmtree(path)


def token(r):
    if r.random() < 0.2:
        return r.choice(TEXTS)
    name = r.choice(r.choice((BLOCKS, BLOCKS, PHRASES, PHRASES, TABLES)))
    return f"</{name}>" if r.random() < 0.4 else f"<{name}{r.choice(ATTRS)}>"


def test_any_tags_in_any_order(browser, where):
    seed = int(os.environ.get("COURANT_SEED", "1"))
    r = random.Random(seed)
    texts = ["".join(token(r) for _ in range(r.randint(1, 30))) for _ in range(RANDOM)]
    found = [html for n in range(0, RANDOM, 200) for html in sanitised(texts[n:n + 200], where)]
    assert len(found) > RANDOM / 2
    assert browser.order("trees", texts=found)["found"] == [], f"COURANT_SEED={seed}"


def test_attacks_and_samples(browser, where):
    seeds = [p.read_text(encoding="utf-8", errors="replace") for p in sorted((TESTS / "fuzz" / "seeds" / "html").iterdir())]
    texts = [text for _, text in vectors.all_html()] + seeds
    found = sanitised(texts, where) + batch(sorted(p for p in (TESTS / "golden").glob("*.*") if p.suffix not in (".expect", ".headers")))
    assert len(found) > len(vectors.all_html()) / 3
    assert browser.order("trees", texts=found)["found"] == []


@pytest.mark.shared
def test_feeds_of_others(browser):
    paths = [*sorted((courant.SHARED / "feed-corpus").glob("*/*.feed")), *sorted((courant.SHARED / "feeds-real").glob("*.*"))]
    if len(paths) < 1000:
        pytest.skip("feed-corpus is missing beside the tree")
    found = batch(paths)
    assert len(found) > 1000
    assert browser.order("trees", texts=found)["found"] == []
