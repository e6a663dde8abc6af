"""contrib/run: the demo once, the demo beside another, and what a person has edited of it."""
import os
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

from courant import BUILD, SLOW, TREE, folder, until

# The programs are those of the build that is tested.
BUILT = 'build() { cp -as "$TESTED/courant" "$TESTED/courantd" "$TESTED/courant-worker" ' \
        '"$TESTED/plugins" "$1" 2>/dev/null || :; }\n'


@pytest.fixture
def tree():
    where = folder("demo-")
    for name in ("conf", "contrib"):
        shutil.copytree(TREE / name, where / name)
    with (where / "contrib" / "lib.sh").open("a") as lib:
        lib.write(BUILT)
    (where / "contrib" / "packages").write_text("#!/bin/sh\n")
    yield where
    shutil.rmtree(where)


def start(tree, *arguments):
    return subprocess.Popen([tree / "contrib" / "run", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, start_new_session=True,
                            env={**os.environ, "TESTED": str(BUILD)})


def once(tree, *arguments):
    run = start(tree, *arguments)
    said, _ = run.communicate(timeout=90 * SLOW)
    return run.returncode, said


class Demo:
    """A demo that runs until the block ends; what it printed until it was ready."""

    def __init__(self, tree, *arguments):
        self.run = start(tree, *(arguments or ("--listen", "127.0.0.1:0")))
        self.said = ""

    def __enter__(self):
        for line in self.run.stdout:
            self.said += line
            if line.startswith("Ctrl-C"):
                break
        self.url = re.search(r"^the outputs: +(\S+)", self.said, re.M)
        assert self.url, self.said
        self.url = self.url[1]
        return self

    def __exit__(self, *_):
        self.run.send_signal(signal.SIGTERM)
        try:
            self.run.communicate(timeout=30 * SLOW)
        finally:
            if self.run.poll() is None:
                os.killpg(self.run.pid, signal.SIGKILL)
        assert self.run.returncode == 0

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20 * SLOW) as answer:
            return answer.read().decode()


def test_once_twice_and_then_the_demo_says_where_it_answers(tree):
    for _ in range(2):
        code, said = once(tree, "--once")
        assert code == 0 and len(re.findall(r": (\d+) records$", said, re.M)) == 4, said
    assert not list((tree / "build" / "run").glob("once.*"))
    for _ in range(2):               # the second finds the outputs of the first
        with Demo(tree) as demo:
            assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/", demo.url), demo.said
            assert demo.get("all.rss").count("<item>") >= 20
            letters = list((tree / "build" / "run" / "demo" / "state" / "out" / "letters" / "new").iterdir())
            assert len(letters) == 1
            assert "\nSubject: This morning, 20" in letters[0].read_text()


def test_a_second_run_leaves_the_first_alone(tree):
    with Demo(tree) as demo:
        log = tree / "build" / "run" / "demo" / "courantd.log"
        before = log.read_text()
        assert "courantd" in before
        code, said = once(tree)
        assert code == 1 and f"the demo runs already: {demo.url}" in said, said
        code, said = once(tree, "--once")
        assert code == 0, said
        assert log.read_text().startswith(before)
        assert demo.get("all.rss").count("<item>") >= 20
    with Demo(tree):
        assert log.with_suffix(".log.1").read_text().startswith(before)


def test_edited_feeds_and_an_edited_configuration_stay(tree):
    place = tree / "build" / "run" / "demo"
    with Demo(tree):
        pass
    feed, conf = place / "demo" / "lighthouse.rss", place / "demo.yaml"
    feed.write_text(feed.read_text().replace("<item>", "<item><title>Mine</title>"
                                             "<guid>mine</guid></item><item>", 1))
    conf.write_text(conf.read_text().replace("title: Everything", "title: Edited"))
    shipped = tree / "conf" / "demo" / "tern.atom"
    shipped.write_text(shipped.read_text() + "<!-- a newer one of the tree -->\n")
    assert once(tree, "--once")[0] == 0
    with Demo(tree) as demo:
        until(lambda: "<title>Mine</title>" in demo.get("all.rss"), 30, "the added item")
        assert "<title>Edited</title>" in demo.get("all.rss")
        assert f"edited, so it stays as it is: {feed}" in demo.said
    assert "a newer one of the tree" in (place / "demo" / "tern.atom").read_text()


def test_an_interrupted_run_for_once_leaves_nothing(tree):
    run = start(tree, "--once")
    place = tree / "build" / "run"
    until(lambda: list(place.glob("once.*/courantd.log")), 20, "the daemon's log")
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=60 * SLOW)
    assert not list(place.glob("once.*"))


def test_an_address_that_is_none_is_refused(tree):
    for bad in ((), ("",), ("a|b",)):
        code, said = once(tree, "--listen", *bad)
        assert code == 2 and "Usage" in said, said
