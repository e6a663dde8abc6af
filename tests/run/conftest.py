"""Fixtures: daemons and origins that are gone after the test, and what is skipped where."""
import os

import pytest

import courant

SKIP = os.environ.get("COURANT_SKIP", "").split()


def pytest_configure(config):
    config.addinivalue_line("markers", "sandbox: proves what the sandbox denies (needs it built in)")
    config.addinivalue_line("markers", "memory: proves a limit of memory (not under sanitizers)")
    config.addinivalue_line("markers", "shared: uses the corpora beside the tree")


def pytest_collection_modifyitems(items):
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
