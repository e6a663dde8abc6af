"""What the benches share: rows, helpers in C, made-up feeds."""
import pathlib
import random
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/run"))
sys.dont_write_bytecode = True
from courant import BUILD  # noqa: E402

WORDS = ("tide harbour rope signal lamp cable storm engine compass anchor ledger voyage beacon "
         "current drift queue socket thread buffer parser index journal cursor batch").split()
QUICK = "--quick" in sys.argv


def row(name, value, aim=""):
    print(f"{name:58s} {value:>22s}  {aim}", flush=True)


def helper(name, sources, libraries, *includes):
    """A C helper, built into the build folder, beside the worker that it starts."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", *libraries], check=True,
                           capture_output=True, text=True).stdout.split() if libraries else []
    program = BUILD / name
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-DHAVE_CONFIG_H", "-O2", "-Wall",
                    "-I", BUILD, "-I", TREE / "include", "-I", TREE / "core",
                    '-DCOURANT_LIBEXECDIR="/nonexistent"', '-DCOURANT_PLUGINDIR="/nonexistent"',
                    "-o", program, *[TREE / s for s in sources], *flags, "-lm"], check=True)
    return str(program)


def sentence(rng, n):
    return " ".join(rng.choice(WORDS) for _ in range(n))


def feed(name, items, size=900, markup=True):
    """An RSS feed as blogs write it: escaped HTML or plain text, dates, categories."""
    rng = random.Random(name)
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
           'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>', name,
           "</title><link>https://", name, ".example.org/</link><description>d</description>\n"]
    for n in range(items):
        words = sentence(rng, size // 8)
        out.append(
            f"<item><title>{sentence(rng, 6)} {n}</title><link>https://{name}.example.org/{n}</link>"
            f"<guid>https://{name}.example.org/{n}</guid><dc:creator>Ada {n % 7}</dc:creator>"
            f"<category>{rng.choice(WORDS)}</category>"
            f"<pubDate>Sat, {1 + n % 28:02d} Nov 2026 {n % 24:02d}:00:00 +0000</pubDate>"
            + (f"<description>&lt;p&gt;{words}&lt;/p&gt;&lt;ul&gt;&lt;li&gt;{name}&lt;/li&gt;"
               f"&lt;/ul&gt;</description></item>\n" if markup else
               f"<description>{words} {name}</description></item>\n"))
    out.append("</channel></rss>\n")
    return "".join(out)
