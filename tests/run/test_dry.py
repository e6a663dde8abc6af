"""courantd -n: what would keep the daemon from starting is found as the user that will run, and nothing
is written."""
import copy
import os
import re
import shutil
import socket

import pytest

from courant import folder

ROUTES = {"all": {"from": ["*"], "to": [{"feed": {"path": "all"}}, {"jsonl": {"path": "sub/all.jsonl"}}]}}
SOURCE = {"one": {"plugin": "feed", "url": "http://127.0.0.1:1/f.xml", "every": "1 h"}}
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def good(daemon):
    d = daemon(copy.deepcopy(SOURCE), copy.deepcopy(ROUTES))
    code, said = d.run("-n")
    assert code == 0, said
    return d


def tree(d):
    return sorted((str(p), p.stat().st_mode, p.stat().st_uid) for p in d.folder.rglob("*"))


def refused(d, *patterns, how=("-n",)):
    """It fails, with a line for each pattern, and leaves all as it was."""
    before = tree(d)
    code, said = d.run(*how)
    assert code == 1, (code, said)
    for pattern in patterns:
        assert re.search(pattern, said, re.M), (pattern, said)
    assert tree(d) == before


def line(d, text):
    return next(i for i, each in enumerate(d.conf.read_text().splitlines(), 1) if text in each)


@root
def test_files_that_the_user_cannot_read_are_found(good):
    d, where = good, folder()
    for name, text in (("list", "https://x.example/f\n"), ("key", "secret\n"), ("ca.pem", "x\n")):
        (where / name).write_text(text)
        (where / name).chmod(0o600)
    closed = where / "closed"
    (closed / "below").mkdir(parents=True)
    closed.chmod(0o700)
    d.settings.update(ca=str(where / "ca.pem"), files=[str(closed / "below")])
    d.sources["many"] = {"plugin": "feed", "each_file": str(where / "list"), "url": "{each}"}
    d.sources["json"] = {"plugin": "json", "url": "http://127.0.0.1:1/", "items": ".", "every": "1 h",
                         "auth": {"bearer_file": str(where / "key")}}
    d.write()
    refused(d, *(rf"courant.yaml:\d+: .*{name}.*Permission denied" for name in ("ca.pem", "list", "key", "below")))
    code, said = d.run()
    assert code == 1 and said.count("error: ") >= 4, "and it does not start"
    assert all("error: " in each or "warning: " in each for each in said.splitlines()), said
    shutil.rmtree(where)


@root
def test_a_configuration_that_a_reload_cannot_read_is_told(good):
    good.conf.chmod(0o600)
    code, said = good.run("-n")
    assert code == 0 and re.search(r"warning: .*courant.yaml: .*reload", said), said


@root
def test_root_without_a_user_is_refused(good):
    good.write(user=None)
    refused(good, r"courant.yaml: started as root: say whom to run as")
    assert good.run("-n", "-u", "nobody")[0] == 0
    refused(good, r"no user no-such-user", how=("-n", "-u", "no-such-user"))


def test_an_address_where_it_cannot_listen_is_refused(good):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        good.write(serve={"listen": at})
        refused(good, rf"courant.yaml:{line(good, at)}: serve: listen: {at}: Address already in use")
    good.write(serve={"listen": "192.0.2.1:80"})
    refused(good, r"192.0.2.1:80: Cannot assign requested address")


def test_what_a_running_daemon_holds_is_no_mistake(good):
    with socket.create_server(("127.0.0.1", 0)) as free:
        at = f"127.0.0.1:{free.getsockname()[1]}"
    good.write(serve={"listen": at})
    good.start()
    pids = good.pids()
    code, said = good.run("-n")
    assert code == 0, said
    assert good.http("/healthz").status == 200 and good.pids() == pids
    assert good.stop() == 0


def test_a_state_folder_that_cannot_be_had_is_refused(good):
    file = good.folder / "file"
    file.touch()
    good.write(state=str(file))
    refused(good, rf"courant.yaml:{line(good, 'state:')}: state: {file}: Not a directory")
    good.write(state=str(good.folder / "no" / "parent"))
    refused(good, r"state: .*/no/parent: No such file or directory")
    good.write(state=str(good.folder / "new" if os.geteuid() == 0 else good.state / "new"))
    assert good.run("-n")[0] == 0
    assert not (good.folder / "new").exists()


@root
def test_outputs_that_cannot_be_written_are_refused(good):
    out = good.out("")
    (out / "sub").mkdir(parents=True)
    good.own(out)
    assert good.run("-n")[0] == 0
    os.chown(out / "sub", 0, 0)
    refused(good, rf"courant.yaml:{line(good, 'jsonl')}: path: .*sub/all.jsonl cannot be written: .*/sub: Permission denied")
    good.own(out)
    (out / "sub" / "all.jsonl").touch()
    refused(good, r"sub/all.jsonl cannot be written: Permission denied")
    (out / "sub" / "all.jsonl").unlink()
    (out / "all.atom").mkdir()
    refused(good, r"all.atom cannot be written: Is a directory")
    (out / "all.atom").rmdir()
    os.chown(out, 0, 0)
    refused(good, rf"courant.yaml:{line(good, 'state:')}: state: {out}: Permission denied".replace("/:", ":"))


def test_a_format_that_there_is_not_is_refused_with_those_that_there_are(good):
    good.routes["all"]["to"][0]["feed"]["formats"] = ["rss", "rdf"]
    good.write()
    refused(good, r'courant.yaml:\d+: .*formats: "rdf" is not some of rss, atom, json')
