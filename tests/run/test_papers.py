"""Listing pages of papers: every listing a record, every paper one story, whatever the page's shape."""
import collections

import pytest

import courant

PAGES = sorted((courant.SHARED / "papers-pages").glob("*.txt")) if courant.SHARED else []


def routes():
    return {"lines": {"from": ["*"], "backlog": "all", "to": {"jsonl": {"path": "all.jsonl"}}},
            "feed": {"from": ["*"], "to": {"feed": {"path": "all", "keep": 100}}}}


@pytest.mark.shared
@pytest.mark.skipif(not PAGES, reason="the listing pages beside the tree are missing")
def test_five_pages_are_554_records_and_478_stories(daemon, origin):
    sources = {}
    for page in PAGES:
        url = origin.put(page.name, page.read_bytes())
        sources[f"p{page.name[:3]}"] = {"plugin": "papers", "url": url, "every": "1 h"}
    d = daemon(sources=sources, routes=routes()).start()
    d.settled(60)
    counts = d.status()["counts"]
    assert (counts["records"], counts["stories"]) == (554, 478), counts
    lines = d.until_lines(478)
    assert len({line["title"] for line in lines}) == 478
    assert sum(line["summary"].count("http://") + line["summary"].count("https://")
               for line in lines) > 100
    titles = collections.Counter()
    for page in PAGES:
        blocks = [b for b in page.read_text().split("\n") if b.strip()]
        listed = {b.removeprefix("Subscribe") for b in blocks}
        titles.update(listed & {line["title"] for line in lines})
    assert collections.Counter(titles.values()) == {1: 422, 2: 39, 3: 14, 4: 3}
    d.refresh()
    d.settled(60)
    assert d.records() == 554
    assert len(d.lines()) == 478
