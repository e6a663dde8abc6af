"""Subscribers: the form, the confirmation, leaving, the operator's commands, mails that came back. The wall clock
is the test's; each row of the specification has its test. No letter is sent here: the rows that are due are."""
import datetime
import json
import shutil
import socket
import sqlite3
import subprocess
import time
import urllib.parse

import pytest

from courant import BUILD, TREE, program, rss, until
from test_editions import Clock, PARIS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=xyz"}
ONE_CLICK = "--xyz\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--xyz--\r\n"
LOOK = "Look into your mailbox"


def own_plugins(d):
    """A folder of the daemon's own with the plugins, of which the test can take one away."""
    where = d.folder / "own"
    shutil.copytree(BUILD / "plugins", where)
    d.settings["plugins"] = [str(where)]
    return where


@pytest.fixture
def papers(daemon, origin, monkeypatch):
    """A daemon with a route to which one can subscribe, and a clock of the test's."""
    def make(routes=None, **serve):
        origin.put("a.xml", rss([]))
        d = daemon({"a": {"plugin": "feed", "url": origin.url("/a.xml")}}, routes or {
            "morning": {"title": "Papers <of> the day", "from": ["*"], "to": [{"mail": {"subscribe": True}}]}},
            {"serve": {"listen": "127.0.0.1:0", "base": "https://papers.example.org", **serve}})
        with socket.socket() as closed:     # a port that nobody listens at
            closed.bind(("127.0.0.1", 0))
            d.settings["mail"] = {"server": f"smtp://127.0.0.1:{closed.getsockname()[1]}", "from": "papers@example.org"}
        d.clock = Clock(d, monkeypatch)
        d.clock.settles = False
        d.clock.set(datetime.datetime(2025, 3, 10, 12, 0, tzinfo=PARIS))
        d.write()
        d.start()
        return d
    return make


def later(d, **ahead):
    """The clock goes on."""
    off = float(d.clock.path.read_text().strip()[:-1])
    d.clock.path.write_text(f"{off + datetime.timedelta(**ahead).total_seconds():+.0f}s\n")


def post(d, path, body="", headers=FORM):
    return d.http(path, "POST", headers, body)


def ask(d, address, route="morning", headers=None, **more):
    return post(d, f"/subscribe/{route}", urllib.parse.urlencode({"address": address, **more}),
                {**FORM, **(headers or {})})


def subscribers(d, *words, route="morning", check=True, given=None):
    done = subprocess.run([program("courant"), "-s", str(d.state), "subscribers", route, *words, "--json"],
                          capture_output=True, timeout=60, input=given)
    if check:
        assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode()


def show(d, address, **more):
    return subscribers(d, "show", address, **more)


def states(d, route="morning"):
    return {s["address"]: s["state"] for s in subscribers(d, "list", route=route)}


def letters(d, address):
    return [(each["kind"], each["state"]) for each in show(d, address)["letters"]]


def due(d, address):
    return sum(state == "due" for _, state in letters(d, address))


def confirm(d, address):
    return post(d, "/confirm/" + show(d, address)["confirm"])


def join(d, address):
    """The whole way of a reader."""
    ask(d, address)
    assert confirm(d, address).status == 200
    return show(d, address)


def database(d):
    with sqlite3.connect(f"file:{d.state}/courant.db?mode=ro", uri=True) as db:
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in ("subscriber", "suppressed", "letter")}


def test_row_33_get_and_head_never_act(papers):
    d = papers()
    ask(d, "ada@example.org")
    eve = join(d, "eve@example.org")
    before = database(d)
    for link in ["/confirm/" + show(d, "ada@example.org")["confirm"], "/leave/" + eve["leave"], "/subscribe/morning",
                 "/subscribe/morning?address=bob@example.org"]:
        for method in ("GET", "HEAD"):
            a = d.http(link, method)
            assert a.status == 200 and (method == "GET") == bool(a.body)
            assert a.headers["referrer-policy"] == "no-referrer" and a.headers["cache-control"] == "no-store"
            assert a.headers["x-robots-tag"] == "noindex"
            assert "script-src" not in a.headers["content-security-policy"]
            assert a.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
        assert d.http(link, "PUT").status == 405 and d.http(link, "DELETE").status == 405
    assert database(d) == before
    assert d.http("/subscribe/other").status == 404 and post(d, "/subscribe/other", "address=a@b.example").status == 404
    assert post(d, "/healthz").status == 405


def test_row_34_a_button_alone_confirms(papers):
    d = papers()
    ask(d, "ada@example.org")
    token = show(d, "ada@example.org")["confirm"]
    page = d.http("/confirm/" + token).text
    assert page.count("<button") == 1 and "<a" not in page.split("<body>")[1] and "<input" not in page
    assert states(d) == {"ada@example.org": "pending"}
    assert d.route("morning")["subscribers"] == {"pending": 1, "active": 0, "left": 0, "bounced": 0, "blocked": 0}
    assert "0 active, 1 pending" in d.courant("status").stdout.decode()
    assert "subscribers" not in d.http("/api/v1/status").text, "for the operator alone"
    assert post(d, "/confirm/" + token).status == 200
    assert states(d) == {"ada@example.org": "active"}
    told = show(d, "ada@example.org")
    assert told["confirmed_from"] == "127.0.0.0/24" == told["asked_from"] and "confirm" not in told
    assert post(d, "/confirm/" + token).status == 410, "once"


def test_a_token_is_good_for_two_days_and_what_is_pending_for_a_week(papers):
    d = papers()
    ask(d, "ada@example.org")
    first = show(d, "ada@example.org")["confirm"]
    later(d, hours=48, minutes=1)
    assert post(d, "/confirm/" + first).status == 410 and states(d) == {"ada@example.org": "pending"}
    ask(d, "ada@example.org")
    assert show(d, "ada@example.org")["confirm"] != first and letters(d, "ada@example.org") == [
        ("confirm", "dropped"), ("confirm", "due")]
    later(d, days=6, hours=23)
    assert states(d) == {"ada@example.org": "pending"}
    later(d, hours=2)
    assert states(d) == {} and database(d)["letter"][1][4] == 3, "its letter is not sent"


def test_row_35_any_post_to_the_leave_link_acts(papers):
    d = papers()
    keys = {name: join(d, f"{name}@example.org")["leave"] for name in ("ada", "bob", "cy")}
    later(d, hours=2)
    for key, headers, body in [(keys["ada"], FORM, "List-Unsubscribe=One-Click"), (keys["bob"], MULTIPART, ONE_CLICK),
                               (keys["cy"], {}, None)]:
        a = post(d, "/leave/" + key, body, headers)
        assert a.status == 200 and "set-cookie" not in a.headers and "location" not in a.headers
    assert set(states(d).values()) == {"left"} and len(states(d)) == 3
    for path in ["/leave/" + keys["ada"]] * 100 + ["/leave/" + "a" * 26, "/leave/nonsense", "/leave/"]:
        assert post(d, path, "List-Unsubscribe=One-Click").status == 200
    assert show(d, "ada@example.org")["state"] == "left"


def test_leaving_works_while_the_sink_is_paused_or_its_plugin_missing(papers):
    d = papers()
    key = join(d, "ada@example.org")["leave"]
    d.stop()
    (own_plugins(d) / "sink_mail.so").unlink()
    d.write()
    d.start()
    assert post(d, "/leave/" + key).status == 200 and states(d) == {"ada@example.org": "left"}
    assert LOOK in ask(d, "bob@example.org").text and due(d, "bob@example.org") == 1
    del d.routes["morning"]
    d.routes["other"] = {"from": ["*"], "to": [{"jsonl": {"path": "o.jsonl"}}]}
    d.write()
    d.courant("reload")
    assert d.http("/subscribe/morning").status == 404
    assert states(d)["ada@example.org"] == "left", "rows outlive their route"
    assert post(d, "/leave/" + show(d, "bob@example.org")["leave"]).status == 200
    assert states(d)["bob@example.org"] == "blocked"


def test_row_36_leaving_by_the_letter_that_asks_blocks_the_address(papers):
    d = papers()
    ask(d, "ada@example.org")
    told = show(d, "ada@example.org")
    assert post(d, "/leave/" + told["leave"], "List-Unsubscribe=One-Click").status == 200
    assert show(d, "ada@example.org")["state"] == "blocked" and letters(d, "ada@example.org") == [("confirm", "dropped")]
    assert post(d, "/confirm/" + told["confirm"]).status == 410
    later(d, days=2)
    assert LOOK in ask(d, "Ada@example.org").text
    assert due(d, "ada@example.org") == 0 and "--confirmed" in subscribers(d, "add", "ada@example.org", check=False)
    subscribers(d, "forget", "ada@example.org")
    ask(d, "ada@example.org")
    assert states(d) == {} and database(d)["letter"][0][1] == 0, "blocked for ever, forgotten or not"


def test_row_37_limits_on_letters(papers):
    d = papers(proxies=["127.0.0.1"])

    def asked(address, network):
        assert LOOK in ask(d, address, headers={"X-Forwarded-For": network}).text

    def made():
        return len(database(d)["letter"])
    for _ in range(3):
        asked("ada@example.org", "192.0.2.1")
    assert made() == 1, "one a day"
    for _ in range(3):
        later(d, days=1, minutes=1)
        asked("ada@example.org", "192.0.2.1")
    assert made() == 3, "three a month"
    for n in range(8):
        asked(f"n{n}@example.org", f"198.51.100.{n}")
    assert made() == 8, "five from a network"
    for n in range(8):
        asked(f"v{n}@example.org", f"2001:db8:7:{n}::1")
    assert made() == 13, "of IPv6, too"
    assert "v6@example.org" not in states(d), "no row of what is not asked"
    for n in range(400):
        asked(f"m{n}@example.org", f"203.0.{n % 250}.1")
    assert made() == 63, "sixty in an hour, of which ten were here already, and the three of the days before"
    later(d, hours=1, minutes=1)
    asked("z@example.org", "203.0.1.1")
    assert made() == 64
    later(d, days=32)
    states(d)
    assert made() == 0, "they are counted for a month, and go"


def test_row_37_the_hidden_field_and_what_is_no_address(papers):
    d = papers()
    assert LOOK in ask(d, "ada@example.org", website="http://spam.example").text
    assert states(d) == {}
    for wrong in ["", "ada", "a@b@example.org", "ada@example.org\r\nBcc: x@example.org", "a b@example.org",
                  "<ada@example.org>", "a" * 250 + "@example.org", "ada@", "@example.org"]:
        a = ask(d, wrong)
        assert a.status == 400 and "<form" in a.text, wrong
        assert wrong == "" or wrong not in a.text
    assert post(d, "/subscribe/morning", "address=" + "a" * 5000).status == 413
    assert post(d, "/subscribe/morning", "address=%ff@example.org").status == 400
    assert states(d) == {}
    page = d.http("/subscribe/morning").text
    assert "Papers &lt;of&gt; the day" in page and page.count("<input") == 2 and 'name="name"' not in page


def test_row_38_one_answer_for_all(papers):
    d = papers()
    join(d, "active@example.org")
    later(d, hours=25)
    gone = join(d, "left@example.org")
    post(d, "/leave/" + gone["leave"])
    ask(d, "blocked@example.org")
    post(d, "/leave/" + show(d, "blocked@example.org")["leave"])
    later(d, hours=25)
    answers, spent = set(), {}
    for address in ("new@example.org", "active@example.org", "left@example.org", "blocked@example.org"):
        for _ in range(4):
            begun = time.monotonic()
            a = ask(d, address)
            spent.setdefault(address, []).append(time.monotonic() - begun)
            a.headers.pop("date", None)
            answers.add((a.status, a.body, tuple(sorted(a.headers.items()))))
    assert len(answers) == 1
    best = {address: min(times) for address, times in spent.items()}
    assert max(best.values()) < 4 * min(best.values()) + 0.02, best
    assert letters(d, "active@example.org")[-1] == ("already", "due"), "the letter tells it"


def test_row_38_each_request_is_one_commit(papers):
    d = papers()
    d.stop()
    d.start(debug=True)
    ask(d, "ada@example.org")

    def commits():
        return d.log().count("commit done")
    for address in ("ada@example.org", "ada@example.org"):
        before = commits()
        ask(d, address)
        assert commits() > before, "also when there is nothing to store"


def test_row_39_one_row_for_all_spellings(papers):
    d = papers()
    ask(d, "Ada@B\u00fccher.Example")
    ask(d, "ada@xn--bcher-kva.example")
    assert states(d) == {"Ada@B\u00fccher.Example": "pending"}, "as it was typed"
    assert due(d, "ADA@b\u00dcCHER.example") == 1


def test_row_40_an_import_raises_nobody(papers):
    d = papers()
    for name in ("left", "blocked", "bounced", "active", "pending", "forgotten"):
        subscribers(d, "add", f"{name}@example.org", *(["--confirmed"] if name not in ("pending", "blocked") else []))
    subscribers(d, "remove", "left@example.org")
    post(d, "/leave/" + show(d, "blocked@example.org")["leave"])
    bounce(d, "postfix", "bounced@example.org", "5.1.1")
    subscribers(d, "forget", "forgotten@example.org")
    names = ("left", "blocked", "bounced", "active", "pending", "forgotten", "new")
    table = "address,state,confirmed\n" + "".join(f"{n}@example.org,active,2024-01-02T03:04:05Z\n" for n in names)
    got = subscribers(d, "import", "-", given=table.encode())
    assert got == {"added": 0, "asked": 1, "lowered": 0, "same": 2, "kept": 3, "forgotten": 1, "key": 0}
    assert due(d, "new@example.org") == 1 and due(d, "active@example.org") == 0, "who confirmed is not asked again"
    got = subscribers(d, "import", "-", "--confirmed", given=table.encode())
    assert got["added"] == 2 and got["kept"] == 3 and got["forgotten"] == 1
    assert states(d) == {f"{n}@example.org": n if n in ("left", "blocked", "bounced") else "active"
                         for n in names if n != "forgotten"}
    assert show(d, "new@example.org")["confirmed"] == "2024-01-02T03:04:05Z"
    assert due(d, "new@example.org") == 0
    got = subscribers(d, "import", "-", given=b"new@example.org,left\nactive@example.org,blocked\n")
    assert got["lowered"] == 2 and show(d, "active@example.org")["state"] == "blocked"
    done = subprocess.run([program("courant"), "-s", str(d.state), "subscribers", "morning", "import", "-"],
                          input=b"good@example.org\n\nno address\nx@example.org,odd\n", capture_output=True)
    assert done.returncode == 1 and b"-:3: skipped" in done.stderr and b"-:4: skipped" in done.stderr
    assert b"1 will be asked to confirm" in done.stdout


def test_imports_of_other_programs_and_what_is_no_table(papers):
    d = papers()
    other = (b"\xef\xbb\xbf\"Email Address\",\"Name\",\"Status\"\r\n\"ada@example.org\",\"A, \"\"Ada\"\"\",\"x\"\r\n"
             b" bob@example.org ,Bob,\r\n")
    assert subscribers(d, "import", "-", "--confirmed", given=other)["added"] == 2
    assert states(d) == {"ada@example.org": "active", "bob@example.org": "active"}
    assert subscribers(d, "import", "-", given=b"") == {} and subscribers(d, "import", "-", given=b"address\n") == {}
    # Too much for one question, whatever its characters: told, and the rest is read.
    long = b"".join(c * 3000 + b"@example.org\n" for c in [b"a", b"\x01", b"\\"]) * 150 + b"\x01" * 380 + b"\n"
    done = subprocess.run([program("courant"), "-s", str(d.state), "subscribers", "morning", "import", "-",
                           "--confirmed"], input=long + b"\x02" * 399 + b"\n" + b"eve@example.org\n",
                          capture_output=True, timeout=60)
    told = done.stderr.decode().splitlines()
    assert done.returncode == 1 and done.stdout == b"1 added\n" and len(told) == 452
    assert told[0] == "courant: -:1: skipped: it is no UTF-8, or too long"
    assert states(d)["eve@example.org"] == "active"


def test_row_41_who_left_comes_back_by_confirming(papers):
    d = papers()
    key = join(d, "ada@example.org")["leave"]
    post(d, "/leave/" + key)
    later(d, days=2)
    ask(d, "ada@example.org")
    assert show(d, "ada@example.org")["state"] == "left" and due(d, "ada@example.org") == 1
    later(d, days=1)
    assert confirm(d, "ada@example.org").status == 200
    told = show(d, "ada@example.org")
    assert told["state"] == "active" and told["leave"] == key and "ended" not in told
    subscribers(d, "forget", "ada@example.org")
    later(d, days=2)
    ask(d, "ada@example.org")
    assert confirm(d, "ada@example.org").status == 200, "one who was forgotten, too"
    assert subscribers(d, "forget", "ada@example.org") == {"did": "forgotten"}
    assert "no subscriber" in subscribers(d, "show", "ada@example.org", check=False)


def test_row_42_leave_links_survive_export_and_import(papers):
    d = papers()
    key = join(d, 'quo"te,@example.org'.replace('"', "").replace(",", "'"))["leave"]
    other = join(d, "bob@example.org")["leave"]
    table = d.courant("subscribers", "morning", "export").stdout
    assert table.splitlines()[0] == b"address,state,asked,confirmed,ended,leave" and key.encode() in table
    fresh = papers(routes={"renamed": {"from": ["*"], "to": [{"mail": {"subscribe": True}}]}})
    assert subscribers(fresh, "import", "-", "--confirmed", route="renamed", given=table)["added"] == 2
    again = fresh.courant("subscribers", "renamed", "export").stdout
    assert again == table, "nothing is lost"
    later(fresh, days=4000)
    assert post(fresh, "/leave/" + key).status == 200
    assert states(fresh, "renamed") == {"quote'@example.org": "left", "bob@example.org": "active"}
    wrong = f"eve@example.org,active,,,,{other}\n".encode()
    assert subscribers(fresh, "import", "-", route="renamed", given=wrong)["key"] == 1


def test_the_route_s_new_name_in_the_same_database(papers):
    d = papers()
    key = join(d, "ada@example.org")["leave"]
    table = d.courant("subscribers", "morning", "export").stdout
    d.routes["evening"] = d.routes.pop("morning")
    d.write()
    d.courant("reload")
    assert subscribers(d, "import", "-", "--confirmed", route="evening", given=table)["added"] == 1
    assert post(d, "/leave/" + key).status == 200
    assert states(d, "evening") == {"ada@example.org": "left"} == states(d)


def sample(name, address, status="5.1.1", key="nokey"):
    text = (TREE / "tests" / "mail" / f"{name}.eml").read_text()
    for word, value in [("address", address), ("status", status), ("key", key)]:
        text = text.replace("{" + word + "}", value)
    return text


def bounce(d, name, address, status="5.1.1", key="nokey", check=True):
    done = subprocess.run([program("courant"), "-s", str(d.state), "bounce"], capture_output=True, timeout=60,
                          input=sample(name, address, status, key).encode())
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("server", ["postfix", "exim", "opensmtpd", "exchange"])
def test_row_43_a_dsn_ends_the_mail_to_its_reader(papers, server):
    d = papers()
    for name in ("ada", "bob"):
        subscribers(d, "add", f"{name}@example.net", "--confirmed")
    assert "ada@example.net of morning is bounced" in bounce(d, server, "Ada@Example.NET")
    assert states(d) == {"ada@example.net": "bounced", "bob@example.net": "active"}
    key = show(d, "bob@example.net")["leave"]
    said = bounce(d, server, "forwarded@elsewhere.example", key=key.upper())
    by_key = server in ("postfix", "opensmtpd")     # whose sample has it in the envelope
    assert states(d)["bob@example.net"] == ("bounced" if by_key else "active")
    assert by_key or "no subscriber" in said
    later(d, days=2)
    ask(d, "ada@example.net")
    confirm(d, "ada@example.net")
    assert show(d, "ada@example.net")["state"] == "active", "the mailbox is back"


def test_row_43_what_does_not_last_counts_slowly(papers):
    d = papers()
    subscribers(d, "add", "ada@example.net", "--confirmed")
    for status in ("4.4.7", "5.7.1", "2.0.0"):
        bounce(d, "postfix", "ada@example.net", status)
        assert "soft" not in show(d, "ada@example.net"), status
    for n in range(1, 5):
        bounce(d, "opensmtpd", "ada@example.net", "5.2.2")
        assert show(d, "ada@example.net")["soft"] == n and states(d) == {"ada@example.net": "active"}
    later(d, days=7, minutes=1)
    bounce(d, "exim", "ada@example.net", "5.2.1")
    assert states(d) == {"ada@example.net": "bounced"}


def test_row_43_what_is_no_dsn_is_left_alone_and_ends_well(papers):
    d = papers()
    subscribers(d, "add", "ada@example.net", "--confirmed")
    before = database(d)
    for mail in [b"", b"Subject: out of office\n\nI am away, ada@example.net 5.1.1\n", b"\xff\x00" * 5000,
                 sample("postfix", "ada@example.net").replace("message/delivery-status", "text/plain").encode(),
                 sample("postfix", "ada@example.net").replace("Action: failed", "Action: delayed").encode(),
                 sample("postfix", "nobody@example.net").encode()]:
        done = subprocess.run([program("courant"), "-s", str(d.state), "bounce"], input=mail, capture_output=True)
        assert done.returncode == 0, (mail, done.stderr)
    assert database(d) == before


def test_subscribe_needs_a_public_https_address(papers, daemon):
    d = papers()
    for base in ("http://papers.example.org", None):
        d.settings["serve"] = {"listen": "127.0.0.1:0", **({"base": base} if base else {})}
        d.write()
        line = next(n for n, text in enumerate(d.conf.read_text().splitlines(), 1) if "mail: { subscribe" in text)
        status, said = d.run("-n")
        assert status != 0
        assert f"courant.yaml:{line}: route morning: mail: subscribe needs serve.base with https" in said
    d.settings["serve"]["base"] = "https://papers.example.org"
    d.routes["morning"]["to"] = [{"jsonl": {"path": "a.jsonl", "subscribe": True}}]
    d.write()
    assert "subscribe" in d.run("-n")[1], "no option of a sink that sends no mail"
    for name in ("subscribe/x.jsonl", "./confirm/a", "leave"):
        d.routes["morning"]["to"] = [{"jsonl": {"path": name}}]
        d.write()
        assert "names of the daemon's own pages" in d.run("-n")[1], name


def test_a_proxy_that_is_not_named_is_told(papers):
    d = papers()
    said = d.run("-n")[1]
    assert "warning: serve: without `proxies: [ADDRESS]` all who subscribe" in said, said
    d.settings["serve"]["proxies"] = ["127.0.0.1"]
    d.write()
    status, said = d.run("-n")
    assert status == 0 and "proxies" not in said


def test_what_is_answered_is_on_disk(papers):
    d = papers()
    key = join(d, "ada@example.org")["leave"]
    assert post(d, "/leave/" + key).status == 200
    d.kill()
    d.start()
    assert states(d) == {"ada@example.org": "left"}


def test_without_the_store_it_is_said_to_come_again(papers):
    import os
    import signal
    d = papers()
    store = d.pids()["store"]
    address = d.address()
    os.kill(store, signal.SIGSTOP)
    try:
        s = socket.create_connection(address, timeout=60)
        s.sendall(b"POST /leave/" + b"a" * 26 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    finally:
        os.kill(store, signal.SIGCONT)
    assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: " in answer
    assert until(lambda: post(d, "/leave/" + "a" * 26).status == 200, 20, "the store is back")


def test_no_address_in_the_log(papers):
    d = papers()
    d.stop()
    d.start(debug=True)
    key = join(d, "secret.reader@example.org")["leave"]
    subscribers(d, "import", "-", given=b"other.reader@example.org\n")
    assert "skipped" in subscribers(d, "import", "-", given=b"bad reader@example.org\n", check=False)
    ask(d, "not an address of.a.reader@")
    bounce(d, "postfix", "other.reader@example.org", "5.2.2")
    post(d, "/leave/" + key)
    subscribers(d, "forget", "other.reader@example.org")
    assert d.stop() == 0
    assert "reader" not in d.log().replace("/reader", "")
