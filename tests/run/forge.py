"""Results of a worker, written by hand: the memory files of core/record/result.h, for plugins that write
them in their host's place (tests/evil/raw.c, tests/evil/filter_raw.c, tests/plugins/source_forge.c)."""
import struct

ID, SOURCE, GUID, LINK, TITLE, SUMMARY, CONTENT = range(1, 8)
PUBLISHED, UPDATED, LANGUAGE, IMAGE, COMMENTS, CATEGORY, AUTHOR, ENCLOSURE = range(11, 19)
CONTRIBUTOR, RIGHTS = 19, 20
EXTRA, NUMBER, COUNTER = 32, 33, 34
RECORD, FEED, STATE, VERDICT, ITEM, REQUEST = range(1, 7)
DROP, KEEP, WAIT = 0, 1, 2


def text(value):
    """A string as the wire has it; None: NULL."""
    if value is None:
        return b"\xff\xff\xff\xff"
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("=I", len(data)) + data + b"\0"


def put(field, value):
    return bytes([field]) + text(value)


def time(field, ms):
    return bytes([field]) + struct.pack("=q", ms)


def person(field, name, mail=None, uri=None):
    return bytes([field]) + text(name) + text(mail) + text(uri)


def enclosure(url, kind=None, size=-1):
    return bytes([ENCLOSURE]) + text(url) + text(kind) + struct.pack("=q", size)


def extra(name, value):
    return bytes([EXTRA]) + text(name) + text(value)


def number(name, value):
    return bytes([NUMBER]) + text(name) + struct.pack("=d", value)


def counter(name, value):
    return bytes([COUNTER]) + text(name) + struct.pack("=q", value)


def record(*fields):
    return b"\x01" + b"".join(fields)


def item(kind, body):
    return struct.pack("=IB", len(body), kind) + body


def verdict(what, changes=None, rule="raw#1", why=None, trail=None, number=None, least=0.0):
    return item(VERDICT, struct.pack("=I", what) + text(rule) + text(why) + text(changes) +
                text(number) + struct.pack("=d", least) + text(trail))


def results(count, *items):
    """What the hostile plugins take: the number of records that core is told of, and the file."""
    return struct.pack("=I", count) + b"".join(items)
