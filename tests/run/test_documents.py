"""Documents of old, odd and broken shapes: what is read of them, what is said, what is asked again."""
import json
import os
import subprocess

import pytest

from courant import program
from test_path import EVERYTHING, sources

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def entry(title, more=""):
    return f"{more}<rss version='2.0'><channel><title>C</title><item><title>{title}</title>" \
           "<link>http://x.example/1</link></item></channel></rss>"


# A document, its entry's title, and whether all of it is there.
BROKEN = {
    "declared": (entry("Ol&eacute; &dash;", "<!DOCTYPE rss [<!ENTITY eacute '&#233;'>"
                       "<!ENTITY dash '&#8212;'>]>"), "Ol\u00e9 \u2014", True),
    "elsewhere": (entry("Ol&eacute;", "<!DOCTYPE rss PUBLIC '-//Netscape Communications//DTD RSS 0.91//EN'"
                        " 'http://my.netscape.com/publish/formats/rss-0.91.dtd'>"), "Ol\u00e9", True),
    "not declared": (entry("Ol&eacute;"), "Ol\u00e9", True),
    "ampersand": (entry("R & D"), "R & D", True),
    "bare attribute": (entry("a").replace("version='2.0'", "version=2.0"), "a", True),
    "not closed": (entry("a").replace("</channel>", ""), "a", True),
    "no text known": (entry("a &file;", "<!DOCTYPE rss [<!ENTITY file SYSTEM 'file:///etc/passwd'>]>"),
                      "a &file;", False),
    "cut": (entry("R & D").replace("</channel></rss>", "<item><title>b"), "R & D", False),
    "behind the end": (entry("R & D") + "<item><title>b</title></item>", "R & D", False),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_recovered_whole_keeps_its_validators_and_nothing_else_does(daemon, origin, name):
    text, title, whole = BROKEN[name]
    origin.set("/f", body=text, type="text/xml", etag='"1"')
    d = daemon(sources({"one": origin.url("/f")}), EVERYTHING).start()
    assert [r["title"] for r in d.until_lines(1)] == [title]
    d.settled()
    error = d.source("one")["error"]
    d.refresh("one")
    again = origin.requests("/f")[-1]["headers"]
    assert (error is None, again.get("if-none-match") == '"1"') == (whole, whole), (error, again)


def rdf(uri):
    return f'<rdf:RDF xmlns:rdf="{RDF}" xmlns="{uri}"><channel><title>C</title></channel>' \
           "<item><title>a</title><link>http://x.example/a</link></item></rdf:RDF>"


def test_rdf_is_read_under_any_default_namespace(daemon, origin):
    for n, uri in enumerate(("http://my.netscape.com/rdf/simple/0.9/",
                             "http://channel.netscape.com/rdf/simple/0.9/", "http://nobody.example/9")):
        origin.set(f"/{n}", body=rdf(uri).replace("x.example", f"x{n}.example"), type="text/xml")
    d = daemon(sources({f"s{n}": origin.url(f"/{n}") for n in range(3)}), EVERYTHING).start()
    assert {r["source"] for r in d.until_lines(3)} == {"s0", "s1", "s2"}


def test_a_document_without_entries_says_what_it_has_instead(daemon, origin):
    body = "<rss version='2.0' xmlns:x='http://nobody.example/x'><channel><title>C</title>" + \
        "<x:story><x:title>a</x:title></x:story>" * 3 + "</channel></rss>"
    origin.set("/f", body=body, type="text/xml")
    d = daemon(sources({"one": origin.url("/f")}), EVERYTHING).start().settled()
    told = d.source("one")["error"]
    assert told and "3 of <x:story> in the namespace http://nobody.example/x" in told


def test_plain_text_keeps_its_lines_in_a_feed(daemon, origin):
    film = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">' \
        '<title>F</title><id>urn:f</id><entry><id>https://x.example/1</id><title>film</title>' \
        '<media:group><media:description>One\n\nTwo &lt;3</media:description></media:group></entry></feed>'
    note = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [
        {"id": "1", "url": "https://x.example/2", "title": "note", "content_text": "One\r\nTwo"}]}
    origin.set("/film", body=film, type="text/xml")
    origin.set("/note", body=json.dumps(note), type="application/json")
    d = daemon(sources({"film": origin.url("/film"), "note": origin.url("/note")}), EVERYTHING).start().settled()
    d.until(lambda: d.out("all.json").exists() and
            len(json.loads(d.out("all.json").read_text())["items"]) == 2)
    items = {i["title"]: i for i in json.loads(d.out("all.json").read_text())["items"]}
    assert items["film"]["url"] == "https://x.example/1"
    assert items["film"]["content_html"] == "One<br/>\n<br/>\nTwo &lt;3"
    assert items["note"]["content_html"] == "One<br/>\nTwo"


def test_entries_that_have_nothing_but_a_title_are_delivered_once(daemon, origin):
    text = "<rss version='2.0'><channel><title>C</title><item><title>a</title></item>" \
           "<item><title>b</title><pubDate>Fri, 27 Nov 2026 10:00:00 GMT</pubDate></item>" \
           "<item><description>c</description></item></channel></rss>"
    origin.set("/f", {"body": text, "type": "text/xml", "conditional": False},
               {"body": text.replace("<title>C<", "<title>D<"), "type": "text/xml", "conditional": False})
    d = daemon(sources({"one": origin.url("/f")}), EVERYTHING).start().settled()
    d.refresh("one")
    d.settled()
    assert d.records() == 3 and len({r["id"] for r in d.until_lines(3)}) == 3


SIZE = 8 << 20
HEAD, TAIL = b"<rss version='2.0'><channel><title>C</title>", b"</channel></rss>"
ORDINARY = b"<item><title>One</title><description>some text of it, as there is</description></item>"
# What stands once, then again and again, in a document that is not well-formed from its first line on.
COSTLY = {
    "end tags of nothing": (b"", b"<a></b></c></d>"),
    "end tags of nothing, deep inside": (b"<a>" * 1100, b"</b></c></d>"),
    "end tags beside many names": (b"".join(b"<n%d>" % n for n in range(1100)), b"</z9></z8></y7>"),
    "entries, deep inside": (b"<a>" * 1100, b"<item>"),
    "entries and end tags": (b"<a>" * 1100, b"<entry><b></c>"),
    "many attributes": (b"<q ", b"a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G H I J K L "),
    "tags with many attributes": (b"", b"<q a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G H I J K L>"),
    "ampersands": (b"", b"& "), "angles": (b"", b"<"),
    "entities": (b"", b"&abcdefghijklmnopqrstuvwxyzabcdefghijklm;"),
}


def cpu(path, text):
    """CPU seconds of `courant parse`, with those of its worker."""
    path.write_bytes(text)
    process = subprocess.Popen([program("courant"), "parse", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    used = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return used.ru_utime + used.ru_stime


def test_no_broken_document_costs_much_more_than_a_good_one_of_its_size(tmp_path):
    good = min(cpu(tmp_path / "f", HEAD + ORDINARY * (SIZE // len(ORDINARY)) + TAIL) for _ in range(3))
    for name, (once, part) in COSTLY.items():
        text = HEAD + b"</x>" + once + part * ((SIZE - len(once)) // len(part)) + TAIL
        took = min(cpu(tmp_path / "f", text) for _ in range(2))
        assert took < 4 * good, f"{name}: {took:.2f} s, a good document {good:.2f} s"
