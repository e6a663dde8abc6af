"""Builds hostile plugins of tests/evil from one text, under several names and for several places."""
import subprocess

from courant import SLOW, TREE


def hostile(where, text, name, *defines):
    """Compiles tests/evil/TEXT.c to where/NAME.so; the plugin calls itself what stands behind the
    first underscore of its name."""
    path = where / f"{name}.so"
    done = subprocess.run(
        ["gcc", "-std=gnu17", "-g", "-O1", f"-I{TREE}/include", f"-I{TREE}/core", "-fPIC", "-shared",
         f'-DNAME="{name.partition("_")[2]}"', *[f"-D{d}" for d in defines], "-o", str(path),
         str(TREE / "tests" / "evil" / f"{text}.c")],
        capture_output=True, text=True, timeout=120 * SLOW)
    assert done.returncode == 0, done.stderr
    path.chmod(0o644)
    return path
