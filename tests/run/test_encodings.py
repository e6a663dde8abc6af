"""Content-Encoding: what a server says of it is often wrong, and the bytes decide."""
import gzip
import struct
import zlib

import pytest

from courant import numbered, rss
from test_path import EVERYTHING, sources

GOOD = rss(numbered(1, 3))
GZIP = gzip.compress(GOOD)
ZLIB = zlib.compress(GOOD)
RAW = ZLIB[2:-4]
MIB = 1 << 20

READ = {
    "utf8": ("UTF-8", GOOD), "aws": ("aws-chunked", GOOD), "none": ("none", GOOD), "lie": ("gzip", GOOD),
    "deflate_lie": ("deflate", GOOD), "br_lie": ("br", GOOD), "identity": ("identity", GOOD),
    "empty": ("", GZIP), "silent": (None, GZIP), "aws_gzip": ("aws-chunked, gzip", GZIP),
    "gzip_identity": ("gzip, identity", GZIP), "xgzip": ("x-gzip", GZIP), "case": ("GZip", GZIP),
    "twice": ("gzip, gzip", gzip.compress(GZIP)), "twice_lie": ("gzip, gzip", GZIP),
    "once_lie": ("gzip", gzip.compress(GZIP)), "br_is_gzip": ("br", GZIP), "utf8_gzip": ("utf-8", GZIP),
    "zlib": ("deflate", ZLIB), "raw": ("deflate", RAW), "gzip_is_zlib": ("gzip", ZLIB),
    "deflate_is_gzip": ("deflate", GZIP), "both": ("deflate, gzip", gzip.compress(RAW)),
    "utf16": ("gzip", GOOD.decode().replace("?>", ' encoding="UTF-16"?>', 1).encode("utf-16")),
    "latin": ("gzip", GOOD.replace(b"?>", b' encoding="iso-8859-1"?>', 1).replace(b">T<", b">\xe9t\xe9<")),
}
REFUSED = {
    "br": ("br", b"\x0b\x02\x80<rss/>\x03", 'packed as "br", which we did not ask for'),
    "zstd": ("zstd", b"\x28\xb5\x2f\xfd\x04\x00\x01", 'packed as "zstd", which we did not ask for'),
    "zstd_silent": (None, b"\x28\xb5\x2f\xfd\x04\x00\x01", 'packed as "zstd", which we did not ask for'),
    "cut": ("gzip", GZIP[:-9], "gzip or deflate has no end"),
    "cut_silent": (None, GZIP[:-9], "gzip or deflate has no end"),
    "cut_at_once": ("gzip", GZIP[:2], "gzip or deflate has no end"),
    "damaged": ("gzip", GZIP[:40] + b"\xff" * 20 + GZIP[60:], "gzip or deflate is damaged"),
    "binary": ("gzip", bytes(range(256)), "gzip or deflate is damaged"),
}


def serve(origin, name, coding, body):
    origin.put(name + ".bin", body)
    origin.set("/" + name, file=name + ".bin", type="text/xml",
               headers={"Content-Encoding": coding} if coding is not None else {})
    return origin.url("/" + name)


def test_a_feed_is_read_whatever_is_said_of_its_coding(daemon, origin):
    d = daemon(sources({n: serve(origin, n, *READ[n]) for n in READ}), EVERYTHING).start()
    d.until(lambda: all(d.source(n)["checked"] for n in READ), 30, "each was read")
    assert {n: d.source(n)["error"] for n in READ if d.source(n)["error"]} == {}
    assert d.records() == 3 * len(READ)


def test_what_cannot_be_unpacked_is_told_in_words(daemon, origin):
    d = daemon(sources({n: serve(origin, n, *REFUSED[n][:2]) for n in REFUSED}), EVERYTHING).start()
    for name, (_, _, said) in REFUSED.items():
        d.until(lambda: said in (d.source(name)["error"] or ""), 20, f"{name}: {said}")
    assert d.records() == 0


def packed(size, length):
    """A feed of so many bytes that is packed into exactly so many: the rest is a field of gzip's header."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = GOOD + b" " * (length - len(GOOD))
    raw = raw.compress(body) + raw.flush()
    extra = size - len(raw) - 10 - 2 - 8
    return (b"\x1f\x8b\x08\x04" + b"\0" * 6 + struct.pack("<H", extra) + b"\0" * extra + raw +
            struct.pack("<II", zlib.crc32(body), length))


@pytest.mark.parametrize("over", [0, 1])
def test_a_body_may_unpack_to_a_hundred_times_what_was_sent_and_no_more(daemon, origin, over):
    body = packed(20000, 2000000 + over)
    assert len(body) == 20000
    d = daemon(sources({"one": serve(origin, "f", "gzip", body)}), EVERYTHING).start()
    d.until(lambda: d.source("one")["checked"], 20, "it is read")
    if over:
        assert "over 100 times what was sent" in d.source("one")["error"]
    else:
        assert d.source("one")["error"] is None and d.records() == 3


@pytest.mark.parametrize("length,taken", [(MIB, True), (MIB + 1, False)])
def test_up_to_a_mebibyte_the_ratio_is_of_no_concern(daemon, origin, length, taken):
    d = daemon(sources({"one": serve(origin, "f", "gzip", packed(6000, length))}), EVERYTHING).start()
    d.until(lambda: d.source("one")["checked"], 20, "it is read")
    assert (d.source("one")["error"] is None) == taken
