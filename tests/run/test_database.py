"""A database that is locked, read-only, damaged or newer: a message, an exit code, no new one."""
import os
import sqlite3

import pytest

from courant import TREE, numbered, rss
from test_path import EVERYTHING, sources


@pytest.fixture
def filled(daemon, origin):
    """A stopped daemon whose database holds three records."""
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url}), EVERYTHING).start()
    d.until_lines(3)
    d.settled()
    assert d.stop() == 0
    d.database = next(p for p in d.state.iterdir() if p.suffix in (".db", ".sqlite"))
    return d


def refused(d, code, pattern):
    """It ends by itself, with this status, says why, and leaves the file as it was."""
    import re
    before = d.database.read_bytes()
    status, said = d.run()
    assert status == code, (status, said)
    assert re.search(pattern, said), said
    assert d.database.name in said
    assert d.database.read_bytes() == before


def test_a_newer_version_is_refused_and_left_untouched(filled):
    with sqlite3.connect(filled.database) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version = {version + 1}")
    db.close()
    filled.own(filled.state)
    refused(filled, 65, "newer version")


def test_a_database_of_the_first_version_goes_on(daemon, origin):
    d = daemon(routes={"all": {"from": ["*"], "to": [{"jsonl": {"path": "all.jsonl"}}]}})
    url = origin.put("a.xml", rss(numbered(1, 6, "a")))
    old = (TREE / "tests/run/schema1.sql").read_text().replace("http://127.0.0.1:9/a.xml", url)
    with sqlite3.connect(d.state / "courant.db") as db:
        db.executescript(old)
        known = {row[0] for row in db.execute("SELECT hex(rid) FROM item")}
    db.close()
    d.own(d.state)
    d.sources = {"a": {"plugin": "feed", "url": url}}
    d.write()
    d.start().refresh("a")
    assert [r["guid"] for r in d.until_lines(2)] == ["a-5", "a-6"]   # the rest was delivered then
    d.wait_log(r"brought from schema 1 to \d+")
    assert d.stop() == 0
    with sqlite3.connect(d.state / "courant.db") as db:
        assert known < {row[0] for row in db.execute("SELECT hex(rid) FROM item")}
        assert db.execute("SELECT count(*) FROM item").fetchone() == (6,)
    db.close()


def test_a_file_that_is_no_database_is_refused(filled):
    filled.database.write_bytes(b"Dear diary, today I was a text file.\n" * 100)
    refused(filled, 66, "not a database")


def test_another_programs_database_is_refused(filled):
    filled.database.unlink()
    with sqlite3.connect(filled.database) as db:
        db.execute("CREATE TABLE theirs (x)")
        db.execute("INSERT INTO theirs VALUES (1)")
    db.close()
    filled.own(filled.state)
    refused(filled, 66, "not Courant's")


def test_a_damaged_database_is_refused(filled):
    data = bytearray(filled.database.read_bytes())
    data[100:4096] = b"\xa5" * (4096 - 100)
    filled.database.write_bytes(data)
    refused(filled, 66, "damaged|malformed|corrupt")


def test_a_database_that_another_process_keeps_locked_is_refused(filled):
    db = sqlite3.connect(filled.database, isolation_level=None)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    db.execute("CREATE TABLE lock_holder (x)")
    filled.own(filled.state)
    try:
        status, said = filled.run()
    finally:
        db.close()
    assert status == 75, (status, said)
    assert "lock" in said


def test_a_database_that_cannot_be_written_is_refused(filled):
    if os.geteuid() == 0:
        os.chown(filled.database, 0, 0)
    filled.database.chmod(0o444)
    refused(filled, 73, "cannot be written|read-only|readonly")


def test_a_second_daemon_on_the_same_state_is_refused_and_the_first_goes_on(filled):
    filled.start()
    pids = filled.pids()
    status, said = filled.run()
    assert status not in (0, None) and "another" in said or "already" in said, (status, said)
    assert filled.pids() == pids
    filled.refresh("one")


def test_records_survive_every_refusal(filled):
    data = filled.database.read_bytes()
    filled.database.write_bytes(b"x" * 4096)
    assert filled.run()[0] == 66
    filled.database.write_bytes(data)
    filled.start()
    assert filled.records() == 3
