"""The fixtures of the run tests, and a browser: without one all is skipped, with the reason."""
import importlib.util
import os
import pathlib
import sys

import pytest

RUN = pathlib.Path(__file__).resolve().parents[1] / "run"
sys.path.insert(0, str(RUN))
spec = importlib.util.spec_from_file_location("run_conftest", RUN / "conftest.py")
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)
pytest_configure, pytest_collection_modifyitems = run.pytest_configure, run.pytest_collection_modifyitems
pytest_runtest_makereport = run.pytest_runtest_makereport
daemon, origin = run.daemon, run.origin


@pytest.fixture(scope="session")
def lacking():
    from chromium import missing
    return missing()


@pytest.fixture(scope="session")
def browser(lacking):
    from chromium import Chromium
    if lacking and os.environ.get("CI"):
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)
    made = Chromium()
    yield made
    made.close()
