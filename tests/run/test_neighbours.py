"""Evil neighbours all at once: slow, burning, flooding, dying, filling and lying plugins beside one healthy
source, on a disk that fills up as well."""
import shutil
import time

import pytest

from courant import BUILD, SLOW
from hostile import hostile
from test_sums import MB, disk, fill, peak  # noqa: F401 (a fixture)

EVERY = 500                             # ms
LATE = 1500                             # ms that a poll of the healthy source may be late
MEMORY = 400                            # MB: `limits: memory`
LIARS = ("forged", "garbage_frames", "half_frame", "brought", "endless_options", "big_records")


def neighbours(d, origin):
    """Names and options of evil sources, by what they do."""
    where = d.folder / "plugins"
    where.mkdir()
    hostile(where, "source_hog", "source_hog")
    hostile(where, "flood", "source_flood", "IN_STREAM", "TYPE=MSG_READY", "LEN=0")
    for name in ("hoard", "gush", "crash", "abort", "loop", "memory", *LIARS):
        shutil.copy(BUILD / "tests" / "evil" / f"{name}.so", where / f"source_{name}.so")
        (where / f"source_{name}.so").chmod(0o755)
    page = {"url": origin.put("evil", b"a document"), "every": "1 s"}
    d.sources = {f"slow{i}": {"plugin": "hog", "hold": "7 s", **page} for i in range(4)}
    d.sources |= {f"burning{i}": {"plugin": "hog", "hold": "7 s", "burn": True, **page} for i in range(3)}
    d.sources |= {f"filling{i}": {"plugin": "hoard", "take": "150 MB", "files": i % 2 == 0}
                  for i in range(4)}
    d.sources |= {n: {"plugin": n, **page}
                  for n in ("crash", "abort", "loop", "memory", *LIARS)}
    d.sources |= {"flood": {"plugin": "flood"}, "gush": {"plugin": "gush", "size": "10 kB",
                                                    "pause": "10 ms"}}
    d.settings = {"plugins": [str(where)],
                  "limits": {"memory": f"{MEMORY} MB", "disk_free": 0, "job_deadline": "30 s",
                             "job_cpu": "10 s"}}
    origin.set("/healthy", generate=5, grow=1, window=50)
    d.sources["healthy"] = {"plugin": "feed", "url": origin.url("/healthy"), "every": f"{EVERY} ms"}
    d.routes = {"all": {"from": ["healthy", "gush"], "once": "record",
                        "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()


def late(origin, since):
    """How late the healthy source was polled since its so manyeth poll, at most, ms."""
    times = [r["time"] for r in origin.until_hits("/healthy", since + 4, 20)][max(since - 1, 0):]
    return max(b - a for a, b in zip(times, times[1:])) - EVERY


@pytest.mark.sandbox
@pytest.mark.memory
@pytest.mark.parametrize("disk", [150], indirect=True)
def test_evil_neighbours_all_at_once_delay_nobody_and_stay_within_their_sums(disk, origin):  # noqa: F811
    d = disk
    neighbours(d, origin)
    d.start(seconds=60)
    pids = d.pids()
    origin.until_hits("/healthy", 2, 20)
    most = peak(d, 20)
    assert most <= MEMORY * MB * 1.2, f"{most / MB:.0f} MB"     # peak() reads one after the other
    assert late(origin, 2) < LATE * SLOW, f"{late(origin, 2)} ms late"
    assert d.pids() == pids
    for name in ("crash", "abort", "forged", "garbage_frames", "flood"):
        source = d.source(name)
        assert source["error"] and source["state"] in ("parked", "failing", "partial", "waiting"), source
    ballast = fill(d.state)             # and now the disk is full
    d.wait_log("no room on the disk", 20)
    time.sleep(2)
    before = d.status()
    assert before["disk"]["held"], before["disk"]
    ballast.unlink()
    healed, since = time.monotonic(), origin.hits("/healthy")
    d.until(lambda: d.status()["counts"]["records"] > before["counts"]["records"] + 20, 20, "it goes on")
    assert time.monotonic() - healed < 10 * SLOW
    assert late(origin, since + 1) < LATE * SLOW, "late after the disk was full"
    assert d.pids() == pids
    assert d.stop() == 0
    numbers = sorted({int(r["guid"]) for r in d.lines() if r["source"] == "gush"})
    assert numbers == list(range(1, len(numbers) + 1)), "none is missing"
