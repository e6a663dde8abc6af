"""A letter as a browser shows it, on a phone and on a desk, light and dark: legible, never wider than the window,
and it asks nobody for anything. With LETTER_PICTURES=FOLDER the pictures are kept, to be looked at."""
import os

import pytest

from test_letters import ADA, ARCHIVE, BOB, html_of, make, record

SUMMARY = ("<p>We revisit dense retrieval and show that a linear scan, done well, beats nearest neighbour search on rare questions. "
           "An ablation over four corpora explains why; code and data are public, and the results hold for other languages.</p>")
TITLES = ["Dense retrieval revisited: why a scan is enough for rare questions", "Offline RL with pessimistic ensembles",
          "Une étude des modèles de récompense", "Word" + "without" * 40 + "end", "מאמר על למידה", "A title at sea, and a very long one that goes "
          "on about all the ways in which rerankers can be distilled without losing much of anything at all"]
CONTENT = (SUMMARY + "<h2>Results</h2><table><tr>" + "<th>A long heading</th>" * 12 + "</tr><tr>" + "<td>0.123456789</td>" * 12 + "</tr></table>"
           "<pre>" + "wide " * 60 + "\n  b</pre><ul><li>One</li><li>Two <a href='https://x.example/2'>linked</a></li></ul><blockquote><p>Quoted "
           "words</p></blockquote><p><img src='https://beacon.test/wide.png' alt='A picture' width=2000></p><p>" + "https://x.example/" + "a" * 300 + "</p>")


def letters():
    records = [record(n, title=t, summary=SUMMARY, authors=["Ada Lovelace", "Kurt Gödel", "Emmy Noether"][:n % 3 + 1],
                      counters={"votes": 40 - n, "comments": 12}, comments="https://f.example/1") for n, t in enumerate(TITLES)]
    edition = {"records": records, "sections": [["Retrieval", 3, 0], ["Offline reinforcement learning", 3, 2]], "left_out": 212,
               "archive": ARCHIVE, "recipients": [ADA, BOB], "options": "intro=Ranked by votes, from five lists.\n"}
    alone = {"kind": "records", "records": [record(1, title=TITLES[0], content=CONTENT, authors=["Ada Lovelace"], published=1741939200000)],
             "recipients": [BOB]}
    host = {"kind": "letter", "records": [], "title": "Confirm your address", "text": "Somebody, perhaps you, asked for Papers by mail.\n\n"
            "Press the button on the page to confirm.", "self": "https://papers.example.org/confirm/" + "t0k3n" * 12, "recipients": [BOB]}
    return {"edition": make(**edition)["read"][1], "record": make(**alone)["read"][0], "letter": make(**host)["read"][0]}


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_row_8_it_is_legible_as_wide_as_the_window_and_asks_for_nothing(browser, width, dark):
    pictures = os.environ.get("LETTER_PICTURES")
    for name, message in letters().items():
        seen = browser.order("letter", html=html_of(message), width=width, dark=dark,
                             picture=f"{pictures}/{name}-{width}-{'dark' if dark else 'light'}.png" if pictures else None)
        assert seen["dark"] == dark
        assert not seen["faint"] and seen["least"] >= 4.5, (name, seen["faint"])
        assert seen["grounds"] == 0
        assert seen["wide"] <= 0, name
        assert seen["small"] >= 13
        assert not seen["asked"] and not seen["hits"], name


def test_what_it_measures_can_be_seen_to_fail(browser):
    page = "<body><p style='color: #999'>faint</p><p style='opacity: .5'>faint</p><div style='width: 2000px; background: red'>wide</div>" \
           "<img src='https://beacon.test/a.png'>"
    seen = browser.order("letter", html=page, width=360)
    assert [text for text, _ in seen["faint"]] == ["faint", "faint"] and seen["wide"] > 0 and seen["grounds"] == 1 and seen["asked"]
