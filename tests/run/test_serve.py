"""What serve answers: validators, HEAD, gzip, types, the API, and its limits."""
import contextlib
import gzip
import json
import socket

import pytest

from courant import numbered, rss, until
from test_path import EVERYTHING, sources

TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml",
         "json": "application/feed+json", "jsonl": ""}


@pytest.fixture
def served(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 60)))
    d = daemon(sources({"one": url}), EVERYTHING).start()
    d.until_lines(60)
    d.until(lambda: all(d.out(f"all.{e}").exists() for e in TYPES), 20, "outputs are written")
    # A list is there before its first record is: these are whole.
    d.until(lambda: all((leg["place"] or 0) >= d.status()["counts"]["head"]
                        for route in d.status()["routes"] for leg in route["sinks"]), 20,
            "the lists have their records")
    return d


@pytest.mark.parametrize("kind", TYPES)
def test_an_output_has_its_type_and_validators_and_304(served, kind):
    path = f"/all.{kind}"
    full = served.http(path)
    assert full.status == 200 and full.body == served.out(f"all.{kind}").read_bytes()
    assert full.headers["content-type"].startswith(TYPES[kind])
    assert full.headers["etag"] and full.headers["last-modified"]
    assert int(full.headers["content-length"]) == len(full.body)
    for name, value in (("If-None-Match", full.headers["etag"]),
                        ("If-None-Match", f'"x", {full.headers["etag"]}'),
                        ("If-Modified-Since", full.headers["last-modified"])):
        again = served.http(path, headers={name: value})
        assert again.status == 304 and again.body == b"", (name, value)
        assert again.headers["etag"] == full.headers["etag"]
    assert served.http(path, headers={"If-None-Match": '"other"'}).status == 200
    # RFC 9110 13.1.3: a date does not count beside an entity tag.
    assert served.http(path, headers={"If-None-Match": '"other"', "If-Modified-Since":
                                      full.headers["last-modified"]}).status == 200


def test_head_says_what_get_says_without_a_body(served):
    get, head = served.http("/all.rss"), served.http("/all.rss", "HEAD")
    assert head.status == 200 and head.body == b""
    for name in ("content-type", "content-length", "etag", "last-modified"):
        assert head.headers[name] == get.headers[name], name


def test_gzip_is_sent_when_taken_and_unpacks_to_the_same(served):
    plain = served.http("/all.rss")
    packed = served.http("/all.rss", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body)
    assert "accept-encoding" in packed.headers["vary"].lower()
    again = served.http("/all.rss", headers={"Accept-Encoding": "gzip",
                                             "If-None-Match": packed.headers["etag"]})
    assert again.status == 304
    refused = served.http("/all.rss", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_validators_change_with_the_output(served, origin):
    before = served.http("/all.rss").headers["etag"]
    origin.put("f.xml", rss(numbered(1, 61)))
    served.refresh("one")
    served.until_lines(61)
    served.until(lambda: served.http("/all.rss").headers["etag"] != before, 10, "another ETag")
    assert served.http("/all.rss", headers={"If-None-Match": before}).status == 200


@pytest.mark.parametrize("path", [
    "/../courant.yaml", "/%2e%2e/courant.yaml", "/..%2fcourant.yaml", "/nothing.rss", "//etc/passwd",
    "/all.rss/", "/all.rss%00.html", "/.hidden", "/%", "/a\\..\\b"])
def test_nothing_outside_the_outputs_is_served(served, path):
    assert served.http(path).status in (400, 403, 404), path


def test_other_methods_are_refused(served):
    for method in ("PUT", "DELETE", "POST", "OPTIONS", "TRACE"):
        assert served.http("/all.rss", method).status in (400, 405, 501), method


def test_healthz_status_and_records(served):
    assert served.http("/healthz").status == 200
    status = served.http("/api/v1/status").json
    assert status["version"]
    assert [s["name"] for s in status["sources"]] == ["one"]
    answer = served.http("/api/v1/records")
    assert answer.headers["content-type"].startswith("application/json")
    found = answer.json
    records = found if isinstance(found, list) else found["records"]
    ids = {r["id"] for r in served.lines()}
    assert records and {r["id"] for r in records} <= ids
    assert records[0]["title"].startswith("n number ")


def read_all(connection):
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except (ConnectionError, socket.timeout):
        pass
    return data


def test_headers_and_bodies_beyond_the_limits_are_refused(served):
    with served.connect() as c:
        with contextlib.suppress(ConnectionError):      # it is refused before all of it is sent
            c.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n")
        assert b" 200 " not in read_all(c)[:20]
    with served.connect() as c:
        c.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n")
        assert b" 200 " not in read_all(c)[:20]
    with served.connect() as c:
        c.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        read_all(c)
    assert served.http("/healthz").status == 200


def smuggled(served, method, lines):
    """What is said to such a request with another one behind it, which is not to be heard."""
    with served.connect() as c:
        c.sendall(f"{method} /x/nobody HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n0\r\n\r\n"
                  "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        said = read_all(c)
    assert said.startswith(b"HTTP/1.1 400 ") and said.count(b"HTTP/1.1 ") == 1, said
    assert served.http("/healthz").status == 200
    return said


@pytest.mark.parametrize("lines", [
    "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked\r\nContent-Length: 5",
    "Transfer-Encoding: identity\r\nContent-Length: 5", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Content-Length: 5, 5", "Content-Length: -1", "Content-Length: 0x5", "Content-Length:"])
def test_a_body_whose_end_is_not_clear_is_refused(served, lines):
    """By libevent from Debian's 2.1.12-stable-8+deb12u1 on, by our own check before it."""
    smuggled(served, "POST", lines)


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
@pytest.mark.parametrize("lines", [
    "Content-Length: 5\r\nContent-Length: 50", "Content-Length: 5\r\nContent-Length: 5",
    "Content-Length: 0\r\nContent-Length: 0", "Content-Length: +5", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: gzip", "transfer-encoding: \vchunked"])
def test_a_request_whose_end_is_not_clear_is_the_last_of_its_connection(served, method, lines):
    assert b"how long the body is, is not clear" in smuggled(served, method, lines)


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("lines", ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: 00"])
def test_a_request_that_has_no_body_and_brings_one_is_the_last_of_its_connection(served, method, lines):
    assert b"such a request has no body" in smuggled(served, method, lines)


@pytest.mark.parametrize("method,lines,body", [
    ("GET", "Content-Length: 0", b""), ("POST", "Content-Length: 5", b"0\r\n\r\n"[:5]),
    ("POST", "Transfer-Encoding: Chunked", b"0\r\n\r\n"), ("PUT", "Content-Length: 0005", b"12345")])
def test_a_request_whose_end_is_clear_is_followed_by_the_next(served, method, lines, body):
    with served.connect() as c:
        c.sendall(f"{method} /x/nobody HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n".encode() + body +
                  b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = read_all(c)
    assert said.startswith(b"HTTP/1.1 404 ") and said.count(b"HTTP/1.1 200 ") == 1, said


def test_too_many_connections_are_turned_away_and_others_are_served_after(served):
    held = []
    try:
        for _ in range(1200):
            try:
                held.append(served.connect(seconds=2))
            except OSError:
                break
        closed = 0
        for c in held:
            c.settimeout(0.01)
            try:
                closed += c.recv(100) is not None
            except (socket.timeout, BlockingIOError):
                pass
            except OSError:
                closed += 1
        assert closed > 0, f"{len(held)} connections were all kept"
    finally:
        for c in held:
            c.close()
    served.until(lambda: served.http("/healthz").status == 200, 10, "served again")


def test_a_client_that_sends_nothing_is_closed_in_time(served):
    with served.connect(seconds=90) as c:
        c.sendall(b"GET /healthz HTTP/1.1\r\nHost")
        assert b" 200 " not in read_all(c)


def test_serve_that_dies_comes_back_on_the_same_port(served):
    import os
    import signal
    pid, port = served.pids()["serve"], served.address()[1]
    os.kill(pid, signal.SIGKILL)
    served.until(lambda: served.pids()["serve"] not in (0, pid), 20, "a new serve")
    assert served.address()[1] == port

    def answers():
        try:
            return served.http("/healthz").status == 200
        except OSError:
            return False
    until(answers, 10, "it answers")


def test_outsiders_are_not_told_addresses_and_local_paths(daemon, origin):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    d = daemon(sources({"one": url + "?key=sesame"}), EVERYTHING).start()
    d.until_lines(3)
    told = d.http("/api/v1/status")
    assert told.status == 200 and told.json["counts"]["records"] == 3
    body = told.body.decode()
    for what in ("sesame", str(d.folder), ".so", "configuration"):
        assert what not in body, what
    assert "sesame" in str(d.courant("status", "--json").stdout)
