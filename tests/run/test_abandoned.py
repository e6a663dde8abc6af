"""Outputs that nobody writes any more: named, answered 410, and deleted only when an operator says so."""
import copy
import os
import shutil

import pytest

from courant import BUILD, numbered, rss

ROUTES = {"kept": {"from": ["*"], "to": [{"feed": {"path": "all"}}, {"jsonl": {"path": "all.jsonl"}}]},
          "old": {"from": ["*"], "to": [{"feed": {"path": "sub/old", "formats": ["rss"]}}, {"jsonl": {"path": "old.jsonl"}}]}}


@pytest.fixture
def d(daemon, origin):
    made = daemon({"a": {"plugin": "feed", "url": origin.put("a.xml", rss(numbered(1, 3, "a"))), "every": "1 h"}},
                  copy.deepcopy(ROUTES))
    made.start().settled()
    made.until(lambda: all(made.out(f).exists() for f in ("all.rss", "all.json", "all.jsonl", "sub/old.rss", "old.jsonl")), 10,
               "all outputs are written")
    return made


def abandoned(d):
    return {o["file"]: o["route"] for o in d.status()["abandoned"] or []}


def reload(d):
    d.write()
    d.courant("reload")
    d.until(lambda: [r["name"] for r in d.status()["routes"]] == list(d.routes), 10, "the reload is taken")


def drop(d, file):
    done = d.courant("drop", "--output", file, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_the_files_of_a_removed_route_are_named_and_gone_for_readers(d):
    assert abandoned(d) == {} and d.http("/old.jsonl").status == 200
    (d.state / "out" / "robots.txt").write_text("by hand\n")
    shutil.copy(d.out("old.jsonl"), d.out("old.jsonl.2026-11-20"))
    since = len(d.log())
    del d.routes["old"]
    reload(d)
    gone = {"sub/old.rss": "old", "old.jsonl": "old", "old.jsonl.2026-11-20": "old"}
    assert abandoned(d) == gone
    for file in gone:
        d.wait_log(f"warning: output {file} is written by nobody any more, since route old does not", since=since)
        assert d.http("/" + file).status == 410
        assert f"drop --output {file}" in d.courant("status").stdout.decode()
    assert b"old" not in d.http("/").body
    for file in ("all.rss", "all.jsonl", "robots.txt"):
        assert d.http("/" + file).status == 200, file
    assert b"abandoned" not in d.http("/api/v1/status").body
    os.kill(d.pids()["serve"], 9)
    d.until(d.ready)
    assert d.http("/old.jsonl").status == 410, "serve that was started again knows"
    assert d.stop() == 0
    d.start()
    assert abandoned(d) == gone and d.http("/sub/old.rss").status == 410, "and after a restart"


def test_a_route_removed_while_the_daemon_was_down(d):
    assert d.stop() == 0
    del d.routes["old"]
    d.write()
    d.start()
    assert set(abandoned(d)) == {"sub/old.rss", "old.jsonl"}
    d.wait_log("output old.jsonl is written by nobody")


def test_a_removed_format_is_gone_at_once_and_comes_back(d):
    d.routes["kept"]["to"][0]["feed"]["formats"] = ["atom"]
    reload(d)
    assert abandoned(d) == {"all.rss": "kept", "all.json": "kept"}
    assert [d.http(f"/all.{s}").status for s in ("rss", "atom", "json", "jsonl")] == [410, 200, 410, 200]
    d.routes["kept"]["to"][0]["feed"]["formats"] = ["atom", "rss"]
    reload(d)
    d.until(lambda: d.http("/all.rss").status == 200, 10, "the format is back")
    assert abandoned(d) == {"all.json": "kept"}


def test_a_path_that_moves_leaves_the_old_file_to_nobody(d):
    d.routes["kept"]["to"][1]["jsonl"]["path"] = "next/all.jsonl"
    reload(d)
    assert abandoned(d) == {"all.jsonl": "kept"} and d.http("/all.jsonl").status == 410
    assert d.http("/all.json").status == 200


def test_a_plugin_that_is_missing_abandons_nothing(daemon, origin):
    d = daemon({"a": {"plugin": "feed", "url": origin.put("a.xml", rss(numbered(1, 1))), "every": "1 h"}})
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(BUILD / "tests" / "plugins" / "sink_trial.so", where)
    (where / "sink_trial.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]
    d.routes = {"r": {"from": ["a"], "to": {"trial": {"path": "trial.out"}}}}
    d.write()
    d.start().settled()
    assert d.http("/trial.out").status == 200
    (where / "sink_trial.so").unlink()
    d.until(lambda: "waiting" in d.route("r")["sinks"][0]["state"], 10, "the plugin is gone")
    assert abandoned(d) == {} and d.http("/trial.out").status == 200


def test_drop_deletes_an_abandoned_output_and_nothing_else(d):
    del d.routes["old"]
    reload(d)
    out = d.out("")
    (out / "robots.txt").write_text("by hand\n")
    (d.state / "secret").write_text("secret\n")
    (out / "old.jsonl.link").symlink_to(d.state / "secret")
    before = sorted(p for p in d.state.rglob("*") if "courant.db" not in p.name)
    for file in ("all.rss", "all.jsonl", "robots.txt", "nothing", "", "/old.jsonl", "./old.jsonl", "sub/../old.jsonl", "sub",
                 "sub//old.rss", "../secret", "../courant.db", "old.jsonl.link", str(out / "old.jsonl"), "old.jsonl/", "old"):
        code, said = drop(d, file)
        assert code == 1 and said, (file, said)
    assert sorted(p for p in d.state.rglob("*") if "courant.db" not in p.name) == before
    code, said = drop(d, "old.jsonl")
    assert code == 0 and "old.jsonl is deleted" in said
    assert not d.out("old.jsonl").exists() and abandoned(d) == {"sub/old.rss": "old"}
    d.until(lambda: d.http("/old.jsonl").status == 404, 10, "then there is none")
    # a folder that became a link leads nowhere
    shutil.move(out / "sub", d.folder / "moved")
    (out / "sub").symlink_to(d.folder / "moved")
    assert drop(d, "sub/old.rss")[0] == 1 and (d.folder / "moved" / "old.rss").exists()
    assert d.courant("drop", check=False).returncode == 2
    assert d.courant("drop", "old.jsonl", check=False).returncode == 2
