"""TeX of titles and names: shown as people read it in feeds and pages, stored and delivered as it came."""
import json
import re
import xml.etree.ElementTree as tree

ATOM = "{http://www.w3.org/2005/Atom}"
TITLE = r"Loss $\mathcal{L}_{CLIP}$ in $O(n^2)$ for $5 and $6 & $\unknown{x}$"
PAGE = (b'<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>T</title>'
        b"<item><guid>1</guid><title>" + TITLE.replace("&", "&amp;").encode() + b"</title>"
        b"<dc:creator>Erd\\H{o}s, P.</dc:creator></item></channel></rss>")


def test_titles_and_names_are_shown_in_each_output_as_it_can(daemon, origin):
    d = daemon({"a": {"plugin": "feed", "every": "1 h", "url": origin.put("a.xml", PAGE)}}, {
        "lines": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}},
        "feed": {"from": ["*"], "to": {"feed": {"path": "all"}}}}).start()
    record, = d.until_lines(1)
    assert record["title"] == TITLE and record["authors"][0]["name"] == r"Erd\H{o}s, P."
    assert d.http("/api/v1/records").json["records"][0]["title"] == TITLE
    d.settled()

    text = r"Loss ℒ_{CLIP} in O(n²) for $5 and $6 & $\unknown{x}$"
    item = tree.fromstring(d.out("all.rss").read_bytes()).find("channel/item")
    assert item.findtext("title") == text
    assert item.findtext("{http://purl.org/dc/elements/1.1/}creator") == "Erdős, P."
    item, = json.loads(d.out("all.json").read_bytes())["items"]
    assert item["title"] == text and item["authors"] == [{"name": "Erdős, P."}]

    markup = (r"Loss ℒ<sub>CLIP</sub> in O(n<sup>2</sup>) for $5 and $6 &amp; <code>$\unknown{x}$</code>")
    entry = tree.fromstring(d.out("all.atom").read_bytes()).find(ATOM + "entry")
    title = entry.find(ATOM + "title")
    assert (title.get("type"), title.text) == ("html", markup)
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "Erdős, P."
    page = d.http("/").text
    assert re.search(r"<h2[^>]*>(.*)</h2>", page).group(1) == markup
