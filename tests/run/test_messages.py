"""What a mail server gets of records and editions, from the daemon, by rows of the specification: a server without
SMTPUTF8 that refuses a bare CR or LF. And the sink of the manual's example."""
import html
import re
import subprocess
import sys

import pytest
from courant import TREE, rss
from smtpd import Smtpd
from test_mail import parsed
from test_maildir import INJECTIONS, item, legal, parts
from test_subscriber_mail import enter, mails, papers, server  # noqa: F401

sys.path.insert(0, str(TREE / "tests" / "web"))
import vectors  # noqa: E402

HEADERS = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "List-Id", "Auto-Submitted",
           "X-Auto-Response-Suppress", "X-Courant-Delivery"]


@pytest.fixture
def sent(daemon, origin):
    """The mails of a feed with these entries, read by Python's email, in the order of the feed."""
    opened = []

    def make(entries, count=None, conf=(), **sink):
        with Smtpd(utf8=False) as server:  # noqa: F811
            origin.put("f.xml", rss(entries))
            d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                       {"all": {"title": "All news", "from": ["*"], "to": {
                           "mail": {"to": ["ada@example.org"], "backlog": "all"} | sink}}},
                       {"mail": {"server": server.url, "from": "Papers <papers@example.org>"}} | dict(conf))
            d.start()
            count = len(entries) if count is None else count
            d.until(lambda: len(server.messages) >= count, 60, f"{count} mails")
            d.settled()
            assert len(server.messages) == count and not server.refused
            assert d.route("all")["sinks"][0]["dead"] == 0
            made = [parsed(m) for m in server.messages]
            for m, data in zip(made, server.messages):
                assert not m.defects and not any(p.defects for p in m.walk())
                assert not re.search(rb"[^\r]\n|\r[^\n]|[\0\x80-\xff]", data.data)
                assert max(map(len, data.data.split(b"\r\n"))) <= 78
            opened.append(server)
            return made
    return make


def test_row_1_dots_and_bare_line_ends(sent):
    texts = ["a\n.\nb", "a\r.\rb", "a\r\n.\r\nb", ".", "..", ".a\n..b", "a\0b", "a\x0bb"]
    made = sent([item(legal(t), guid=f"g{n}", link=f"https://x.example/{n}", more="<description>" + html.escape(
        "<pre>" + legal(t).replace("\0", "") + "</pre>") + "</description>") for n, t in enumerate(t.replace("\0", "") for t in texts)])
    for m in made:
        (n,) = re.findall(r"https://x.example/(\d)", parts(m)[0])
        want = legal(texts[int(n)].replace("\0", "")).replace("\r\n", "\n").replace("\r", "\n")
        for line in want.split("\n"):
            assert line.strip() in parts(m)[0], (n, line)


def test_row_2_thirty_injections_are_thirty_messages(sent):
    made = sent([item(legal(text), guid=f"g{n}", link=f"https://x.example/{n}", more=f"<author>{html.escape(legal(text))} (Name)</author>")
                 for n, text in enumerate(INJECTIONS)])
    assert len(made) == 30
    for m in made:
        assert m.keys() == HEADERS and len(m["Subject"].splitlines()) <= 1
        assert m["To"] == "ada@example.org" and m["From"] == "Papers <papers@example.org>"


def test_row_3_a_long_address_survives(sent):
    url = "https://x.example/" + "".join(chr(97 + n * 7 % 26) for n in range(4980)) + "=="
    (m,) = sent([item("Long", link=url)])
    assert url in parts(m)[0].splitlines() and f'href="{url}"' in parts(m)[1]


def test_row_4_an_author_is_in_no_header(sent):
    (m,) = sent([item("T", more="<author>x@paypal.com (Pay Pal)</author>")])
    assert "paypal" not in " ".join(f"{k}: {v}" for k, v in m.items()).lower() and "Pay Pal" in parts(m)[0]


def test_row_5_a_title_beyond_ascii_needs_no_smtputf8(sent):
    (m,) = sent([item("🎉 Ünïcode für alle")])
    assert m["Subject"] == "🎉 Ünïcode für alle"


@pytest.mark.parametrize("count", [200, 600])
def test_row_7_hundreds_of_long_items_are_not_clipped(papers, origin, server, count):  # noqa: F811
    d = papers(votes=list(range(count)), text="w" + "ord " * 400, summary=5000)
    enter(d, ["ada@example.org"])
    d.clock.until(2025, 3, 11, 7, 0)
    (m,) = mails(d, server, 1)
    page = parsed(m).get_body(("html",))
    assert 60_000 < len(page.get_payload()) < 80_000
    assert page.get_content().count("/leave/") == 2 and "Leave this list" in page.get_content()
    shown = len(re.findall("<h3", page.get_content()))
    left = re.findall(r"(\d+) more were left out", page.get_content())
    assert shown + sum(map(int, left)) == count and bool(left) == (count > 400)


def test_row_9_both_parts_have_the_same_items_in_order(papers, origin, server):  # noqa: F811
    d = papers(votes=[3, 9, 5, 7, 1])
    enter(d, ["ada@example.org"])
    d.clock.until(2025, 3, 11, 7, 0)
    (m,) = mails(d, server, 1)
    text, page = parts(parsed(m))
    links = re.findall(r"^ *(https://x\.example/\S+)$", text, re.M)
    assert len(links) == 5 and links == list(dict.fromkeys(re.findall(r'href="(https://x\.example/[^"]+)"', page)))


def test_row_10_nobody_s_program_answers(sent):
    (m,) = sent([item("T")])
    assert m["Auto-Submitted"] == "auto-generated" and m["X-Auto-Response-Suppress"] == "All"
    assert m["List-Id"].endswith(">") and m["Precedence"] is None


def test_row_11_two_editions_are_two_subjects(papers, origin, server):  # noqa: F811
    from test_mail import paper
    from test_face import poll
    d = papers(votes=[3])
    enter(d, ["ada@example.org"])
    d.clock.until(2025, 3, 11, 7, 0)
    mails(d, server, 1)
    poll(d, origin, "a", paper(origin, [3, 4]))
    d.clock.until(2025, 3, 12, 7, 0)
    one, two = map(parsed, mails(d, server, 2))
    assert one["Subject"] != two["Subject"] and "2025-03-12" in two["Subject"]
    assert one["Message-ID"] != two["Message-ID"]
    assert two["References"] is None and two["In-Reply-To"] is None


def test_no_script_in_any_field_is_live_in_a_mail(sent):
    chosen = [text for kind in vectors.HTML for text in vectors.HTML[kind][:5]][:52]
    entries = []
    for n, text in enumerate(map(legal, chosen)):
        safe = html.escape(text.replace("\0", "").replace("\1", ""))
        entries.append(f"<item><guid isPermaLink='false'>{n}</guid><title>{safe}</title><link>https://x.example/{n}?{safe}</link>"
                       f"<author>{safe}</author><description>{safe}</description></item>")
    for m in sent(entries, images=True):
        for tag in re.findall(r"<[^>]*>", parts(m)[1]):
            assert not re.match(r"</?(script|iframe|object|embed|svg|math|form|input|base|link|video|audio)\b", tag), tag
            assert not re.search(r"\son\w+\s*=|javascript:|data:", re.sub(r'(?:href|src|alt)="https?:[^"]*"|alt="[^"]*"', "", tag)), tag


def test_the_sink_of_the_manual_s_example(daemon, origin):
    page = (TREE / "core/worker/courant-plugin.7").read_text()
    section = page[page.index(".Ss Editions and mail"):page.index(".Ss Sandbox")]
    code = section[section.index(".Bd -literal"):section.index(".Ed")].split("\n", 1)[1].replace("\\e", "\\")
    with Smtpd() as server:  # noqa: F811
        origin.put("f.xml", rss([item("One", link="https://x.example/1")]))
        d = daemon({"one": {"plugin": "feed", "url": origin.url("/f.xml"), "every": "1 h"}},
                   {"all": {"from": ["*"], "to": {"links": {"to": ["ada@example.org", "ben@example.org"], "backlog": "all"}}}},
                   {"mail": {"server": server.url, "from": "papers@example.org"}})
        where = d.folder / "own"
        where.mkdir()
        (where / "sink_links.c").write_text(code)
        subprocess.run(["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", TREE / "include",
                        where / "sink_links.c", "-o", where / "sink_links.so"], check=True)
        (where / "sink_links.so").chmod(0o644)
        d.settings["plugins"] = [str(where)]
        d.settings["allow"] = ["sink_links"]
        d.write()
        d.start()
        d.until(lambda: len(server.messages) == 2, 20, "two mails")
        for m in map(parsed, server.messages):
            assert m["Subject"] == "1 links" and "https://x.example/1" in m.get_content()
