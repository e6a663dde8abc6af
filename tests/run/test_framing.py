"""Requests of which two readers may see different ends, or different hosts: serve answers 400 and closes,
in whatever pieces they come, first on a connection, after others, or right behind another."""
import re
import socket

import pytest

from courant import SLOW, Daemon
from origin import Origin
from test_streams import load

HOST = b"Host: a\r\n"
GOOD = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
AFTER = b"GET /api/v1/records HTTP/1.1\r\nHost: a\r\n\r\n"      # what an attacker hides behind a request


def post(lines, body=b"", target=b"/x/book/echo", version=b"HTTP/1.1", host=HOST):
    return b"POST " + target + b" " + version + b"\r\n" + host + lines + b"\r\n" + body


def chunks(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


def get(lines, target=b"/healthz", version=b"HTTP/1.1"):
    return b"GET " + target + b" " + version + b"\r\n" + lines + b"\r\n"


FOUR = b"4\r\nwxyz\r\n0\r\n\r\n"
BAD = {
    # -- where the body ends
    "space before the colon": post(b"Transfer-Encoding : chunked\r\n", FOUR),
    "tab before the colon": post(b"Transfer-Encoding\t: chunked\r\n", FOUR),
    "space in a name": post(b"Transfer Encoding: chunked\r\nContent-Length: 4\r\n", b"wxyz"),
    "space before the colon of a length": post(b"Content-Length : 4\r\n", b"wxyz"),
    "space before a colon": get(HOST + b"X-Any : 1\r\n"),
    "length and coding": post(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", FOUR),
    "coding and length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", FOUR),
    "two lengths": post(b"Content-Length: 4\r\nContent-Length: 5\r\n", b"wxyz!"),
    "two equal lengths": post(b"Content-Length: 4\r\nContent-Length: 4\r\n", b"wxyz"),
    "a list of lengths": post(b"Content-Length: 4, 4\r\n", b"wxyz"),
    "a length with a sign": post(b"Content-Length: +4\r\n", b"wxyz"),
    "a length below 0": post(b"Content-Length: -4\r\n", b"wxyz"),
    "a length in hex": post(b"Content-Length: 0x4\r\n", b"wxyz"),
    "a length with a space": post(b"Content-Length: 1 0\r\n", b"wxyz"),
    "a length with a unit": post(b"Content-Length: 4b\r\n", b"wxyz"),
    "an empty length": post(b"Content-Length:\r\n", b""),
    "a length beyond 64 bits": post(b"Content-Length: 18446744073709551620\r\n", b"wxyz"),
    "a length in other digits": post("Content-Length: ４\r\n".encode(), b"wxyz"),
    "another coding": post(b"Transfer-Encoding: gzip\r\n", FOUR),
    "two codings": post(b"Transfer-Encoding: gzip, chunked\r\n", FOUR),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked\r\n", FOUR),
    "chunked in two lines": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", FOUR),
    "identity": post(b"Transfer-Encoding: identity\r\n", FOUR),
    "quoted": post(b"Transfer-Encoding: \"chunked\"\r\n", FOUR),
    "a parameter": post(b"Transfer-Encoding: chunked;q=1\r\n", FOUR),
    "a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", FOUR),
    "an empty coding": post(b"Transfer-Encoding:\r\n", FOUR),
    "chunked in HTTP/1.0": post(b"Transfer-Encoding: chunked\r\n", FOUR, version=b"HTTP/1.0"),
    "a body of GET": get(HOST + b"Content-Length: 4\r\n") + b"wxyz",
    "chunks of GET": get(HOST + b"Transfer-Encoding: chunked\r\n") + FOUR,
    # -- chunks
    "chunk ' 4'": chunks(b" 4\r\nwxyz\r\n0\r\n\r\n"),
    "chunk '4 '": chunks(b"4 \r\nwxyz\r\n0\r\n\r\n"),
    "chunk '0x4'": chunks(b"0x4\r\nwxyz\r\n0\r\n\r\n"),
    "chunk '+4'": chunks(b"+4\r\nwxyz\r\n0\r\n\r\n"),
    "chunk '-4'": chunks(b"-4\r\nwxyz\r\n0\r\n\r\n"),
    "chunk '4,4'": chunks(b"4,4\r\nwxyz\r\n0\r\n\r\n"),
    "chunk '4_'": chunks(b"4_\r\nwxyz\r\n0\r\n\r\n"),
    "chunk of no size": chunks(b";a\r\nwxyz\r\n0\r\n\r\n"),
    "chunk of an empty line": chunks(b"\r\n4\r\nwxyz\r\n0\r\n\r\n"),
    "chunk beyond 64 bits": chunks(b"10000000000000004\r\nwxyz\r\n0\r\n\r\n"),
    "chunk too short": chunks(b"3\r\nwxyz\r\n0\r\n\r\n"),
    "chunk too long": chunks(b"6\r\nwxyz\r\n0\r\n\r\n"),
    "chunk without its line end": chunks(b"4\r\nwxyz0\r\n\r\n"),
    "chunk with a bare LF": chunks(b"4\nwxyz\r\n0\r\n\r\n"),
    "chunk data with a bare LF": chunks(b"4\r\nwxyz\n0\r\n\r\n"),
    "an extension with a bare LF": chunks(b"4;a\nb\r\nwxyz\r\n0\r\n\r\n"),
    "an extension with a bare CR": chunks(b"4;a\rb\r\nwxyz\r\n0\r\n\r\n"),
    "an extension with NUL": chunks(b"4;a\0\r\nwxyz\r\n0\r\n\r\n"),
    "an endless extension": chunks(b"4;" + b"a" * 4000 + b"\r\nwxyz\r\n0\r\n\r\n"),
    "a length as trailer": chunks(b"4\r\nwxyz\r\n0\r\nContent-Length: 9\r\n\r\n"),
    "a coding as trailer": chunks(b"4\r\nwxyz\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a host as trailer": chunks(b"4\r\nwxyz\r\n0\r\nHost: b\r\n\r\n"),
    "a trailer with a space": chunks(b"4\r\nwxyz\r\n0\r\nX : b\r\n\r\n"),
    # -- hosts
    "no host": get(b"X: 1\r\n"),
    "two hosts": get(HOST + HOST),
    "two different hosts": get(HOST + b"Host: b\r\n"),
    "two hosts in HTTP/1.0": get(HOST + b"host: b\r\n", version=b"HTTP/1.0"),
    "two hosts, one with a space": get(HOST + b"Host : b\r\n"),
    "a host with a space": get(b"Host: a b\r\n"),
    "a host with a path": get(b"Host: a/b\r\n"),
    "a host with a user": get(b"Host: u@a\r\n"),
    "a list of hosts": get(b"Host: a, b\r\n"),
    "a host with a control": get(b"Host: a\x01\r\n"),
    "another host in the target": get(HOST, target=b"http://b/healthz"),
    "another port in the target": get(HOST, target=b"http://a:81/healthz"),
    "a user in the target": get(HOST, target=b"http://u@a/healthz"),
    "no host in the target": get(HOST, target=b"http:///healthz"),
    "an endless host": get(b"Host: " + b"a" * 2000 + b"\r\n"),
    # -- lines
    "a header in two lines": get(HOST + b"X: 1\r\n 2\r\n"),
    "a header in two lines by a tab": get(HOST + b"X: 1\r\n\t2\r\n"),
    "a coding in two lines": post(b"Transfer-Encoding:\r\n chunked\r\n", FOUR),
    "a space before the first header": get(b" X: 1\r\n" + HOST),
    "a name of nothing": get(HOST + b": 1\r\n"),
    "a line without a colon": get(HOST + b"X\r\n"),
    "NUL in a value": get(HOST + b"X: a\0b\r\n"),
    "NUL in a name": get(HOST + b"X\0: b\r\n"),
    "NUL in a target": get(HOST, target=b"/heal\0thz"),
    "DEL in a value": get(HOST + b"X: a\x7fb\r\n"),
    "a bare CR in a value": get(HOST + b"X: a\rb\r\n"),
    "a bare CR and a header": get(HOST + b"X: a\rTransfer-Encoding: chunked\r\n"),
    "a bare LF in the head": get(HOST + b"X: a\nY: b\r\n"),
    "a bare LF behind the request line": b"GET /healthz HTTP/1.1\nHost: a\r\n\r\n",
    "bare LFs alone": b"GET /healthz HTTP/1.1\nHost: a\n\n",
    "a bare LF at the end": b"GET /healthz HTTP/1.1\r\nHost: a\r\n\n",
    "a name in other letters": get(HOST + "Transfer-Encodıng: chunked\r\n".encode()),
    # -- the request line
    "two spaces": b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab": b"GET\t/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space at the end": b"GET /healthz HTTP/1.1 \r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /heal thz HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /healthz\r\nHost: a\r\n\r\n",
    "another version": b"GET /healthz HTTP/1.x\r\nHost: a\r\n\r\n",
    "a version of more digits": b"GET /healthz HTTP/1.10\r\nHost: a\r\n\r\n",
    "a version of HTTP/2": b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n",
    "a space before the method": b" GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "an empty line before": b"\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
}
HALVED = ["space before the colon", "chunk ' 4'", "chunk '0x4'", "two hosts", "a host as trailer",
          "chunk without its line end"]
REFUSED = [400], [413], [501]       # too long; no method that evhttp knows
# Requests that are as they should be, however rare: and what their body is for the plugin.
FINE = {
    "a length": (post(b"Content-Length: 4\r\n", b"wxyz"), b"wxyz"),
    "a length behind tabs": (post(b"Content-Length:\t \t4 \t\r\n", b"wxyz"), b"wxyz"),
    "zeros before a length": (post(b"Content-Length: 0004\r\n", b"wxyz"), b"wxyz"),
    "chunks": (chunks(FOUR), b"wxyz"),
    "chunks behind a tab": (post(b"Transfer-Encoding:\tchunked\r\n", FOUR), b"wxyz"),
    "chunks behind nothing": (post(b"transfer-encoding:CHUNKED\r\n", FOUR), b"wxyz"),
    "an extension": (chunks(b"4;ext\r\nwxyz\r\n0\r\n\r\n"), b"wxyz"),
    "extensions": (chunks(b"2 ; a = \"b c\"\r\nwx\r\n2;a=b;c\r\nyz\r\n0;last\r\n\r\n"), b"wxyz"),
    "a size in capitals": (chunks(b"0A\r\n0123456789\r\n00\r\n\r\n"), b"0123456789"),
    "chunks that look like chunks": (chunks(b"8\r\n0\r\n\r\nGET\r\n0\r\n\r\n"), b"0\r\n\r\nGET"),
    "a trailer": (chunks(b"4\r\nwxyz\r\n0\r\nX-Sum: 1\r\n\r\n"), b"wxyz"),
    "nothing": (post(b"Content-Length: 0\r\n"), b""),
    "no chunk": (chunks(b"0\r\n\r\n"), b""),
    "the target in full": (post(b"Content-Length: 4\r\n", b"wxyz", target=b"http://A/x/book/echo"), b"wxyz"),
    "a host with a port": (post(b"Content-Length: 4\r\n", b"wxyz", host=b"Host: [::1]:80\r\n"), b"wxyz"),
    "UTF-8 in a value": (post("X: ä\r\nContent-Length: 4\r\n".encode(), b"wxyz"), b"wxyz"),
    "an empty host": (post(b"Content-Length: 4\r\n", b"wxyz", host=b"Host:\r\n"), b"wxyz"),
}


@pytest.fixture(scope="module")
def book():
    """One daemon for the whole module."""
    with Origin() as made:
        d = Daemon()
        load(d, "visited")
        d.sources = {"book": {"plugin": "visited", "url": made.put("book", b"x"), "every": "1 h"}}
        d.write()
        d.start()
        address = d.address()
        d.address = lambda: address
        pids = d.pids()
        yield d
        assert d.pids() == pids
        d.close()
        assert not d.reports, d.reports


def all_of(c):
    said = b""
    try:
        while more := c.recv(65536):
            said += more
    except ConnectionResetError:
        pass
    return said


def answers(said):
    return [int(n) for n in re.findall(rb"HTTP/1\.\d+ (\d+) ", said)]


def one(c):
    """The next answer, with its body."""
    said = b""
    while b"\r\n\r\n" not in said:
        more = c.recv(65536)
        assert more, said
        said += more
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head)[1])
    while len(body) < length:
        body += c.recv(65536)
    return int(head.split()[1]), body


@pytest.mark.parametrize("name", BAD)
def test_it_is_400_and_the_last(book, name):
    with book.connect() as c:
        c.sendall(BAD[name] + AFTER)
        said = all_of(c)
    assert answers(said) in REFUSED, said


@pytest.mark.parametrize("name", BAD)
def test_it_is_400_after_others(book, name):
    with book.connect() as c:
        c.sendall(GOOD)
        assert one(c)[0] == 200
        c.sendall(BAD[name] + AFTER)
        said = all_of(c)
    assert answers(said) in REFUSED, said
    with book.connect() as c:
        c.sendall(GOOD + chunks(FOUR) + BAD[name] + AFTER)
        said = all_of(c)
    assert answers(said) in [[200, 200, *no] for no in REFUSED], said


def singly(whole):
    """The bytes one by one; of a long request its end."""
    cut = max(0, len(whole) - 300)
    return [whole[:cut], *(whole[n:n + 1] for n in range(cut, len(whole)))]


def halves(whole):
    """The bytes cut in two, at each place."""
    return [[whole[:n], whole[n:]] for n in range(1, len(whole))]


def send_pieces(c, parts):
    for part in parts:
        c.sendall(part)


@pytest.mark.parametrize("name", BAD)
def test_it_is_400_in_any_pieces(book, name):
    """Of each all single bytes, of some all halves; tests/unit/test_framing.c tries all halves of all."""
    for parts in [singly(BAD[name]), *(halves(BAD[name]) if name in HALVED else [])]:
        with book.connect() as c:
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            said = b""
            try:
                send_pieces(c, parts)
                c.sendall(AFTER)
            except (BrokenPipeError, ConnectionResetError):
                pass
            said = all_of(c)
        assert answers(said) in REFUSED, (parts, said)


@pytest.mark.parametrize("name", FINE)
def test_what_is_as_it_should_be_is_answered(book, name):
    whole, body = FINE[name]
    want = b"body %d\n%s" % (len(body), body)
    for parts in [[whole], singly(whole)]:
        with book.connect() as c:
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            send_pieces(c, parts)
            status, said = one(c)
            assert status == 200 and said.endswith(want), (parts, said)
            if b" http:" not in whole:       # after which evhttp closes
                c.sendall(GOOD)
                assert one(c)[0] == 200
    if b" http:" in whole:
        return
    with book.connect() as c:
        c.sendall(whole * 3 + GOOD.replace(b"Host", b"Connection: close\r\nHost"))
        said = all_of(c)
        assert answers(said) == [200] * 4, said


def test_what_is_sent_ahead_of_an_answer_is_bounded(book):
    """A visitor that sends on and on while an answer is on its way is not read for ever."""
    with book.connect() as c:
        c.settimeout(2 * SLOW)
        c.sendall(b"GET /x/book/hang HTTP/1.1\r\nHost: a\r\n\r\n")
        sent = 0
        try:
            while sent < 64 << 20:
                sent += c.send(GOOD * 1000)
        except OSError:
            pass
    assert sent < 32 << 20
