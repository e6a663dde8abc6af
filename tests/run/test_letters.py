"""What sink_mail makes of editions, records and letters, read by Python's email: tests/letter hands it batches."""
import email
import email.policy
import html.parser
import json
import re
import subprocess
import sys

import pytest

from courant import TREE, program
from test_maildir import INJECTIONS

sys.path.insert(0, str(TREE / "tests" / "web"))
import vectors  # noqa: E402

ADA = ["ada@example.org", "aaaaaaaaaaaaaaaaaaaaaaaaa2", "", ""]
BOB = ["bob@example.org", "aaaaaaaaaaaaaaaaaaaaaaaaa3", "https://papers.example.org/leave/k3y", "mailto:leave@example.org?subject=k3y"]
ARCHIVE = "https://papers.example.org/edition/morning/2025-03-14"
LIST = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "List-Id"]
LAST = ["Auto-Submitted", "X-Auto-Response-Suppress", "X-Courant-Delivery"]


def record(n, **more):
    digits = "abcdefghijklmnopqrstuvwxyz234567"
    return {"id": "a" * 24 + digits[n // 32 % 32] + digits[n % 32], "guid": str(n), "title": f"Title {n}",
            "link": f"https://x.example/{n}", "source": "one", **more}


def make(count=None, **batch):
    """What the sink did with a batch: done, error, log, and mails with their message read."""
    batch.setdefault("records", [record(n) for n in range(3 if count is None else count)])
    batch.setdefault("recipients", [ADA])
    done = subprocess.run([program("letter")], input=json.dumps(batch) + "\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    answer["read"] = [read(m["message"].encode("ascii")) for m in answer["mails"]]
    return answer


def read(data):
    assert max(len(line) for line in data.split(b"\r\n")) <= 78
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert not message.defects and not any(p.defects for p in message.walk())
    assert [p.get_content_type() for p in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    return message


def text_of(message):
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def html_of(message):
    return message.get_body(("html",)).get_content().replace("\r\n", "\n")


class Page(html.parser.HTMLParser):
    """Elements of a page, its links, and that they close in order."""
    VOID = {"meta", "br", "hr", "img"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.links, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name == "href" and tag == "a"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.texts.append(data)


def test_headers_of_a_subscriber_and_of_a_fixed_reader():
    a = make(recipients=[ADA, BOB], archive=ARCHIVE, title="Papers, new", sender='"Papers, daily" <papers@example.org>')
    ada, bob = a["read"]
    assert a["done"] == 3 and [m["to"] for m in a["mails"]] == ["ada@example.org", "bob@example.org"]
    assert ada.keys() == LIST + ["List-Archive"] + LAST
    assert bob.keys() == LIST + ["List-Archive", "List-Unsubscribe", "List-Unsubscribe-Post"] + LAST
    assert bob["List-Unsubscribe"] == f"<{BOB[2]}>, <{BOB[3]}>"
    assert bob["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert bob["List-Id"] == '"Papers, new" <morning.papers.example.org>' and bob["List-Archive"] == f"<{ARCHIVE}>"
    assert bob["From"].addresses[0].display_name == "Papers, daily" and bob["From"].addresses[0].addr_spec == "papers@example.org"
    assert bob["Date"].datetime.timestamp() == 1741939200
    assert bob["Message-ID"] == f"<{BOB[1]}@example.org>" and bob["X-Courant-Delivery"] == BOB[1]
    assert bob["Auto-Submitted"] == "auto-generated" and bob["X-Auto-Response-Suppress"] == "All"
    assert Page(html_of(bob)).links.count(BOB[2]) == 2 and BOB[2] in text_of(bob).splitlines()
    assert "leave" not in html_of(ada).lower() and "leave" not in text_of(ada).lower()
    without = make(recipients=[[*BOB[:2], "", BOB[3]]])["read"][0]
    assert without["List-Unsubscribe"] == f"<{BOB[3]}>" and "List-Unsubscribe-Post" not in without
    assert Page(html_of(without)).links.count(BOB[3]) == 2


def test_a_repeat_has_the_same_bytes_and_another_reader_another_boundary():
    a, b = make(recipients=[ADA, BOB]), make(recipients=[BOB, ADA])
    assert a["mails"] == b["mails"][::-1]
    assert a["read"][0].get_boundary() != a["read"][1].get_boundary()


def test_two_editions_have_two_subjects_and_no_thread():
    first, second = (make(name=name)["read"][0] for name in ("2025-03-14", "2025-03-15"))
    assert first["Subject"] == "Papers, 2025-03-14: Title 0" and second["Subject"] == "Papers, 2025-03-15: Title 0"
    assert "References" not in first and "In-Reply-To" not in first


@pytest.mark.parametrize("name, more, line", [
    ("2025-03-14", {}, "Friday, 14 March 2025"), ("2024-02-29", {}, "Thursday, 29 February 2024"),
    ("2026-W53", {}, "Week 53 of 2026"), ("2025-03", {}, "March 2025"), ("2025-13-14", {}, "2025-13-14"), ("special", {}, "special"),
    ("2025-03-14", {"from": 1741676400000, "to": 1741935600000}, "Friday, 14 March 2025, since 11 March 2025"),
    # 07:00 in Auckland is the day before in UTC
    ("2025-03-14", {"from": 1741629600000, "to": 1741888800000}, "Friday, 14 March 2025, since 11 March 2025"),
    ("2025-03-14", {"from": 1741849200000, "to": 1741935600000}, "Friday, 14 March 2025"),
])
def test_an_edition_tells_its_day(name, more, line):
    m = make(name=name, **more)["read"][0]
    assert text_of(m).splitlines()[1] == line
    assert f">{line}</p>" in html_of(m)


def test_sections_ranks_numbers_and_what_was_left_out():
    records = [record(n, authors=["Ada L. <ada@x.example>", "Bob", "C", "D", "E"][:n + 1], counters={"votes": 3 - n, "comments": n},
                      comments=f"https://f.example/{n}") for n in range(5)]
    m = make(records=records, sections=[["Retrieval", 2, 0], ["Offline RL", 3, 4]], left_out=212, archive=ARCHIVE)["read"][0]
    text, page = text_of(m), html_of(m)
    assert "\nRetrieval\n---------\n\n 1. Title 0\n    Ada L. · one · 3 votes\n    https://x.example/0\n\n 2. Title 1\n" in text
    assert "    Ada L., Bob · one · 2 votes · 1 comment\n" in text
    assert "\nOffline RL\n----------\n\n 1. Title 2\n" in text
    assert "Ada L., Bob, C, D and 1 other" in text
    assert f"\n212 more on the page:\n{ARCHIVE}\n" in text and f'<a href="{ARCHIVE}">212 more on the page</a>' in page
    assert re.findall("<h2[^>]*>(.*?)</h2>", page) == ["Retrieval", "Offline RL"]
    assert "https://f.example/1" in Page(page).links
    assert "ada@x.example" not in text + page
    alike = make(sections=[["one", 3, 0]])["read"][0]
    assert "one" not in text_of(alike).replace("\none\n---\n", "")      # the section says it


def test_ids_stand_in_the_same_order_in_both_parts():
    records = [record(n, summary=f"<p>About {n}</p>") for n in range(120)]
    m = make(records=records)["read"][0]
    wanted = [r["link"] for r in records]
    assert [line.strip() for line in text_of(m).splitlines() if "https://x.example/" in line] == wanted
    assert [u for u in Page(html_of(m)).links if "x.example" in u] == wanted


@pytest.mark.parametrize("count, images", [(200, "yes"), (200, "no"), (400, "no")])
def test_two_hundred_long_items_stay_under_80_kB_with_both_links(count, images):
    summary = "<p>" + "Ein längerer Satz über Größen und ähnliche Übel. " * 40 + "</p>"
    records = [record(n, summary=summary, title=f"{n}: " + "A long title " * 8) for n in range(count)]
    a = make(records=records, recipients=[BOB], archive=ARCHIVE, options=f"summary=600\nimages={images}\n", left_out=12)
    m, raw = a["read"][0], a["mails"][0]["message"]
    assert 70_000 < len(raw[raw.index("text/html"):]) < 80_000
    page = Page(html_of(m))
    assert page.links.count(BOB[2]) == 2
    shown = [u for u in page.links if "x.example" in u]
    assert shown == [r["link"] for r in records][:len(shown)] and len(shown) >= 200 and (len(shown) == 200) == (count == 200)
    for part in ("".join(page.texts), text_of(m)):
        assert f"{count + 12 - len(shown)} more on the page" in part
    assert [line.strip() for line in text_of(m).splitlines() if "https://x.example/" in line] == shown


def test_summaries_are_shortened_from_the_end():
    summary = "<p>" + "Ein längerer Satz über Größen und ähnliche Übel. " * 40 + "</p>"
    records = [record(n, summary=summary) for n in range(100)]
    few = make(records=records, archive=ARCHIVE, options="summary=600\n")["read"][0]
    assert len([u for u in Page(html_of(few)).links if "x.example" in u]) == 100
    lengths = [len(s) for s in re.findall(r'<p dir="auto">(Ein.*?)</p>', html_of(few))]
    assert lengths == sorted(lengths, reverse=True) and lengths[0] > 550 and 100 <= lengths[-1] <= 125


def test_an_empty_edition_says_so_and_keeps_its_links():
    m = make(0, archive=ARCHIVE, recipients=[BOB])["read"][0]
    assert m["Subject"] == "Papers, 2025-03-14" and "Nothing new this time." in text_of(m)
    assert ARCHIVE in Page(html_of(m)).links and Page(html_of(m)).links.count(BOB[2]) == 2


def test_a_letter_of_the_host_has_its_paragraphs_its_link_and_one_to_leave():
    m = make(0, kind="letter", title="Confirm your address", text="Press the button & done.\n\nIf it was not you, do nothing.",
             self="https://papers.example.org/confirm/t0k3n", recipients=[BOB])["read"][0]
    assert m["Subject"] == "Confirm your address" and m["List-Unsubscribe"]
    assert "\nPress the button & done.\n\nIf it was not you, do nothing.\n\nhttps://papers.example.org/confirm/t0k3n\n" in text_of(m)
    assert Page(html_of(m)).links == ["https://papers.example.org/confirm/t0k3n", BOB[2]]
    assert text_of(m).endswith("Send me no more letters like this:\n" + BOB[2] + "\n")


def test_a_record_alone_is_a_mail_of_its_own():
    a = make(kind="records", records=[record(1, content="<p>All of <b>it</b></p>", summary="<p>Short</p>"), record(2)], recipients=[ADA, BOB])
    assert a["done"] == 1 and len(a["mails"]) == 2      # the ids of readers are of one record
    assert a["read"][0]["Subject"] == "Title 1"
    assert "All of it" in text_of(a["read"][0]) and "<b>it</b>" in html_of(a["read"][0])
    assert Page(html_of(a["read"][1])).links.count(BOB[2]) == 2


def test_nothing_of_a_record_title_or_section_becomes_a_header():
    for text in INJECTIONS:
        a = make(records=[record(1, title=text, authors=[text], summary=text, content=text, language=text, link="https://x.example/" + text)],
                 title=text, sections=[[text, 1, 0]], recipients=[ADA, BOB], options="subject={title} {first} {source} {name}\n")
        for message, names in zip(a["read"], (LIST + LAST, LIST + ["List-Unsubscribe", "List-Unsubscribe-Post"] + LAST)):
            assert message.keys() == names
            assert not re.search(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", message["Subject"])
            assert message["List-Id"].endswith("<morning.papers.example.org>")
    # What calls the host with an address it would not take stays within its field as well.
    m = make(recipients=[["josé@example.org", "id", "", ""]])["read"][0]
    assert m.keys() == LIST + LAST and not m["To"].addresses and "josé@example.org" in str(m["To"])
    m = make(sender="a\r\nBcc: x@y.example", list_id="a>\r\nX: y", recipients=[["a\r\nb", "i\r\nd", "https://x.example/\r\na", "b\nc"]])["read"][0]
    assert m.keys() == [n for n in LIST + LAST if n != "List-Id"]


def test_no_script_is_live_whatever_the_fields_hold():
    """The fake host does not sanitise: what a letter lets through is its own work."""
    allowed = {"html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "h3", "h4", "h5", "p", "span", "a", "b", "i", "u", "s",
               "em", "strong", "small", "sub", "sup", "code", "pre", "q", "cite", "abbr", "br", "hr", "ul", "ol", "li", "dl", "dt", "dd",
               "blockquote", "img", "table", "caption", "tbody", "thead", "tfoot", "tr", "td", "th", "del", "ins", "dfn", "kbd", "samp", "var", "bdi"}
    texts = [t.replace("\0", "").replace("\1", "") for _, t in vectors.all_html()] + vectors.ADDRESSES
    assert len(texts) >= 52
    lines = []
    for text in texts:
        fields = {k: text for k in ("title", "summary", "content", "language", "image", "comments", "rights")}
        for kind in ("edition", "records"):
            lines.append(json.dumps({"kind": kind, "records": [record(1, **fields, authors=[text], link=text)], "title": text,
                                     "sections": [[text, 1, 0]], "archive": text, "recipients": [BOB], "options": "images=yes\n"}))
    done = subprocess.run([program("letter")], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    for answer, line in zip(answers, lines):
        page = Page(html_of(read(answer["mails"][0]["message"].encode("ascii"))))
        for tag, attrs in page.tags:
            assert tag in allowed, (tag, line)
            assert not any(name.startswith("on") for name in attrs), (attrs, line)
            assert set(attrs) <= {"href", "src", "alt", "style", "class", "dir", "lang", "name", "content", "charset"}, (attrs, line)
            for name in ("href", "src"):
                assert name not in attrs or re.match("(https?://|mailto:)", attrs[name], re.I), (attrs, line)


def test_long_addresses_emoji_and_languages_survive():
    url = "https://x.example/?q=" + "a=." * 1660
    m = make(records=[record(1, title="Sea 🌊👩‍🚀 of Größen " + "é" * 100, link=url, language="de"), record(2, language="de")])["read"][0]
    assert m["Subject"] == "Papers, 2025-03-14: Sea 🌊👩‍🚀 of Größen " + "é" * 100
    assert url in [line.strip() for line in text_of(m).splitlines()] and url in Page(html_of(m)).links
    assert dict(Page(html_of(m)).tags[0][1])["lang"] == "de"
    assert make(records=[record(1, language="de"), record(2)])["read"][0].get_body(("html",)).get_content().count('lang="de"') == 1
    long = make(records=[record(1, title="w" * 16000)])["read"][0]
    assert len(long["Subject"]) <= 201 and long["Subject"].endswith("…")
    assert "w" * 401 not in text_of(long) + html_of(long) and "w" * 400 + "…" in text_of(long)


def test_lines_that_servers_and_mailboxes_change_are_escaped():
    content = "<pre>From here\n.\n..\n trailing  \n=20\n-- \n</pre>"
    a = make(kind="records", records=[record(1, content=content)])
    raw = a["mails"][0]["message"].split("\r\n")
    assert not any(line.startswith((".", "From ")) or line.endswith((" ", "\t")) for line in raw)
    for line in ("From here", ".", "..", " trailing  ", "=20", "-- "):
        assert line in text_of(a["read"][0]).split("\n"), line


def test_readers_get_the_same_letter_but_for_their_links():
    records = [record(n, summary="<p>" + "word " * 100 + "</p>") for n in range(200)]
    a = make(records=records, recipients=[[f"r{n}@example.org", f"id{n}", f"https://x.example/leave/{n}", ""] for n in range(32)])
    assert len(a["mails"]) == 32
    assert len({html_of(m).replace(f'/leave/{n}"', '/leave/"') for n, m in enumerate(a["read"])}) == 1
