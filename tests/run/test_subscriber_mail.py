"""Subscribers and their mail, by HTTP and SMTP: they ask, confirm, receive, leave; what the server's replies do to
them. The wall clock is the test's."""
import contextlib
import datetime
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.parse

import pytest
from courant import program
from smtpd import CLOSE, Reply, Smtpd
from test_editions import PARIS, Clock
from test_face import api, poll
from test_mail import paper, parsed, rows, server  # noqa: F401
from test_trouble import rounds
from test_subscribers import ask, bounce, later, letters, post, show, states, subscribers

BASE = "https://papers.example.org"
DAILY = {"every": "day", "at": "07:00", "tz": "Europe/Paris", "order": "votes"}
ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
def papers(daemon, origin, server, monkeypatch):
    """A daemon whose route mails an edition a day to its subscribers."""
    def make(votes=(3, 9), server=server, mail=(), serve=(), edition=DAILY, text="", **sink):
        entries = [e | {"text": text, "url": f"https://x.example/{e['id']}"} for e in paper(origin, votes)]
        d = daemon({"a": api(origin, "a", entries, counters={"votes": "votes"})},
                   {"morning": {"title": "Papers", "from": ["*"], "to": [{"mail": {"subscribe": True} | sink}]} |
                    ({"edition": edition} if edition else {})},
                   {"serve": {"listen": "127.0.0.1:0", "base": BASE} | dict(serve),
                    "mail": {"server": server.url, "from": "Papers <papers@example.org>",
                             "hello": "papers.example.org"} | dict(mail)})
        d.clock = Clock(d, monkeypatch)
        d.clock.settles = False
        d.clock.set(datetime.datetime(2025, 3, 10, 12, 0, tzinfo=PARIS))
        d.start(wait=False)
        d.until(d.ready)
        d.refresh("a")
        return d
    return make


def sink(d):
    return d.route("morning")["sinks"][0]


def mails(d, server, count, to=None):
    """So many messages, once they are there (to: of that reader)."""
    def got():
        return server.to(to) if to else server.messages
    d.until(lambda: len(got()) >= count, 30, f"{count} mails")
    assert len(got()) == count
    return got()


def text_of(m):
    return parsed(m).get_body(("plain",)).get_content()


def links(m):
    """All links of a mail to pages of the daemon: in its headers and in both parts."""
    read = parsed(m)
    found = " ".join([str(read["List-Unsubscribe"]), text_of(m), read.get_body(("html",)).get_content()])
    return sorted(set(re.findall(BASE + r"(/[^\s<>\"]+)", found)))


def leave_path(m):
    found = re.search(r"<" + BASE + r"(/leave/[a-z2-7]{26})>", parsed(m)["List-Unsubscribe"])
    return found.group(1)


def join(d, server, address):
    """The whole way of a reader: the form, the letter, the button. Returns the letter."""
    wire = address.replace("Example", "example")
    before = len(server.to(wire))
    assert ask(d, address).status == 200
    letter = mails(d, server, before + 1, wire)[-1]
    (link,) = [p for p in links(letter) if p.startswith("/confirm/")]
    assert post(d, link).status == 200
    return letter


def enter(d, addresses):
    """Subscribers by the operator's word."""
    table = "".join(a + "\n" for a in addresses).encode()
    assert subscribers(d, "import", "-", "--confirmed", given=table)["added"] == len(addresses)


def next_edition(d, origin, day, votes):
    poll(d, origin, "a", paper(origin, votes))
    d.clock.until(2025, 3, day, 7, 0)


def is_done(d):
    return sink(d)["delivered"] == 1 and sink(d)["retry"] == 0


def test_subscribe_confirm_receive_leave(papers, origin, server):
    d = papers()
    letter = join(d, server, "Ada@Example.org")
    read = parsed(letter)
    assert read["To"] == "Ada@Example.org" and read["Subject"] == "Papers: please confirm your subscription"
    assert "press the button" in text_of(letter) and "Papers" in text_of(letter)
    assert read["List-Unsubscribe-Post"] == ONE_CLICK
    d.clock.until(2025, 3, 11, 7, 0)
    _, mail = mails(d, server, 2)
    read = parsed(mail)
    assert "2025-03-11" in read["Subject"] and re.findall("number (.)", text_of(mail)) == ["1", "0"]
    names = [k for k in read.keys()]
    assert names == ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "List-Id",
                     "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "X-Auto-Response-Suppress",
                     "X-Courant-Delivery"]
    assert text_of(mail).count(BASE + leave_path(mail)) == 1
    assert read.get_body(("html",)).get_content().count(BASE + leave_path(mail)) == 2, "at the top and at the end"
    answer = post(d, leave_path(mail), ONE_CLICK)
    assert answer.status == 200 and "set-cookie" not in answer.headers
    next_edition(d, origin, 12, [3, 9, 5])
    d.until(lambda: sink(d)["delivered"] == 2, 20, "the next edition has nobody to go to")
    assert len(server.messages) == 2 and states(d) == {"Ada@Example.org": "left"}


def test_row_33_no_link_of_any_mail_acts_by_get(papers, server):
    d = papers()
    letter = join(d, server, "ada@example.org")
    ask(d, "ben@example.org")
    mails(d, server, 1, "ben@example.org")
    later(d, hours=25)
    d.clock.until(2025, 3, 12, 7, 0)
    mails(d, server, 2, "ada@example.org")
    ask(d, "ada@example.org")
    told = mails(d, server, 3, "ada@example.org")[-1]
    assert parsed(told)["Subject"] == "Papers: you are subscribed already"
    before = rows(d, "SELECT id, state, confirm, leave FROM subscriber")
    paths = [p for m in server.messages for p in links(m)]
    assert len(paths) >= 6 and set(links(letter)) < set(paths)
    for path in paths:
        assert d.http(path).status == 200 and d.http(path, "HEAD").status == 200
    assert rows(d, "SELECT id, state, confirm, leave FROM subscriber") == before


def test_row_36_the_letter_s_leave_link_blocks_the_address(papers, server):
    d = papers()
    ask(d, "ada@example.org")
    (letter,) = mails(d, server, 1)
    assert post(d, leave_path(letter), ONE_CLICK).status == 200
    later(d, days=2)
    ask(d, "ada@example.org")
    enter(d, ["ben@example.org"])
    later(d, days=2)
    d.clock.until(2025, 3, 15, 7, 0)
    mails(d, server, 1, "ben@example.org")
    assert len(server.to("ada@example.org")) == 1 and states(d)["ada@example.org"] == "blocked"


def test_nothing_of_the_visitor_s_is_in_a_letter(papers, server):
    d = papers()
    ask(d, "ada@example.org", name="Buy now http://spam.example", subject="x", headers={"User-Agent": "Buy now"})
    (letter,) = mails(d, server, 1)
    assert b"Buy" not in letter.data and b"spam" not in letter.data


def test_a_letter_is_sent_again_as_the_replies_say(papers, server):
    d = papers()
    server.say("RCPT", "450 4.7.1 greylisted", to="ada@example.org", times=1)
    server.say("dot", CLOSE, to="ben@example.org", times=1)
    server.say("RCPT", "550 5.1.1 <cyd@example.org>: no such user", to="cyd@example.org")
    server.say("RCPT", "554 5.7.1 policy", to="dan@example.org")
    for name in ("ada", "ben", "cyd", "dan"):
        ask(d, f"{name}@example.org")
    d.until(lambda: rows(d, "SELECT count(*) FROM letter WHERE reply IS NOT NULL") == [(4,)], 20, "all answered")
    assert letters(d, "ada@example.org") == letters(d, "ben@example.org") == [("confirm", "due")]
    assert letters(d, "cyd@example.org") == letters(d, "dan@example.org") == [("confirm", "dropped")]
    assert states(d) == {"ada@example.org": "pending", "ben@example.org": "pending", "cyd@example.org": "bounced",
                         "dan@example.org": "pending"}
    assert not server.messages
    d.kill()
    d.start()
    later(d, minutes=5, seconds=1)
    d.courant("resume", "morning")
    mails(d, server, 1, "ada@example.org")
    mails(d, server, 1, "ben@example.org")
    assert server.refused[0].data == server.to("ben@example.org")[0].data, "byte for byte"
    d.until(lambda: letters(d, "ben@example.org") == [("confirm", "sent")], 20, "it is noted")
    assert "cyd" not in d.log() and "ADDRESS" in d.log()


def test_a_letter_waits_for_the_server_and_is_dropped_when_its_link_is_no_good(papers, server):
    d = papers()
    server.say("greeting", "421 4.3.2 come back later")
    ask(d, "ada@example.org")
    d.until(lambda: rows(d, "SELECT attempts FROM letter WHERE reply IS NOT NULL") == [(0,)], 20, "this was no attempt")
    later(d, hours=47)
    assert letters(d, "ada@example.org") == [("confirm", "due")]
    later(d, hours=2)
    d.courant("resume", "morning")
    d.until(lambda: letters(d, "ada@example.org") == [("confirm", "dropped")], 20, "its link is good no more")
    server.forget()
    ask(d, "ada@example.org")
    mails(d, server, 1)


def test_a_link_is_good_for_two_days_from_when_its_letter_is_sent(papers, server):
    d = papers()
    server.say("greeting", "421 4.3.2 come back later")
    subscribers(d, "import", "-", given=b"bob@example.org\n")
    ask(d, "ada@example.org")
    d.until(lambda: rows(d, "SELECT count(*) > 0 FROM letter WHERE reply IS NOT NULL") == [(1,)], 20, "not sent")
    server.forget()
    later(d, hours=47)
    d.courant("resume", "morning")
    letter = mails(d, server, 2, None)[1 if server.messages[1].recipient == "ada@example.org" else 0]
    d.until(lambda: rows(d, "SELECT count(*) FROM letter WHERE state = 2") == [(2,)], 20, "both are known to be sent")
    later(d, hours=47)
    (link,) = [p for p in links(letter) if p.startswith("/confirm/")]
    assert post(d, link).status == 200
    later(d, hours=2)
    assert post(d, "/confirm/" + show(d, "bob@example.org")["confirm"]).status == 410


def test_who_is_added_or_imported_is_sent_a_letter_at_once(papers, server):
    d = papers()
    subscribers(d, "add", "ada@example.org")
    mails(d, server, 1, "ada@example.org")
    subscribers(d, "import", "-", given=b"bob@example.org\n")
    mails(d, server, 1, "bob@example.org")

def test_a_server_that_is_away_for_an_hour_is_told(papers, origin, server):
    server.say("greeting", "421 4.3.2 come back later")
    d = papers(votes=())
    d.routes["ops"] = {"from": ["courant/trouble"], "backlog": "all", "to": [{"jsonl": {"path": "ops.jsonl"}}]}
    d.write()
    d.courant("reload")
    enter(d, ["ada@example.org"])
    poll(d, origin, "a", paper(origin, [3]))
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: "421 4.3.2" in json.dumps(d.route("morning")), 20, "the status says it at once")
    assert not d.out("ops.jsonl").exists() or not d.lines("ops.jsonl")
    for minutes in (61, 12):
        later(d, minutes=minutes)
        rounds(3)
    (told,) = d.until(lambda: d.out("ops.jsonl").exists() and d.lines("ops.jsonl"), 30, "it is told")
    assert "morning/mail" in told["title"] and "421 4.3.2" in told["title"]


def test_the_letters_of_an_import_wait_for_a_week(papers, server):
    d = papers()
    server.say("greeting", "421 4.3.2 come back later")
    subscribers(d, "import", "-", given=b"bob@example.org\n")
    d.until(lambda: rows(d, "SELECT count(*) FROM letter WHERE reply IS NOT NULL") == [(1,)], 20, "not sent")
    server.forget()
    later(d, days=6, hours=23)
    d.courant("resume", "morning")
    (letter,) = mails(d, server, 1)
    d.until(lambda: letters(d, "bob@example.org") == [("confirm", "sent")], 20, "sent")
    later(d, hours=47)
    (link,) = [p for p in links(letter) if p.startswith("/confirm/")]
    assert post(d, link).status == 200 and states(d) == {"bob@example.org": "active"}


def test_a_letter_s_id_comes_once(papers, server):
    d = papers()
    ask(d, "ada@example.org")
    (first,) = mails(d, server, 1)
    later(d, days=40)
    assert states(d) == {}, "never confirmed"
    ask(d, "ada@example.org")
    _, second = mails(d, server, 2)
    assert parsed(first)["Message-ID"] != parsed(second)["Message-ID"], "mailboxes show one of the same id only"


def test_the_letter_to_who_is_subscribed_says_what_its_link_does(papers, server):
    d = papers()
    enter(d, ["ada@example.org"])
    ask(d, "ada@example.org")
    (letter,) = mails(d, server, 1)
    assert "subscribed already" in parsed(letter)["Subject"]
    for part in (text_of(letter), parsed(letter).get_body(("html",)).get_content()):
        assert "Leave this list" in part and "no more letters like this" not in part
    assert post(d, leave_path(letter)).status == 200 and states(d) == {"ada@example.org": "left"}


def test_a_wrong_password_keeps_the_letters(papers):
    with Smtpd(login={"papers": "right"}) as server:
        d = papers(server=server, mail={"user": "papers", "password": "wr0ng-wr0ng"})
        ask(d, "ada@example.org")
        d.until(lambda: sink(d)["paused"], 20, "the sink pauses")
        ask(d, "ben@example.org")
        d.settings["mail"]["password"] = "right"
        d.write()
        d.courant("reload")
        mails(d, server, 2)


def test_kills_between_the_form_and_the_letter(papers, server):
    d = papers()
    rng = random.Random(1)
    names = [f"r{n}@example.org" for n in range(5)]
    for name in names:
        assert ask(d, name).status == 200
        time.sleep(rng.uniform(0, 0.1))
        d.kill()
        d.start(wait=False)
        d.until(d.ready)
    d.courant("resume", "morning")
    d.until(lambda: {m.recipient for m in server.messages} == set(names), 20, "each has its letter")
    for name in names:
        assert len({m.data for m in server.to(name)}) == 1, "repeated byte for byte"


def test_each_record_goes_to_each_subscriber(papers, origin, server):
    d = papers(votes=(), edition=None)
    enter(d, ["ada@example.org", "ben@example.org"])
    poll(d, origin, "a", paper(origin, [1, 2]))
    mails(d, server, 4)
    assert sorted((m.recipient, re.search(r"number (\d)", parsed(m)["Subject"])[1]) for m in server.messages) == [
        (f"{name}@example.org", n) for name in ("ada", "ben") for n in "01"]
    assert len({parsed(m)["Message-ID"] for m in server.messages}) == 4


def test_a_fixed_reader_who_subscribes_as_well_has_one_mail(papers, server):
    d = papers(to=["Ada@example.org", "fix@example.org"])
    enter(d, ["ada@example.org", "ben@example.org"])
    d.clock.until(2025, 3, 11, 7, 0)
    mails(d, server, 3)
    (mail,) = [m for m in server.messages if m.recipient.lower() == "ada@example.org"]
    assert parsed(mail)["List-Unsubscribe"] is None and parsed(server.to("ben@example.org")[0])["List-Unsubscribe"]


def test_who_leaves_gets_no_further_try(papers, server):
    server.say("RCPT", "450 4.2.1 later")
    d = papers()
    enter(d, ["ada@example.org", "ben@example.org"])
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: rows(d, "SELECT sum(attempts) FROM delivery") == [(2,)], 20, "both are to be tried again")
    post(d, "/leave/" + show(d, "ada@example.org")["leave"])
    server.forget()
    d.courant("resume", "morning")
    mails(d, server, 1)
    assert server.messages[0].recipient == "ben@example.org"
    d.until(lambda: is_done(d), 20, "the edition is done")


def test_who_leaves_while_the_mail_waits_for_its_turn_gets_none(papers, server):
    d = papers(mail={"at_once": 1})
    many = [f"r{n}@example.org" for n in range(5)]
    enter(d, many)
    keys = {s["address"]: s["leave"] for s in subscribers(d, "list")}
    server.say("dot", Reply("250 2.0.0 queued", delay=1))
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: len(server.messages) >= 1, 20, "the first mail")
    assert post(d, "/leave/" + keys["r4@example.org"]).status == 200
    d.until(lambda: sink(d)["delivered"] == 1, 20, "the edition is done")
    assert [m.recipient for m in server.messages] == many[:4]


def test_row_16_a_wrong_address_bounces_and_what_may_pass_counts(papers, origin, server):
    server.say("RCPT", "550 5.1.1 no such user", to="ada@example.org")
    server.say("RCPT", "552 5.2.2 over quota", to="ben@example.org")
    d = papers()
    enter(d, ["ada@example.org", "ben@example.org", "cyd@example.org"])
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: sink(d)["dead"] == 1, 20, "dead letters")
    assert states(d) == {"ada@example.org": "bounced", "ben@example.org": "active", "cyd@example.org": "active"}
    assert show(d, "ben@example.org")["soft"] == 1
    votes = [3, 9]
    for n, day in enumerate([12, 13, 14], 2):
        votes.append(5)
        next_edition(d, origin, day, votes)
        d.until(lambda n=n: sink(d)["dead"] == n, 20, "a dead letter more")
        assert show(d, "ben@example.org")["soft"] == n and states(d)["ben@example.org"] == "active"
    next_edition(d, origin, 19, votes + [5])
    d.until(lambda: states(d)["ben@example.org"] == "bounced", 20, "over seven days")
    assert len(server.to("cyd@example.org")) == 5


def test_a_mail_that_is_taken_ends_the_count(papers, origin, server):
    server.say("RCPT", "552 5.2.2 over quota", to="ben@example.org", times=1)
    d = papers()
    enter(d, ["ben@example.org"])
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: sink(d)["dead"] == 1 and show(d, "ben@example.org")["soft"] == 1, 20, "a dead letter")
    next_edition(d, origin, 12, [3, 9, 5])
    mails(d, server, 1)
    d.until(lambda: "soft" not in show(d, "ben@example.org"), 20, "it begins anew")


@pytest.mark.parametrize("reply", ["550 5.7.1 your network is on our list", "550 5.1.1 no such user", "550 5.2.1 disabled"])
def test_row_16_when_all_are_refused_nobody_is_suppressed(papers, server, reply):
    server.say("RCPT", reply)
    d = papers()
    many = [f"r{n:02}@example.org" for n in range(40)]
    enter(d, many)
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: sink(d)["paused"], 20, "the sink pauses")
    d.until(lambda: sink(d)["state"] == "paused", 20, "the batch is over")
    assert "more than a tenth of the readers were refused" in sink(d)["reason"]
    assert set(states(d).values()) == {"active"}
    assert rows(d, "SELECT max(soft) FROM subscriber") == [(0,)]
    refused = server.recipients
    server.forget()
    d.courant("resume", "morning")
    mails(d, server, 40 - refused)
    d.until(lambda: sink(d)["dead"] == 1 and sink(d)["retry"] == 0, 20, "those refused are dead letters")
    d.courant("replay", "morning/mail", "--dead", "--yes")
    mails(d, server, 40)
    assert sorted(m.recipient for m in server.messages) == many


def test_row_43_the_envelope_finds_the_reader(papers, server):
    d = papers(mail={"bounces": "bounces@example.org"})
    enter(d, ["ada@example.net"])
    d.clock.until(2025, 3, 11, 7, 0)
    (mail,) = mails(d, server, 1)
    key = show(d, "ada@example.net")["leave"]
    assert mail.sender == f"bounces+{key}@example.org"
    bounce(d, "postfix", "forwarded@elsewhere.example", key=key)
    assert states(d) == {"ada@example.net": "bounced"}


def test_a_reader_leaves_by_mail(papers, server):
    d = papers(mail={"leave": "leave@example.org"})
    enter(d, ["ada@example.net", "ben@example.net"])
    d.clock.until(2025, 3, 11, 7, 0)
    mails(d, server, 2)
    mail = server.to("ada@example.net")[0]
    told = [u.strip(" <>") for u in parsed(mail)["List-Unsubscribe"].split(",")]
    assert [u.split(":")[0] for u in told] == ["https", "mailto"]
    to = urllib.parse.urlsplit(told[1])
    subject = urllib.parse.parse_qs(to.query)["subject"][0]
    assert to.path == "leave@example.org"
    for before, word in [("", "lve"), ("Re: ", ""), ("", "")]:
        said = f"From: Ada <ada@example.net>\r\nTo: {to.path}\r\nSubject: {before}{subject.replace('ea', word) if word else subject}\r\n\r\nBye.\r\n"
        done = d.courant("bounce", given=said.encode())
        if word:
            assert b"nothing is done" in done.stdout and states(d)["ada@example.net"] == "active"
        else:
            assert states(d) == {"ada@example.net": "left", "ben@example.net": "active"}


def test_courant_mail_tells_what_has_to_be_signed(papers):
    d = papers()
    said = subprocess.run([program("courant"), "-c", str(d.conf), "mail"], capture_output=True, timeout=60, text=True)
    assert re.search("(?m)^hint: .*DKIM.*List-Unsubscribe-Post", said.stdout), said
    d.routes["morning"]["to"] = [{"mail": {"to": ["ada@example.org"]}}]
    d.write()
    said = subprocess.run([program("courant"), "-c", str(d.conf), "mail"], capture_output=True, timeout=60, text=True)
    assert said.returncode == 0 and "hint" not in said.stdout


def test_a_route_has_its_subscribers_once(papers):
    d = papers()
    d.routes["morning"]["to"].append({"mail": {"subscribe": True, "summary": 0}})
    d.write()
    status, said = d.run("-n")
    assert status != 0 and "route morning: mail: subscribe: another sink of the route, mail, has" in said, said


def test_no_address_in_log_or_public_status(papers, server):
    d = papers()
    d.stop()
    d.start(debug=True)
    secret = ["very.secret@example.org", "Much.Secret@example.org", "other.secret@bücher.example"]
    server.say("RCPT", "450 4.2.1 <very.secret@example.org>: try later", to="very.secret@example.org")
    server.say("RCPT", "550 5.1.1 unknown user much.secret in Much.Secret@example.org", to="Much.Secret@example.org")
    server.say("RCPT", "550 5.7.1 no mail for other.secret@xn--bcher-kva.example", to="other.secret@xn--bcher-kva.example")
    enter(d, secret)
    ask(d, "third.secret@example.org")
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: rows(d, "SELECT count(*) FROM delivery WHERE reply IS NOT NULL") == [(3,)], 20, "all answered")
    d.until(lambda: sink(d)["state"] == "idle", 20, "settled")
    told = d.http("/api/v1/status").text + d.http("/").text
    assert d.stop() == 0
    assert "secret" not in (d.log() + told).lower()


def test_who_is_forgotten_is_in_no_row(papers, server):
    d = papers(to=["ada@example.org"])
    server.say("RCPT", "550 5.1.1 unknown user", to="bob@example.org")
    enter(d, ["ada@example.org", "bob@example.org", "eve@example.org", "zoe@example.org"])
    ask(d, "eve@example.org")
    d.clock.until(2025, 3, 11, 7, 0)
    d.until(lambda: sink(d)["dead"] == 1, 20, "the edition is done")
    assert {r for r, in rows(d, "SELECT reader FROM delivery")} >= {"bob@example.org", "eve@example.org"}
    for reader in ("ada", "bob", "eve"):
        subscribers(d, "forget", f"{reader}@example.org")
    d.stop()
    stored = rows(d, "SELECT group_concat(quote(reader) || quote(address) || quote(reply)) FROM delivery")[0][0]
    assert "bob" not in stored and "eve" not in stored
    assert "zoe" in stored and "ada" in stored, "ada is a reader of the configuration's as well"


@pytest.mark.parametrize("n", range(2))
def test_kills_at_sending_to_subscribers(papers, server, n):
    rng = random.Random(n)
    many = [f"r{i:03}@example.org" for i in range(80)]
    server.say("dot", Reply("250 2.0.0 queued", delay=0.05))
    d = papers(mail={"at_once": 2})
    enter(d, many)
    d.clock.until(2025, 3, 11, 7, 0)
    kills = 0
    while len({m.recipient for m in server.messages}) < len(many) and kills < 40:
        time.sleep(rng.uniform(0.02, 0.25))
        if rng.random() < 0.5:
            d.kill()
            d.start(wait=False)
            d.until(d.ready)
        elif (store := d.pids()["store"]) > 0:      # 0: it is being started
            os.kill(store, signal.SIGKILL)
        kills += 1
        d.courant("resume", "morning", check=False)
    d.until(lambda: {m.recipient for m in server.messages} == set(many), 30, "all have it")
    d.until(lambda: is_done(d), 30, "delivered")
    assert len(server.messages) - len(many) <= 2 * kills
    for a in many:
        assert len({m.data for m in server.to(a)}) == 1, a
    assert kills >= 9, "50 in all the tests of this kind"


def memory_of_tree(root):
    """Bytes that single processes have to themselves, over the process and all that it started, directly or not."""
    parents, total = {}, 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as f:
            parents[int(pid)] = int(f.read().rpartition(")")[2].split()[1])
    tree = {root}
    while more := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= more
    for pid in tree:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as f:
            total += sum(int(line.split()[1]) * 1024 for line in f if line.startswith("Private_"))
    return total


@pytest.mark.memory
@pytest.mark.parametrize("count", [2000, pytest.param(10000, marks=pytest.mark.skipif(
    not os.environ.get("COURANT_LONG"), reason="takes minutes: contrib/check --long"))])
def test_many_subscribers_each_once(papers, count):
    """1 % are greylisted, 1 % refused, and the server parts after every 100 messages."""
    many = [f"r{n:05}@example.org" for n in range(count)]
    with Smtpd(drop_after=100) as server:
        d = papers(server=server, mail={"at_once": 8, "per_connection": 100000})
        for at in range(0, count, 500):
            enter(d, many[at:at + 500])
        for n in range(0, count, 100):
            server.say("RCPT", "450 4.7.1 greylisted", to=many[n], times=1)
            server.say("RCPT", "550 5.1.1 no such user", to=many[n + 50])
        d.clock.until(2025, 3, 11, 7, 0)
        few = most = 0
        while len(server.messages) < count - count // 50:
            now = memory_of_tree(d.process.pid)
            few = max(few, now) if len(server.messages) < 200 else few
            most = max(most, now)
            time.sleep(0.05)
        d.until(lambda: rows(d, "SELECT count(*) FROM delivery WHERE state IN (1, 2)") == [(count // 100,)], 60,
                "all but the greylisted have an outcome")
        d.courant("resume", "morning")
        d.until(lambda: sink(d)["dead"] == 1 and sink(d)["retry"] == 0, 60, "the edition is done")
        served = sorted(m.recipient for m in server.messages)
        assert served == sorted(set(many) - set(many[50::100])), "each once"
        counts = d.route("morning")["subscribers"]
        assert counts["active"] == count - count // 100 and counts["bounced"] == count // 100
        assert 0 < few and most - few < (5 << 20), f"{(most - few) / 1e6:.1f} MB more than for the first 200"
