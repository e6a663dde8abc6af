"""The archive of editions: what is kept of them, how a reader walks through it, and what a page says."""
import datetime
import os
import signal


from test_editions import EVERY, PARIS, editions, entries, guids, issue_plugin, issues, states, weekly  # noqa: F401
from test_face import poll


def day(n, hour=7, minute=0):
    return 2025, 3, n, hour, minute


def test_row_32_an_edition_an_hour_overdue_shows_in_the_status(weekly, origin):  # noqa: F811
    d = weekly(*day(10, 12))
    poll(d, origin, "a", entries(1))
    d.clock.until(*day(11, 6, 30))
    (file,) = d.state.glob("*.db")
    kept = {p: p.with_name("kept-" + p.name) for p in d.state.glob("*.db*")}
    d.clock.settles = False
    for p, to in kept.items():
        p.rename(to)
    file.mkdir()                                # a store that cannot open its database
    os.kill(d.pids()["store"], signal.SIGKILL)
    d.clock.until(*day(11, 7, 0), wait=False)
    d.clock.until(*day(11, 7, 59), wait=False)
    (m,) = [r for r in d.status()["routes"] if r["name"] == "m"]
    assert "overdue" not in m
    d.clock.until(*day(11, 8, 1), wait=False)
    (m,) = [r for r in d.status()["routes"] if r["name"] == "m"]
    assert m["overdue"] == {"name": "2025-03-11", "due": "2025-03-11T06:00:00Z"}
    assert "edition 2025-03-11 is overdue" in " ".join(d.courant("status").stdout.decode().split())
    file.rmdir()
    for p, to in kept.items():
        to.rename(p)
    d.until(d.ready)
    d.clock.settles = True
    d.clock.look()
    assert states(d) == {"2025-03-11": "sealed"} and guids(d) == ["i-1"]
    assert all("overdue" not in r for r in d.status()["routes"])


def test_an_empty_edition_is_sent_to_those_who_asked_for_it(weekly, origin):  # noqa: F811
    d = weekly(*day(10, 12), edition={**EVERY, "empty": "send"})
    issue_plugin(d)
    d.routes["m"]["to"].append({"issue": {}})
    d.write()
    d.courant("reload")
    d.clock.until(*day(11))
    assert [(i["name"], i["guids"]) for i in issues(d)] == [("2025-03-11", [])]
    (e,) = editions(d)["editions"]
    assert (e["state"], e["records"], e["why"]) == ("sealed", 0, "there was nothing new")
    assert guids(d) == [], "a sink of records has none to get"
    poll(d, origin, "a", entries(1))
    assert d.stop() == 0
    d.start()
    d.clock.until(*day(12))
    d.clock.until(*day(13))
    assert [(i["name"], i["guids"]) for i in issues(d)] == [
        ("2025-03-11", []), ("2025-03-12", ["i-1"]), ("2025-03-13", [])]
    assert guids(d) == ["i-1"]
    assert not [line for line in d.log().splitlines() if "has no record" in line]
    d.courant("replay", "m/issue", "--since", "2025-03-10", "--again")
    d.until(lambda: len(issues(d)) == 6)
    assert sorted(i["name"] for i in issues(d)[3:]) == ["2025-03-11", "2025-03-12", "2025-03-13"]
    counted = next(r for r in d.status()["routes"] if r["name"] == "m")
    assert counted["kept"] == 1 and all(s["unconfirmed"] == 0 for s in counted["sinks"])
