"""Mail to fixed readers: handed over by SMTP, kept reader by reader, sent again or buried as the replies say."""
import datetime
import email
import email.policy
import json
import random
import re
import sqlite3
import time

import pytest
from smtpd import CLOSE, Reply, Smtpd
from test_editions import PARIS as ZONE
from test_editions import Clock
from test_face import api, poll

NAMES = ["ada@example.org", "ben@example.org", "cyd@example.org"]


@pytest.fixture
def server():
    with Smtpd() as s:
        yield s


def page(origin, name, titles):
    origin.put(f"{name}.json", json.dumps(
        [{"id": t, "title": t, "url": f"https://x.example/{t.replace(' ', '-')}"} for t in titles]).encode())
    return {"plugin": "json", "url": origin.url(f"/{name}.json"), "every": "1 h",
            "fields": {"guid": "id", "title": "title", "link": "url"}}


def mailer(daemon, origin, server, to=NAMES, titles=("one",), mail=(), **sink):
    return daemon({"news": page(origin, "news", titles)},
                  {"letters": {"from": ["*"], "to": {"mail": {"to": to, "backlog": "all"} | sink}}},
                  {"mail": {"server": server.url, "from": "Papers <papers@example.org>",
                            "hello": "papers.example.org"} | dict(mail)})


def more(d, origin, titles):
    page(origin, "news", titles)
    d.refresh("news")


def rows(d, sql="SELECT reader, state, attempts, code, reply FROM delivery ORDER BY n, reader"):
    db = sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def until_mails(d, server, count):
    d.until(lambda: len(server.messages) >= count, 20, f"{count} mails")
    return server.messages


def parsed(message):
    return email.message_from_bytes(message.data, policy=email.policy.default)


def test_each_record_is_one_mail_to_each_reader(daemon, origin, server):
    d = mailer(daemon, origin, server, titles=("one", "two")).start().settled()
    got = until_mails(d, server, 6)
    assert sorted((m.recipient, parsed(m)["Subject"]) for m in got) == sorted(
        (a, t) for a in NAMES for t in ("one", "two"))
    assert len({parsed(m)["Message-ID"] for m in got}) == 6
    for m in got:
        read = parsed(m)
        assert read["To"] == m.recipient and read["From"] == "Papers <papers@example.org>"
        assert m.sender == "papers@example.org" and read["List-Id"].endswith("<letters.papers.example.org>")
        assert read["List-Unsubscribe"] is None, "fixed readers cannot leave"
    d.until(lambda: sink(d)["delivered"] == 2, 10, "both delivered")


def sink(d):
    return next(s for r in d.status()["routes"] for s in r["sinks"])


def again(d):
    """What waits for a retry is tried now."""
    d.courant("resume", "letters/mail")


def test_row_15_a_4xx_is_a_retry_of_that_reader_alone(daemon, origin, server):
    server.say("RCPT", "450 4.7.1 greylisted", to="ben@example.org", times=2)
    d = mailer(daemon, origin, server).start()
    until_mails(d, server, 2)
    (row,) = d.until(lambda: rows(d, "SELECT attempts, due - at, reply FROM delivery WHERE state = 1 AND attempts > 0"),
                     10, "a reader waits")
    assert row == (1, 300000, "450 4.7.1 greylisted"), "five minutes: greylisting"
    d.until(lambda: sink(d)["reason"] == "one reader: 450 4.7.1 greylisted", 10, "the reply in the status")
    again(d)
    d.until(lambda: rows(d, "SELECT attempts, due - at FROM delivery WHERE state = 1") == [(2, 600000)], 10, "again")
    again(d)
    until_mails(d, server, 3)
    assert [len(server.to(a)) for a in NAMES] == [1, 1, 1]
    d.until(lambda: sink(d)["delivered"] == 1, 10, "delivered")
    assert sink(d)["dead"] == 0 and not rows(d, "SELECT * FROM delivery WHERE state <> 4")


def test_row_16_a_wrong_address_is_a_dead_letter_of_that_reader(daemon, origin, server):
    server.say("RCPT", "550 5.1.1 no such user", to="ben@example.org")
    d = mailer(daemon, origin, server).start()
    d.until(lambda: sink(d)["dead"] == 1, 20, "a dead letter")
    assert sorted(m.recipient for m in server.messages) == ["ada@example.org", "cyd@example.org"]
    told = d.courant("dead", "letters").stdout.decode()
    assert "one reader: 550 5.1.1 no such user" in told
    more(d, origin, ["one", "two"])
    until_mails(d, server, 4)
    server.forget()
    d.courant("replay", "letters/mail", "--dead", "--yes")
    d.until(lambda: sink(d)["dead"] == 0 and len(server.messages) == 6, 20, "the dead letters are replayed to ben alone")
    assert [len(server.to(a)) for a in NAMES] == [2, 2, 2]


def test_row_16_when_the_server_refuses_all_the_sink_pauses(daemon, origin, server):
    server.say("RCPT", "550 5.7.1 your network is on our list")
    many = [f"r{n:02}@example.org" for n in range(40)]
    d = mailer(daemon, origin, server, to=many).start()
    d.until(lambda: sink(d)["paused"], 20, "the sink pauses")
    assert "more than a tenth of the readers were refused" in sink(d)["reason"]
    assert "550 5.7.1 your network" in sink(d)["reason"]
    d.until(lambda: sink(d)["state"] == "paused", 20, "the batch is over")
    refused = server.recipients
    assert 10 <= refused <= 14, "it stops at once"
    server.forget()
    again(d)
    d.until(lambda: len(server.messages) >= 40 - refused, 20, "the others get it")
    d.until(lambda: sink(d)["dead"] == 1, 20, "those refused are dead letters")
    d.courant("replay", "letters/mail", "--dead", "--yes")
    until_mails(d, server, 40)
    assert sorted(m.recipient for m in server.messages) == many


def test_row_17_a_wrong_password_is_told_and_pauses(daemon, origin):
    with Smtpd(login={"papers": "right"}) as server:
        d = mailer(daemon, origin, server, mail={"user": "papers", "password": "wr0ng-wr0ng"}).start()
        d.until(lambda: sink(d)["paused"], 20, "the sink pauses")
        assert "535" in sink(d)["reason"] and not server.messages
        assert all(c.verbs().count("MAIL") == 0 for c in server.connections)
        assert rows(d, "SELECT sum(attempts) FROM delivery") == [(0,)], "this was no attempt"
        assert "wr0ng" not in d.log() and "wr0ng" not in json.dumps(d.status())
        d.settings["mail"]["password"] = "right"
        d.write()
        d.courant("reload")
        until_mails(d, server, 3)
        assert not sink(d)["paused"], "a new password resumes it"


def test_row_17_the_dialogue_of_a_test(daemon, origin, server):
    d = mailer(daemon, origin, server, titles=()).start().settled()
    told = d.courant("test", "letters/mail", "--to", "eve@example.org")
    assert told.returncode == 0, told
    (mail,) = server.messages
    assert mail.recipient == "eve@example.org" and parsed(mail)["Subject"].startswith("[test]")
    assert "> RCPT TO:<eve@example.org>" in told.stdout.decode() and "< 250" in told.stdout.decode()
    assert rows(d) == [] and sink(d)["delivered"] == 0, "counted nowhere"
    server.say("RCPT", "550 5.1.1 nobody here")
    told = d.courant("test", "letters", "--to", "eve@example.org", check=False)
    assert told.returncode == 1 and "550 5.1.1 nobody here" in (told.stdout + told.stderr).decode()
    told = d.courant("test", "letters/mail", check=False)
    assert told.returncode == 1 and "--to ADDRESS" in (told.stdout + told.stderr).decode()
    told = d.courant("test", "letters/mail", "--to", "a b@example.org", check=False)
    assert told.returncode == 1 and len(server.messages) == 1


def test_row_14_a_server_that_parts_after_three(daemon, origin):
    with Smtpd(drop_after=3) as server:
        many = [f"r{n:02}@example.org" for n in range(20)]
        d = mailer(daemon, origin, server, to=many, mail={"at_once": 1}).start()
        until_mails(d, server, 20)
        d.until(lambda: sink(d)["delivered"] == 1, 10, "delivered")
        assert sorted(m.recipient for m in server.messages) == many
        assert rows(d, "SELECT sum(attempts) FROM delivery") == [(0,)]


def test_no_server_is_nobody_s_attempt(daemon, origin, server):
    server.say("greeting", "421 4.3.2 come back later")
    d = mailer(daemon, origin, server).start()
    d.until(lambda: rows(d, "SELECT count(*) FROM delivery WHERE state = 1 AND reply IS NOT NULL") == [(3,)], 20,
            "all readers wait")
    assert rows(d, "SELECT sum(attempts) FROM delivery") == [(0,)]
    assert len(server.connections) <= 2, "the server is left alone"
    server.forget()
    assert not sink(d)["paused"]
    d.stop()
    d.start()
    again(d)
    until_mails(d, server, 3)
    assert [len(server.to(a)) for a in NAMES] == [1, 1, 1]


def test_row_12_what_may_have_arrived_is_sent_again_byte_for_byte(daemon, origin, server):
    server.say("dot", CLOSE, to="ben@example.org", times=1)
    seen = []
    d = mailer(daemon, origin, server).start()
    until_mails(d, server, 2)
    d.until(lambda: rows(d, "SELECT reader, due - at FROM delivery WHERE state = 2") == [("ben@example.org", 900000)],
            10, "it may have arrived: 15 minutes")
    d.until(lambda: rows(d, "SELECT count(*) FROM delivery WHERE state = 4") == [(2,)], 10, "the others have it")
    d.kill()
    d.start()
    again(d)
    seen = until_mails(d, server, 3)
    assert sorted(m.recipient for m in seen) == sorted(NAMES)
    assert server.refused[0].data == server.to("ben@example.org")[0].data


def test_row_13_the_rate_is_kept(daemon, origin, server):
    many = [f"r{n:02}@example.org" for n in range(12)]
    d = mailer(daemon, origin, server, to=many, mail={"rate": "5/s", "at_once": 1}).start()
    when = [m.when for m in until_mails(d, server, 12)][1:]     # the first one waits for its process to start
    assert when[-1] - when[0] >= 1.7, "ten times 200 ms"
    for a, b in zip(when, when[5:]):
        assert b - a > 0.7, "spread over the second"


def test_row_6_an_address_that_the_server_cannot_take(daemon, origin):
    with Smtpd(utf8=False) as server:
        d = mailer(daemon, origin, server, to=["josé@example.org", "ada@bücher.example"]).start()
        d.until(lambda: sink(d)["dead"] == 1, 20, "a dead letter")
        assert [m.recipient for m in server.messages] == ["ada@xn--bcher-kva.example"]
        assert not any("jos" in c for each in server.connections for c in each.commands)


@pytest.mark.parametrize("mail, sink, told", [
    ({"server": None}, {}, r"there is no server; say mail: \{ server: \.\.\. \}"),
    ({}, {"to": []}, "nobody gets it; say to:"),
    ({}, {"to": ["ada"]}, 'to: "ada": '),
    ({}, {"to": ["a@b.example\r\nRCPT TO:<c@d.example>"]}, "to: "),
    ({}, {"ordered": "no"}, "ordered"),
])
def test_what_the_configuration_may_not_say(daemon, origin, server, mail, sink, told):
    d = mailer(daemon, origin, server, mail=mail, **sink)
    if mail:
        del d.settings["mail"]
    d.write()
    status, said = d.run("-n")
    assert status != 0 and re.search(told, said), said


def test_explain_tells_what_became_of_each_reader(daemon, origin, server):
    server.say("RCPT", "450 4.7.1 greylisted", to="ben@example.org")
    server.say("RCPT", "550 5.1.1 no such user", to="cyd@example.org")
    d = mailer(daemon, origin, server).start()
    d.until(lambda: rows(d, "SELECT sum(reply IS NOT NULL) FROM delivery") == [(3,)], 20, "all three answered")
    d.until(lambda: sink(d)["state"] == "idle", 20, "the batch is settled")
    (of,) = d.explain("one")[0]["routes"][0]["sinks"]
    assert {r["address"]: r["state"] for r in of["readers"]} == {
        "ada@example.org": "accepted", "ben@example.org": "open", "cyd@example.org": "dead"}
    told = d.courant("explain", "one").stdout.decode()
    assert re.search(r"reader ada@example.org: accepted: 250 2.0.0 queued", told), told
    assert re.search(r"reader ben@example.org: open, next .*: 450 4.7.1 greylisted", told), told
    assert re.search(r"reader cyd@example.org: dead: 550 5.1.1 no such user", told), told


@pytest.mark.parametrize("n", range(4))
def test_kills_at_sending(daemon, origin, server, n):
    """Each has it at least once; a kill repeats at most one message a connection, byte for byte the same, and only
    one whose dot had been sent."""
    rng = random.Random(n)
    many = [f"r{i:03}@example.org" for i in range(60)]
    server.say("dot", Reply("250 2.0.0 queued", delay=0.05))
    d = mailer(daemon, origin, server, to=many, mail={"at_once": 2}).start()
    kills = 0
    while len({m.recipient for m in server.messages}) < len(many) and kills < 40:
        time.sleep(rng.uniform(0.02, 0.25))
        d.kill()
        kills += 1
        d.start()
        again(d)
    d.until(lambda: {m.recipient for m in server.messages} == set(many), 30, "all have it")
    d.until(lambda: sink(d)["delivered"] == 1, 30, "delivered")
    extra = len(server.messages) - len(many)
    assert extra <= 2 * kills, (extra, kills)
    for a in many:
        copies = {m.data for m in server.to(a)}
        assert len(copies) == 1, a
    assert kills >= 9, "50 in all the tests of this kind"


DAILY = {"every": "day", "at": "07:00", "tz": "Europe/Paris", "order": "votes"}


def paper(origin, votes):
    return [{"id": f"p-{n}", "title": f"Entirely made-up finding of number {n} told here", "votes": v}
            for n, v in enumerate(votes)]


@pytest.fixture
def daily(daemon, origin, server, monkeypatch):
    """A daemon whose route mails an edition a day; its clock is the test's."""
    def make(votes, to=NAMES, edition=DAILY, **sink):
        d = daemon({"a": api(origin, "a", paper(origin, votes), counters={"votes": "votes"})},
                   {"morning": {"title": "Papers", "from": ["*"], "edition": edition,
                                "to": {"mail": {"to": to} | sink}}},
                   {"mail": {"server": server.url, "from": "papers@example.org", "hello": "papers.example.org"}})
        d.clock = Clock(d, monkeypatch)
        d.clock.settles = False
        d.clock.set(datetime.datetime(2025, 3, 10, 12, 0, tzinfo=ZONE))
        d.start(wait=False)
        d.until(d.ready)
        d.refresh("a")
        return d
    return make


def test_an_edition_is_one_mail_to_each_reader(daily, origin, server):
    d = daily([3, 9, 5])
    d.clock.until(2025, 3, 11, 7, 0)
    got = until_mails(d, server, 3)
    assert sorted(m.recipient for m in got) == sorted(NAMES)
    for m in got:
        read = parsed(m)
        assert "2025-03-11" in read["Subject"] and read["To"] == m.recipient
        text = read.get_body(("plain",)).get_content()
        assert re.findall("number (.)", text) == ["1", "2", "0"], "by votes"
    d.until(lambda: sink(d)["delivered"] == 1, 20, "one edition")
    d.clock.until(2025, 3, 12, 7, 0)
    assert len(server.messages) == 3, "nothing new: no mail"
    poll(d, origin, "a", paper(origin, [3, 9, 5, 1]))
    d.clock.until(2025, 3, 13, 7, 0)
    got = until_mails(d, server, 6)
    assert all("2025-03-13" in parsed(m)["Subject"] for m in got[3:])


def test_row_27_what_is_sealed_is_sent_also_when_votes_change_between_two_readers(daily, origin, server):
    server.say("RCPT", "450 4.2.1 later", to="cyd@example.org", times=1)
    d = daily([3, 9, 5])
    d.clock.until(2025, 3, 11, 7, 0)
    until_mails(d, server, 2)
    d.until(lambda: rows(d, "SELECT count(*) FROM delivery WHERE attempts = 1") == [(1,)], 20, "cyd waits")
    d.kill()
    d.start(wait=False)
    d.until(d.ready)
    poll(d, origin, "a", paper(origin, [300, 9, 5, 700]))
    d.courant("resume", "morning/mail")
    got = until_mails(d, server, 3)
    bodies = {tuple(re.findall("number (.)", parsed(m).get_body(("plain",)).get_content())) for m in got}
    assert bodies == {("1", "2", "0")}, "the sealed list"
    assert len({parsed(m)["Date"] for m in got}) == 1, "the time of sealing"


def test_an_edition_that_could_not_be_sent_for_two_periods_is_expired(daily, origin, server):
    server.say("RCPT", "450 4.2.1 later", to="cyd@example.org")
    d = daily([3])
    d.clock.until(2025, 3, 11, 7, 0)
    until_mails(d, server, 2)
    d.until(lambda: rows(d, "SELECT count(*) FROM delivery WHERE attempts = 1") == [(1,)], 20, "cyd waits")
    d.clock.until(2025, 3, 12, 20, 0)
    d.courant("resume", "morning/mail")
    d.until(lambda: rows(d, "SELECT attempts > 1 FROM delivery WHERE state = 1") == [(1,)], 20, "it is tried again")
    d.clock.until(2025, 3, 13, 7, 1)
    d.courant("resume", "morning/mail")
    d.until(lambda: sink(d)["dead"] == 1, 20, "a dead letter")
    assert "expired" in d.courant("dead", "morning").stdout.decode()


def test_row_30_many_readers_get_each_one_and_the_failures_are_theirs(daemon, origin, server):
    many = [f"r{n:04}@example.org" for n in range(1000)]
    rng = random.Random(30)
    for a in rng.sample(many, 10):
        server.say("RCPT", "450 4.2.1 later", to=a, times=1)
    gone = rng.sample(many, 10)
    for a in gone:
        server.say("RCPT", "550 5.1.1 no such user", to=a)
    d = mailer(daemon, origin, server, to=many, mail={"at_once": 8}).start()
    d.until(lambda: len(server.messages) >= 980, 60, "980 mails")
    d.until(lambda: sink(d)["state"] == "idle", 20, "the batch is settled")
    again(d)
    d.until(lambda: sink(d)["dead"] == 1, 60, "all have an outcome")
    got = [m.recipient for m in server.messages]
    assert sorted(got) == sorted(set(many) - set(gone)), "each once"


def test_an_edition_without_a_record_is_mailed_where_that_is_wanted(daily, origin, server):
    d = daily([], edition=DAILY | {"empty": "send"})
    d.clock.until(2025, 3, 11, 7, 0)
    got = until_mails(d, server, 3)
    assert sorted(m.recipient for m in got) == sorted(NAMES)
    assert all("2025-03-11" in parsed(m)["Subject"] for m in got)
    d.until(lambda: sink(d)["delivered"] == 1, 20, "one edition")
    d.clock.until(2025, 3, 12, 7, 0)
    until_mails(d, server, 6)


def test_a_server_that_is_away_for_days_expires_nothing(daily, origin, server):
    server.say("greeting", "421 4.3.2 come back later")
    d = daily([3])
    d.clock.until(2025, 3, 11, 7, 0)
    waiting = "SELECT count(*) FROM delivery WHERE state = 1 AND attempts = 0 AND reply IS NOT NULL"
    d.until(lambda: rows(d, waiting) == [(3,)], 20, "all wait")
    d.clock.until(2025, 3, 14, 9, 0)
    d.stop()
    tried = len(server.connections)
    d.start(wait=False)
    d.until(d.ready)
    d.courant("resume", "morning/mail")
    d.until(lambda: len(server.connections) > tried, 20, "it is tried again")
    d.until(lambda: rows(d, waiting) == [(3,)] and sink(d)["state"] == "idle", 20, "all wait")
    server.forget()
    d.stop()
    d.start(wait=False)
    d.until(d.ready)
    d.courant("resume", "morning/mail")
    got = until_mails(d, server, 3)
    assert sorted(m.recipient for m in got) == sorted(NAMES) and sink(d)["dead"] == 0


def test_a_replay_does_not_hammer_a_server_that_refuses_the_login(daemon, origin):
    with Smtpd(login={"papers": "right"}) as server:
        server.say("RCPT", "550 5.1.1 no such user", to="ben@example.org")
        d = mailer(daemon, origin, server, mail={"user": "papers", "password": "right"}).start()
        d.until(lambda: sink(d)["dead"] == 1, 20, "a dead letter")
        server.forget()
        server.login["papers"] = "another"
        d.settings["mail"]["at_once"] = 1       # a new process, which logs in anew
        d.write()
        d.courant("reload")
        before = len(server.connections)
        d.courant("replay", "letters/mail", "--dead", "--yes")
        d.until(lambda: sink(d)["paused"], 20, "the sink pauses")
        time.sleep(3)
        assert len(server.connections) - before == 1
        server.login["papers"] = "right"
        again(d)
        d.until(lambda: [len(server.to(a)) for a in NAMES] == [1, 1, 1], 20, "ben has it")
