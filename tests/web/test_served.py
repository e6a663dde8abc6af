"""Pages of editions and of subscribers in a browser, on a phone and on a desk, light and dark: legible, never wider
than the window, asking nobody else for anything; and the way of a reader through them. With
PAGE_PICTURES=FOLDER the pictures are kept, to be looked at."""
import os

import pytest
from smtpd import Smtpd
from test_letter import SUMMARY, TITLES
from test_subscriber_mail import leave_path, links, mails, papers, server, text_of  # noqa: F401
from test_subscribers import states


def entries(origin, d):
    """Records of many kinds, in the source that the daemon reads."""
    import json
    origin.put("a.json", json.dumps([
        {"id": f"i-{n}", "title": t, "url": f"https://x.example/{n}", "text": SUMMARY, "who": "Ada Lovelace", "votes": n}
        for n, t in enumerate(TITLES * 3)]).encode())
    d.refresh("a")
    d.until(lambda: d.records() >= len(TITLES), 20, "they are stored")


@pytest.fixture
def visit(browser):
    def go(d, path, name=None, **more):
        address = "http://{}:{}".format(*d.address())
        pictures = os.environ.get("PAGE_PICTURES")
        shot = f"{pictures}/{name}-{more.get('width', 1200)}-{'dark' if more.get('dark') else 'light'}.png"
        return browser.order("visit", url=address + path, allowed=[address + "/style.css", address + "/favicon.ico"],
                             picture=shot if pictures and name else None, **more)
    return go


@pytest.fixture
def paged(papers, origin, server):  # noqa: F811
    """A daemon with two editions, an archive, and a reader who was asked to confirm; the paths of its pages."""
    d = papers(votes=())
    d.routes["morning"]["to"].append({"feed": {"path": "morning", "keep": 5}})
    d.write()
    d.courant("reload")
    entries(origin, d)
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: d.http("/edition/morning/2025-03-11").status == 200, 20, "there is an edition")
    from test_subscribers import ask
    ask(d, "ada@example.org")
    letter = mails(d, server, 1)[0]
    (confirm,) = [p for p in links(letter) if p.startswith("/confirm/")]
    return d, {"editions": "/edition/morning", "edition": "/edition/morning/2025-03-11", "subscribe": "/subscribe/morning",
               "confirm": confirm, "leave": leave_path(letter)}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_are_legible_as_wide_as_the_window_and_ask_for_nothing(paged, visit, dark):
    d, paths = paged
    for width in (360, 1200):
        for name, path in paths.items():
            seen = visit(d, path, name, width=width, dark=dark)
            assert seen["status"] in (200, 304) and seen["dark"] == dark, name
            assert not seen["faint"] and seen["least"] >= 4.5, (name, seen["faint"])
            assert seen["wide"] <= 0, (name, width)
            assert seen["small"] is None or seen["small"] >= 13, name    # None: no paragraph
            assert not seen["asked"] and not seen["hits"], name


def test_a_reader_s_way_by_browser(paged, server, visit):  # noqa: F811
    d, paths = paged
    seen = visit(d, paths["subscribe"], fill={"address": "eve@example.org"}, press=True)
    assert "Look into your mailbox" in seen["then"] and states(d)["eve@example.org"] == "pending"
    letter = mails(d, server, 1, "eve@example.org")[0]
    (confirm,) = [p for p in links(letter) if p.startswith("/confirm/")]
    seen = visit(d, confirm, press=True)
    assert "You are subscribed" in seen["then"] and states(d)["eve@example.org"] == "active"
    seen = visit(d, leave_path(letter), press=True)
    assert "You get no more mail" in seen["then"] and states(d)["eve@example.org"] == "left"
    seen = visit(d, paths["edition"])
    assert "11 March 2025" in seen["text"] and seen["title"] == "Papers, 2025-03-11"
