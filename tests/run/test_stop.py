"""A stop that reaches all processes at once, as terminals and service managers send it, is a clean one."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import sys

import pytest

from courant import BUILD, SLOW, TREE, numbered, processes, rss

COMMAND = f"""#!{sys.executable} -B
import json, os, signal, sys, time
def end(*_):
    open(FOLDER + "/ended", "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print(json.dumps({{"guid": "told", "title": "told"}}), flush=True)
time.sleep(600)
"""


def busy(d, origin):
    """A daemon that delivers slowly, and runs a command that tells how it was ended."""
    where, own = d.folder / "plugins", d.folder / "own"
    where.mkdir()
    own.mkdir()
    d.own(own)
    shutil.copy(BUILD / "tests" / "plugins" / "sink_trial.so", where)
    (where / "sink_trial.so").chmod(0o755)
    command = d.folder / "command.py"
    command.write_text(COMMAND.replace("FOLDER", repr(str(own))))
    command.chmod(0o755)
    d.settings.update({"plugins": [str(where)], "allow": ["source_exec"]})
    d.sources = {"a": {"plugin": "feed", "url": origin.put("a.xml", rss([])), "every": "1 h"},
                 "told": {"plugin": "exec", "command": [str(command)], "every": "1 h"}}
    d.routes = {"slow": {"from": ["a"], "to": {"trial": {"path": "trial.out", "time": "1 s"}}},
                "all": {"from": ["told"], "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    d.start()
    d.until_lines(1)
    d.until(lambda: d.source("a")["checked"], 10, "the feed was read once")
    origin.put("a.xml", rss(numbered(1, 3, "a")))
    d.courant("refresh", "a")
    d.until(lambda: d.route("slow")["sinks"][0]["state"] == "working", 10, "the slow sink works")
    return d, own / "ended"


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_is_a_clean_stop(daemon, origin, sig):
    d, ended = busy(daemon(), origin)
    os.killpg(d.process.pid, sig)
    assert d.process.wait(20 * SLOW) == 0
    d.gone()
    assert ended.exists(), "the command was told to end by SIGTERM, and did"
    assert not re.search(r"died|killed|signal (?!%d$)" % sig, d.log(), re.M), d.log()
    lines = [line.split(" ")[2] for line in d.out("trial.out").read_text().splitlines()]
    assert lines == ["a-1", "a-2", "a-3"], "the batch under way came to its end"
    d.start().settled()
    assert len(d.out("trial.out").read_text().splitlines()) == 3, "and was settled"
    assert d.stop() == 0


def test_a_hangup_of_the_whole_group_is_a_reload_alone(daemon, origin):
    d, ended = busy(daemon(), origin)
    before = {**d.pids(), "workers": sorted(w["pid"] for w in d.status()["workers"])}
    since = len(d.log())
    os.killpg(d.process.pid, signal.SIGHUP)
    d.wait_log("configuration taken", since=since)
    assert {**d.pids(), "workers": sorted(w["pid"] for w in d.status()["workers"])} == before
    assert not ended.exists()
    assert d.stop() == 0


def test_no_process_but_core_dies_of_the_signals_of_a_group(daemon, origin):
    d, _ = busy(daemon(), origin)
    ours = {pid: line for pid, line in processes(d.process.pid).items()
            if pid != d.process.pid and re.match("courantd --role|courant-worker", line)}
    assert len(ours) > 5, ours
    for pid in ours:
        with contextlib.suppress(FileNotFoundError):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        masks = {k: int(v, 16) for k, v in re.findall(r"(Sig(?:Blk|Ign|Cgt)):\s+(\w+)", status)}
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            assert any(mask >> (sig - 1) & 1 for mask in masks.values()), (pid, sig, status)


def test_the_unit_that_is_shipped_tells_the_daemon_alone_to_stop():
    unit = (TREE / "contrib" / "courantd.service").read_text()
    assert re.search(r"^KillMode=mixed$", unit, re.M)
    assert re.search(r"^ExecReload=/bin/kill -HUP \$MAINPID$", unit, re.M)
