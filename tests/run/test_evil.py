"""Plugins that misbehave cost their own worker and their own job, and status says why."""
import re
import subprocess
import time

import pytest

from courant import BUILD, SLOW, TREE, program

FOLDER = TREE / "tests" / "evil"
NAMES = sorted(p.stem for p in FOLDER.glob("*.c"))
HEALTHY = 3


def about(name):
    """What the plugin's own source says of it: the first comment, and its tag lines `test: ...`."""
    text = (FOLDER / f"{name}.c").read_text()
    return dict(re.findall(r"^ \* (\w+): *(.*?)(?: \*/)?$", text, re.M))


def marks(name):
    return [getattr(pytest.mark, m) for m in about(name).get("tags", "").split()]
