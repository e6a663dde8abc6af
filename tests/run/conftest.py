"""Fixtures: daemons and origins that are gone after the test, and what is skipped where."""
import os

import pytest

import courant

SKIP = os.environ.get("COURANT_SKIP", "").split()


def pytest_configure(config):
    config.addinivalue_line("markers", "sandbox: proves what the sandbox denies (needs it built in)")
    config.addinivalue_line("markers", "memory: proves a limit of memory (not under sanitizers)")
    config.addinivalue_line("markers", "shared: uses the corpora beside the tree")


# Their tests wait for long. They are spread among the others, so that no process ends with many of them.
WAITING = ("deaths", "evil", "hostile", "kill", "neighbours", "papers", "shares", "trouble")


def spread(items):
    """The waiting tests in the first three quarters, each between two files: a file's fixtures stay."""
    files, waiting = {}, []
    for item in items:
        name = item.path.stem.removeprefix("test_")
        (waiting if name in WAITING else files.setdefault(name, [])).append(item)
    every = max(1, 3 * len(items) // 4 // max(1, len(waiting)))
    found, due = [], 0
    for group in files.values():
        found += group
        due += len(group)
        while due >= every and waiting:
            found.append(waiting.pop(0))
            due -= every
    return found + waiting


def pytest_collection_modifyitems(items):
    items[:] = spread(items)
    for item in items:
        for mark in item.iter_markers():
            if mark.name in SKIP:
                item.add_marker(pytest.mark.skip(reason=f"tagged {mark.name}: not in this build"))
            if mark.name == "shared" and courant.SHARED is None:
                item.add_marker(pytest.mark.skip(reason="the corpora beside the tree are missing"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed and call.when == "call":
        for daemon in getattr(item, "daemons", []):
            report.sections.append(("courantd", daemon.describe()))


@pytest.fixture
def daemon(request):
    """Makes daemons: daemon(sources=..., routes=..., settings=...); none is left running."""
    made = request.node.daemons = []

    def make(*arguments, **named):
        made.append(courant.Daemon(*arguments, **named))
        return made[-1]
    yield make
    for each in made:
        each.close()
    for each in made:
        assert not each.reports, each.reports


@pytest.fixture
def origin(request):
    """A recording origin on loopback."""
    from origin import Origin
    with Origin() as made:
        yield made


@pytest.fixture
def api():
    """An API of the test's own on loopback."""
    from api import Api
    with Api() as made:
        yield made


@pytest.fixture
def landlock(monkeypatch):
    """landlock(N): the version of Landlock's ABI that programs believe in; "": the kernel's."""
    def cap(version):
        if version and "-DCOURANT_LANDLOCK_CAP=1" not in (courant.BUILD / "Makefile").read_text():
            pytest.skip("this build has no --enable-landlock-cap")
        monkeypatch.setenv("COURANT_LANDLOCK_ABI", version)
        return version
    return cap


@pytest.fixture(params=[pytest.param("2", id="abi 2"), pytest.param("", id="uncapped")])
def abi(request, landlock):
    """Landlock as in Debian 12's kernel, and as here."""
    return landlock(request.param)
