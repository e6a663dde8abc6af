"""Sink maildir: each record as a mail, read by Python's email, through the daemon; what a kill repeats."""
import email
import email.policy
import html
import re
import sys

import pytest

from courant import TREE, numbered, rss

sys.path.insert(0, str(TREE / "tests" / "web"))
import vectors  # noqa: E402

HEADERS = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "List-Id", "Auto-Submitted",
           "X-Auto-Response-Suppress", "X-Courant-Delivery"]


def letters(d, path="box", folders=("new", "cur")):
    return [p for f in folders for p in sorted((d.out(path) / f).glob("*"))]


def read(path):
    data = path.read_bytes()
    assert not re.search(rb"[^\r]\n|\r[^\n]|[\0\x80-\xff]", data), path
    assert max(map(len, data.split(b"\r\n"))) <= 998
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert not message.defects and not any(p.defects for p in message.walk()), path
    return message


def parts(message):
    return [message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html")]


@pytest.fixture
def mailing(daemon, origin):
    """A daemon with one feed of these entries, whose route ends in a maildir."""
    def make(entries, start=True, count=None, more="", **options):
        origin.put("f.xml", entries if isinstance(entries, bytes) else rss(entries, more=more))
        d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                   {"all": {"title": "All news", "from": ["*"],
                            "to": {"maildir": {"folder": "box", "to": "ada@example.org", **options}}}})
        if start:
            d.start()
            until(d, len(entries) if count is None else count)
        return d
    return make


def until(d, count):
    d.until(lambda: len(letters(d)) >= count, 30, f"{count} letters")
    d.settled()
    assert len(letters(d)) == count


def item(title="T", link="https://x.example/1", guid="g1", more=""):
    """An entry whose texts stand as they are, in CDATA where that can be."""
    def cdata(s):
        return "<![CDATA[" + s.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    return (f"<item><guid isPermaLink='false'>{html.escape(guid)}</guid><title>{cdata(title)}</title><link>{cdata(link)}</link>"
            f"{more}<pubDate>Thu, 26 Nov 2015 10:00:00 GMT</pubDate></item>")


def test_each_record_is_a_mail_with_these_headers_in_this_order(mailing):
    d = mailing(numbered(1, 5))
    assert not letters(d, folders=("tmp",))
    for path in letters(d):
        m = read(path)
        assert m.keys() == HEADERS
        assert m["To"] == "ada@example.org" and m["From"] == "Courant <courant@localhost>"
        assert m["List-Id"] == "all <all.localhost>"
        record = m["X-Courant-Delivery"]
        assert m["Message-ID"] == f"<{record}@localhost>" and re.fullmatch("[a-z2-7]{26}", record)
        assert path.name == f"{int(m['Date'].datetime.timestamp())}.{record}.courant"
        text, page = parts(m)
        assert m["Subject"] in text and m["Subject"] in page
        assert re.search(r"https://\S+", text).group() in page
    assert len({read(p)["Subject"] for p in letters(d)}) == 5


def test_options_give_sender_subject_intro_and_length(mailing):
    d = mailing([item("Grüße 🌊", more=f"<description>{'word ' * 200}</description>")], subject="[{route}] {first} ({source}, {n})",
                intro="Good morning.", summary=50, **{"from": "Päpers <papers@example.org>"})
    m = read(letters(d)[0])
    assert m["Subject"] == "[all] Grüße 🌊 (one, 1)"
    assert m["From"] == "Päpers <papers@example.org>" and m["Message-ID"].endswith("@example.org>")
    assert m["List-Id"].startswith("all <all.example.org>")
    for part in parts(m):
        assert "Good morning." in part
        assert 5 < part.count("word ") < 12 and "…" in part


@pytest.mark.parametrize("options, said", [
    ({"to": "ada"}, "to: "), ({"to": "a@b@c"}, "to: "), ({"to": "a@b\r\nBcc: x@y.example"}, "to: "), ({"from": "x"}, "from: "),
    ({"subject": "{titel}"}, r"subject: \{titel\} is none of \{title\}"), ({"subject": "{first"}, "subject: "),
    ({"folder": "/etc/box"}, "folder: "), ({"folder": "../box"}, "folder: "), ({"summary": 6000}, "summary: "),
])
def test_wrong_options_are_refused_with_their_line(daemon, options, said):
    d = daemon({}, {"all": {"from": ["*"], "to": {"maildir": {"folder": "box", "to": "ada@example.org", **options}}}})
    code, answer = d.run("-n")
    assert code == 1
    assert re.search(rf"courant\.yaml:\d+: .*{said}", answer), answer


# What would end a header, begin another, end the header or the message, in a title, a name, an address.
INJECTIONS = [
    "a\nBcc: x@y.example", "a\r\nBcc: x@y.example", "a\rBcc: x@y.example", "a\n\nbody", "a\r\n\r\nbody", "a\n.\nMAIL FROM:<x>",
    "a\r\n.\r\nQUIT\r\n", "a\n bcc: x", "a\n\tbcc: x", "a\x0bBcc: x", "a\x0cBcc: x", "a\x1cBcc: x", "a\x1dBcc: x", "a\x1eBcc: x",
    "a\x85Bcc: x", "a\u2028Bcc: x", "a\u2029Bcc: x", "=?utf-8?q?a=0ABcc:_x?=", "=?utf-8?b?YQpCY2M6IHg=?=", "a =?utf-8?q?=0D=0ABcc:_x?= b",
    "a%0ABcc: x", "a&#10;Bcc: x", "a&#13;&#10;Bcc: x", "a" * 2000 + "\nBcc: x", "é" * 500 + "\nBcc: x", "\nBcc: x", "Bcc: x\n",
    '"a" <x@y.example>\nBcc: x', "--=_x--\r\nContent-Type: text/html\r\n\r\n<script>", "From x@y.example\nBcc: x",
]


def test_nothing_in_a_record_becomes_a_header_or_a_second_message(mailing):
    assert len(INJECTIONS) == 30
    entries = [item(text, guid=f"g{n}", link=f"https://x.example/{n}", more=f"<author>{html.escape(legal(text))} (Name)</author>"
                    f"<description>{html.escape(legal(text))}</description>")
               for n, text in enumerate(map(legal, INJECTIONS))]
    d = mailing(entries)
    for path in letters(d):
        m = read(path)
        assert m.keys() == HEADERS
        assert [p.get_content_type() for p in m.walk()] == ["multipart/alternative", "text/plain", "text/html"]
        assert len(m["Subject"].splitlines()) <= 1
        assert "x@y.example" not in str(m["To"]) + str(m["From"])


def legal(text):
    """Without what XML forbids, for which a reference stands in feeds that hold it all the same."""
    return re.sub("[\x0b\x0c\x1c-\x1e]", " ", text)


def test_no_script_is_left_in_any_field(mailing):
    chosen = [text for kind in vectors.HTML for text in vectors.HTML[kind][:5]][:52]
    assert len(chosen) == 52
    entries = []
    for n, text in enumerate(map(legal, chosen)):
        safe = html.escape(text.replace("\0", "").replace("\1", ""))
        entries.append(f"<item><guid isPermaLink='false'>{safe}</guid><title>{safe}</title><link>https://x.example/{n}?{safe}</link>"
                       f"<category>{safe}</category><author>{safe}</author><description>{safe}</description><content:encoded "
                       f"xmlns:content='http://purl.org/rss/1.0/modules/content/'>{safe}</content:encoded><comments>{safe}</comments></item>")
    d = mailing(entries, images=True)
    for path in letters(d):
        page = parts(read(path))[1]
        for tag in re.findall(r"<[^>]*>", page):
            name = re.match(r"</?([a-z0-9]+|!DOCTYPE html)", tag)
            assert name and name.group(1) not in ("script", "iframe", "object", "embed", "svg", "math", "form", "input", "base",
                                                  "link", "video", "audio", "template"), tag
            assert not re.search(r"\son\w+\s*=|javascript:|data:", re.sub(r'(?:href|src|alt)="https?:[^"]*"|alt="[^"]*"', "", tag)), tag
            for value in re.findall(r'(?:href|src)="([^"]*)"', tag):
                assert re.match("https?://|mailto:", value), tag


def test_a_long_address_and_long_lines_survive(mailing):
    url = "https://x.example/" + "".join(chr(97 + n * 7 % 26) for n in range(4980)) + "=="
    d = mailing([item("Long " + "w" * 3000, link=url, more=f"<description>{html.escape('<p>' + 'x' * 5000 + '</p>')}</description>")])
    m = read(letters(d)[0])
    assert max(map(len, letters(d)[0].read_bytes().split(b"\r\n"))) <= 76 + 2
    text, page = parts(m)
    assert url in text.splitlines()
    assert f'href="{url}"' in page
    assert "x" * 5000 in text


def test_text_part_reads_as_the_html_does(mailing):
    content = ("<h2>Heading</h2><p>One <a href='https://a.example/?x=1&amp;y=2'>first link</a> and <b>bold</b>.</p><ul><li>Apples</li>"
               "<li>Pears, <i>ripe</i></li></ul><ol><li>First<ul><li>in it</li></ul></li><li>Second</li></ol><table><tr><th>a</th><th>b</th></tr><tr>"
               "<td>1</td><td>2</td></tr></table><blockquote><p>Quoted</p></blockquote><pre>  a = 1\n  b</pre><p>Last &lt;tag&gt; &#233;</p>"
               "<p><img src='https://i.example/p.png' alt='a picture'></p>")
    d = mailing([item("T", more=f"<description>{html.escape(content)}</description>")])
    text, page = parts(read(letters(d)[0]))
    for wanted in ("\nHeading\n\nOne first link [1] and bold.\n", "\n- Apples\n- Pears, ripe\n",
                   "\n 1. First\n    - in it\n 2. Second\n", "\na | b\n1 | 2\n", "\n> Quoted\n", "\n  a = 1\n  b\n",
                   "\nLast <tag> é\n", "\n[1] https://a.example/?x=1&y=2\n"):
        assert wanted in text, (wanted, text)
    assert "<img" not in page and "a picture" in page
    assert 'href="https://a.example/?x=1&amp;y=2"' in page


def test_a_large_record_stays_under_what_clients_clip(mailing):
    d = mailing([item("T", more=f"<description>{'<![CDATA[' + '<p>' + 'A sentence of some words. ' * 8000 + '</p>]]>'}</description>")])
    raw = letters(d)[0].read_bytes()
    m = read(letters(d)[0])
    assert len(raw.split(b"text/html")[1]) < 80_000
    assert "Read on" in parts(m)[0] and "Read on" in parts(m)[1]


def test_killed_and_started_again_each_letter_is_there_once_with_the_same_bytes(mailing):
    d = mailing(numbered(1, 40), start=False)
    for n in range(6):
        d.start()
        d.until(lambda: len(letters(d)) > n * 4, 30, "some letters")
        before = {p.name: p.read_bytes() for p in letters(d)}
        d.kill()
        after = {p.name: p.read_bytes() for p in letters(d)}
        assert all(after[name] == data for name, data in before.items())
    d.start()
    until(d, 40)
    after = {p.name: p.read_bytes() for p in letters(d)}
    assert all(after[name] == data for name, data in before.items())
    assert len({read(p)["Message-ID"] for p in letters(d)}) == 40


def test_a_letter_that_was_read_does_not_come_again(mailing):
    d = mailing(numbered(1, 3))
    for path in letters(d, folders=("new",)):
        path.rename(path.parent.parent / "cur" / (path.name + ":2,S"))
    before = len(d.log())
    d.courant("replay", "all/maildir", "--since", "1970-01-01", "--again")
    d.until(lambda: d.log()[before:].count("is in cur already") == 3, 30, "three that were read")
    assert len(letters(d)) == 3 and not letters(d, folders=("new",))


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(mailing):
    d = mailing(numbered(1, 3), start=False)
    d.out("box").parent.mkdir(parents=True, exist_ok=True)
    d.out("box").write_text("a file")
    d.own(d.state)
    d.start()
    d.until(lambda: "box: " in (d.route("all")["sinks"][0]["reason"] or ""), 20, "the reason")
    d.out("box").unlink()
    until(d, 3)


def test_two_routes_write_into_one_folder_and_the_check_finds_it_fine(mailing):
    d = mailing(numbered(1, 3))
    d.routes["more"] = {"from": ["*"], "to": {"maildir": {"folder": "box", "to": "ada@example.org"}}}
    d.write()
    assert d.run("-n")[0] == 0
    d.courant("reload")
    d.settled()
    assert len(letters(d)) == 3         # a delivery's id is the record's: one letter, whichever route
    assert {read(p)["List-Id"] for p in letters(d)} <= {"more <more.localhost>", "all <all.localhost>"}


def test_formulas_in_titles_are_shown(mailing):
    d = mailing([item("Bounds of $x_i^2$ by Erd\\H{o}s", more="<author>m@x.example (M\\\"uller)</author>")])
    m = read(letters(d)[0])
    assert m["Subject"] == "Bounds of xᵢ² by Erdős"
    text, page = parts(m)
    assert "Bounds of xᵢ² by Erdős" in text and "Müller" in text
    assert "x<sub>i</sub><sup>2</sup>" in page


def test_an_edition_is_one_letter_and_stays_the_same(daemon, origin):
    origin.put("f.xml", rss(numbered(1, 4)))
    origin.put("g.xml", rss(numbered(101, 103, "m")))
    d = daemon({name: {"plugin": "feed", "url": origin.url(f"/{name}.xml"), "every": "1 h"} for name in "fg"},
               {"all": {"title": "Morning", "from": ["f", "g"], "edition": {"every": "day", "at": "07:00", "tz": "Europe/Paris", "top": 5,
                                                                          "order": "published", "group": "source"},
                        "to": {"maildir": {"folder": "box", "to": "ada@example.org", "intro": "Good morning."}}}}).start()
    d.until(lambda: d.status()["counts"]["records"] == 7, 20, "all records")
    d.settled()
    assert not letters(d)
    d.courant("editions", "all", "--seal")
    until(d, 1)
    m = read(letters(d)[0])
    text, page = parts(m)
    assert re.fullmatch(r"Morning, \d{4}-\d\d-\d\d: .+", m["Subject"]) and m["List-Id"] == "Morning <all.localhost>"
    assert re.search(r"^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d+ \w+ \d{4}$", text, re.M)
    assert "Good morning." in text and "Good morning." in page
    links = re.findall(r"^ +(https://\S+)$", text, re.M)
    assert 5 <= len(links) <= 8 and re.findall(r'<h3 dir="auto"><span class="n">\d+</span> <a href="([^"]*)"', page) == links
    assert sorted(re.findall("<h2[^>]*>(.*?)</h2>", page)) == ["f", "g"]
    before = letters(d)[0].read_bytes()
    assert d.stop() == 0
    d.start()
    d.settled()
    assert [p.read_bytes() for p in letters(d)] == [before]
