"""What a stream may do beyond its own memory: what its plugin asks for and the operator allows."""
import shutil
import socket

import pytest

from courant import BUILD

FOLDER = BUILD / "tests" / "plugins"
KINDS = ("nothing", "files", "sockets", "commands")
WORDS = {"sockets": "to open sockets", "commands": "to run commands"}


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made.getsockname()[1]


def reach(d, port, kinds=KINDS, allow=()):
    """A daemon with a stream of each kind; all tell what they could do."""
    where = d.folder / "plugins"
    where.mkdir(exist_ok=True)
    secret = d.folder / "secret"
    secret.write_text("x")
    for kind in kinds:
        shutil.copy(FOLDER / f"source_reach_{kind}.so", where)
        (where / f"source_reach_{kind}.so").chmod(0o755)
        d.sources[kind] = {"plugin": f"reach_{kind}", "port": port, "outside": str(secret)}
    d.settings.update({"plugins": [str(where)], "allow": [f"source_reach_{a}" for a in allow]})
    d.routes = {"all": {"from": ["*"], "once": "record", "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    return d


def told(d, kind):
    """What a stream of the kind could do, and why it could not do the rest."""
    d.until(lambda: d.out("all.jsonl").exists() and
            len([r for r in d.lines() if r["source"] == kind]) == 7, 20, f"{kind} has told")
    return {r["guid"]: r["title"] for r in d.lines() if r["source"] == kind}


def done(d, kind):
    return {what for what, how in told(d, kind).items() if how == "done"}


@pytest.mark.sandbox
@pytest.mark.parametrize("kind, may", [
    ("nothing", set()), ("files", {"own"}), ("sockets", {"tcp", "names"}),
    ("commands", {"tcp", "outside", "names", "users", "command", "others"})])
def test_a_stream_may_do_what_it_was_granted_and_nothing_else(daemon, listener, abi, kind, may):
    d = reach(daemon(), listener, [kind], [kind])
    d.start()
    could = done(d, kind)
    version = d.status()["landlock"]
    if version == 0:
        pytest.skip("this kernel has no Landlock")
    could.discard("own" if kind == "commands" else "")  # wherever the daemon was started
    assert could == may - ({"others"} if version >= 6 else set()), told(d, kind)
    for what, how in told(d, kind).items():
        assert how in ("done", "Function not implemented", "Permission denied",
                       "Operation not permitted"), (what, how)
    if kind == "nothing":
        assert "denied: socket" in d.log() and "denied: openat" in d.log()
    assert d.source(kind)["state"] == "ok"


def test_files_are_in_a_folder_of_each_source_that_stays(daemon, listener):
    d = reach(daemon(), listener, ["files"])
    d.sources["second"] = dict(d.sources["files"])
    d.write()
    d.start()
    for kind in ("files", "second"):
        assert "own" in done(d, kind)
    kept = sorted(d.state.glob("files/source-*/kept"))
    assert len(kept) == 2 and all(k.read_text() == "x" for k in kept)
    assert all(k.parent.stat().st_mode & 0o777 == 0o700 for k in kept)
    assert d.stop() == 0
    d.start()
    d.until(lambda: d.source("files")["streaming"], 10, "it runs again")
    assert sorted(d.state.glob("files/source-*/kept")) == kept


def test_what_is_not_allowed_waits_with_its_reason_and_the_others_run(daemon, listener):
    d = reach(daemon(), listener)
    d.start()
    for kind in ("nothing", "files"):
        told(d, kind)
    for kind, word in WORDS.items():
        source = d.source(kind)
        assert source["state"] == "waiting" and not source["pid"], source
        reason = f"waiting for plugin source_reach_{kind}: it wants "
        assert reason in source["error"], source
        assert word in source["error"] and f"allow: [source_reach_{kind}]" in source["error"]
        assert source["error"] in d.courant("status").stdout.decode()
        code, said = d.run("-n")
        assert code == 1 and source["error"] in said, said
        assert source["error"].encode() in d.courant("refresh", kind, check=False).stderr


def test_a_grant_comes_and_goes_with_a_reload(daemon, listener):
    d = reach(daemon(), listener, ["sockets", "nothing"])
    d.start()
    pid = d.until(lambda: d.source("nothing")["pid"], 10, "the other runs")
    assert d.source("sockets")["state"] == "waiting"
    d.settings["allow"] = ["source_reach_sockets"]
    d.write()
    d.courant("reload")
    assert "tcp" in done(d, "sockets")
    granted = d.source("sockets")["pid"]
    d.settings["allow"] = []
    d.write()
    d.courant("reload")
    d.until(lambda: d.source("sockets")["state"] == "waiting", 10, "it waits again")
    d.until(lambda: granted not in [w["pid"] for w in d.status()["workers"]], 10, "it is gone")
    assert d.source("nothing")["pid"] == pid, "nobody else is disturbed"


def test_allow_names_plugins_and_a_mistake_in_it_is_told(daemon, listener):
    d = reach(daemon(), listener, ["sockets"])
    d.settings["allow"] = ["reach_sockets"]
    d.write()
    code, said = d.run("-n")
    assert code == 1 and "allow: `reach_sockets` names no plugin" in said, said
