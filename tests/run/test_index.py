"""The role index: its file may be deleted, damaged, of another version, without room; it comes back, and
nothing else stops."""
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from courant import rss

WORDS = [a + b for a in ("sol", "mar", "ven", "ter", "lun", "jup", "sat", "nep") for b in
         ("ana", "eko", "iru", "oma", "uze", "abi", "edo", "igu", "osa", "uli")]


def item(n, text=""):
    rng = random.Random(n)
    words = " ".join(rng.choice(WORDS) for _ in range(30))
    return (f"<item><guid isPermaLink=\"false\">g{n}</guid><title>Unit q{n}z of {rng.choice(WORDS)}</title>"
            f"<link>https://example.org/{n}</link><description>{text or words}</description></item>")


def feed(origin, first, last, name="f.xml"):
    return {"one": {"plugin": "feed", "url": origin.put(name, rss([item(n) for n in range(first, last + 1)])),
                    "every": "1 h"}}


def all_found(d, first, last, step=37):
    for n in range(first, last + 1, step):
        got = d.search(f"q{n}z")
        assert [s["title"].split()[1] for s in got["stories"]] == [f"q{n}z"], (n, got)


def rows(d):
    """(rows in the file, rows that are counted, cursor)"""
    with contextlib.closing(sqlite3.connect(f"file:{d.state}/index/index.db?mode=ro", uri=True)) as db:
        (n, docs), = db.execute("SELECT n, docs FROM at")
        everything, = db.execute('SELECT count(*) FROM f WHERE f MATCH \'"\ue000"\'').fetchone()
        return everything, docs, n


def kill_index(d):
    """Whether the role ran, and was killed. While it is down its pid is 0, which means this process's group."""
    pid = d.pids()["index"]
    if not pid:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


@pytest.fixture
def daemon_of_500(daemon, origin):
    d = daemon(feed(origin, 1, 500), {"all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.start().settled().indexed()
    d.origin = origin
    return d


def still_works(d, first, last):
    """Records come in, are delivered and answered, while the index is away or not."""
    d.origin.put("f.xml", rss([item(n) for n in range(first, last + 1)]))
    d.refresh("one")
    d.until_lines(last)
    assert d.http("/api/v1/records?limit=1").status == 200


def test_a_file_that_is_deleted_is_built_anew(daemon_of_500):
    d = daemon_of_500
    all_found(d, 1, 500, 99)
    for each in ("index.db", "index.db-wal", "index.db-shm"):
        (d.state / "index" / each).unlink(missing_ok=True)
    since = len(d.log())
    got = d.search("q7z", check=False)
    assert got is None or got["indexed"]["why"] == "it was deleted or replaced", got
    still_works(d, 501, 520)
    d.wait_log(r"index\[\d+\]: \S+/index.db: built anew: it was deleted or replaced", since=since)
    d.indexed()
    all_found(d, 1, 520, 99)
    assert rows(d)[:2] == (520, 520)
    assert d.stop() == 0


def test_a_folder_that_is_deleted_is_made_again(daemon_of_500):
    d = daemon_of_500
    subprocess.run(["rm", "-r", str(d.state / "index")], check=True)
    still_works(d, 501, 520)
    d.wait_log("its folder is gone: this role starts again")
    d.indexed()
    all_found(d, 1, 520, 99)


def test_a_damaged_file_is_built_anew(daemon_of_500):
    d = daemon_of_500
    path = d.state / "index" / "index.db"
    for where in ("running", "stopped", "no database"):
        if where != "running":
            assert d.stop() == 0
        since = len(d.log())
        with open(path, "r+b") as f:
            size = path.stat().st_size
            f.seek(0 if where == "no database" else 4096)
            f.write(b"\xa5" * (100 if where == "no database" else size - 4096))
        for each in ("index.db-wal", "index.db-shm"):
            if where != "running":
                (d.state / "index" / each).unlink(missing_ok=True)
            elif each.endswith("wal"):
                (d.state / "index" / each).write_bytes(b"\xa5" * 100)
        if where == "running":          # what is in its memory is not read again
            assert kill_index(d)
            still_works(d, 501, 520)
        else:
            d.start()
        d.until(lambda: "built anew" in d.log()[since:], 20, "a search or a batch met the damage")
        d.settled().indexed()
        all_found(d, 1, 520 if where == "running" else 500, 99)


def test_a_file_of_another_version_or_database_is_built_anew(daemon_of_500):
    d = daemon_of_500
    for sql in ("PRAGMA user_version = 99", "UPDATE at SET words = 99", "UPDATE at SET seed = 1",
                "UPDATE at SET n = 100000", "DROP TABLE sig", "DELETE FROM at"):
        assert d.stop() == 0
        with contextlib.closing(sqlite3.connect(d.state / "index" / "index.db")) as db:
            db.execute(sql)
            db.commit()
        d.own(d.state / "index")
        since = len(d.log())
        d.start()
        d.wait_log("built anew", since=since)
        d.indexed()
        all_found(d, 1, 500, 199)
        assert rows(d)[:2] == (500, 500), sql


def test_without_room_on_the_disk_search_says_so_and_comes_back(daemon, origin):
    d = daemon(feed(origin, 1, 100), {"all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.origin = origin
    folder = d.state / "index"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "none", str(folder)],
                      capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        d.own(folder)
        d.start().settled().indexed()
        ballast = folder / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", 0) as f:
            while f.write(b"x" * 4096):
                pass
        still_works(d, 101, 2000)
        d.until(lambda: d.status()["index"]["waiting"], 20, "the index waits")
        assert "full" in d.status()["index"]["why"], d.status()["index"]
        assert "waits" in d.courant("status").stdout.decode()
        all_found(d, 1, 100)                # what is indexed is found
        got = d.search("q7z")
        assert got["indexed"]["n"] < got["indexed"]["of"] and "full" in got["indexed"]["why"], got
        d.wait_log("indexing waits")
        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
        d.indexed()
        all_found(d, 1, 2000, 199)
        assert rows(d)[:2] == (2000, 2000)
        assert d.stop() == 0
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def test_kills_while_indexing_lose_and_double_nothing(daemon, origin):
    d = daemon(feed(origin, 1, 3000), {"all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.origin = origin
    d.start()
    rng = random.Random(5)
    kills = 0
    for _ in range(7):                      # its delay doubles each time
        d.until(lambda: d.pids()["index"], 30, "index runs")
        time.sleep(rng.uniform(0, 0.3))     # anywhere in its work: no event to wait for
        kills += kill_index(d)
    assert kills >= 5
    d.settled(60).indexed(60)
    assert rows(d) == (3000, 3000, d.status()["counts"]["head"])
    all_found(d, 1, 3000, 211)
    d.kill()                                # all of it, in the middle of a rebuild
    (d.state / "index" / "index.db").unlink()
    d.start(wait=False)
    d.until(lambda: (d.state / "index" / "index.db.next").exists(), 20, "the rebuild has begun", every=0.001)
    d.kill()
    d.start().indexed(60)
    assert rows(d)[:2] == (3000, 3000)
    all_found(d, 1, 3000, 499)


def test_a_revised_record_is_found_by_its_last_version_alone(daemon_of_500):
    d = daemon_of_500
    d.origin.put("f.xml", rss([item(7, "entirely rewritten").replace("Unit q7z", "Unit fresh7")]))
    d.refresh("one")
    d.indexed()
    assert [s["title"] for s in d.search("\"entirely rewritten\"")["stories"]][0].startswith("Unit fresh7")
    assert d.search("in:title q7z")["step"] != "all"
    assert rows(d)[:2] == (501, 501)


def test_hidden_stories_are_in_no_answer(daemon_of_500):
    d = daemon_of_500
    rid = d.search("q9z")["stories"][0]["id"]
    d.courant("hide", rid, "--why", "a test")
    for query in ("q9z", rid, "https://example.org/9", f"like:{rid}"):
        assert rid not in [s["id"] for s in d.search(query)["stories"]], query
    other = d.search("q10z")["stories"][0]["id"]
    assert rid not in [s["id"] for s in d.search(other, "--limit", "500", command="similar")["stories"]]
    d.courant("unhide", rid)
    assert [s["id"] for s in d.search("q9z")["stories"]] == [rid]


def test_searches_leave_the_logs_bounded_and_commits_on_time(daemon, origin):
    """100 searches a second, while records come in."""
    d = daemon(feed(origin, 1, 2000), {"all": {"from": ["*"], "to": {"jsonl": {"path": "all.jsonl"}}}})
    d.origin = origin
    d.start().settled().indexed()
    stop, asked, failed = threading.Event(), [0], []

    def ask():
        rng = random.Random(threading.get_ident())
        while not stop.is_set():
            begun = time.monotonic()
            got = d.search(" ".join(rng.sample(WORDS, 2)), check=False)
            if got is None:
                failed.append(1)
            asked[0] += 1
            stop.wait(max(0, 0.08 - (time.monotonic() - begun)))
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for t in threads:
        t.start()
    begun = time.monotonic()
    try:
        for n in range(2100, 4001, 100):
            still_works(d, n - 99, n)
            for name in ("courant.db-wal", "index/index.db-wal"):
                assert (d.state / name).stat().st_size < 64 << 20, name
        took = time.monotonic() - begun
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert asked[0] > 100 and len(failed) < asked[0] / 10, (asked, len(failed), took)
    d.indexed()
    all_found(d, 1, 4000, 499)
