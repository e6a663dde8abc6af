"""`courant filter` and `courant fetch`: plugins tried on real data, with nothing stored."""
import json
import shutil
import subprocess

import pytest

from courant import BUILD, SLOW, folder, numbered, program, rss

FLOOR = BUILD / "tests" / "plugins" / "filter_floor.so"
PROBE = BUILD / "tests" / "plugins" / "filter_probe.so"


def courant(*arguments, text=None):
    return subprocess.run([program("courant"), *map(str, arguments)], input=text,
                          capture_output=True, text=True, timeout=60 * SLOW)


@pytest.fixture
def work():
    where = folder("try-")
    yield where
    shutil.rmtree(where)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def record(n, **more):
    return {"id": f"{n:026}", "schema": 1, "source": "s", "title": f"T {n}",
            "link": f"https://example.org/{n}", "published": "2024-01-02T03:04:05Z",
            "authors": [{"name": "A", "mail": "a@example.org"}], "categories": ["x", "y"],
            "summary": "<p>s</p>", "enclosures": [{"url": "https://example.org/a.mp3", "size": 3}],
            "extras": {"e": "f"}, "numbers": {"n": 0.5}, "counters": {"votes": n}, **more}


def jsonl(*records):
    return "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in records)


def test_filter_prints_what_is_kept_unchanged(work):
    (work / "in.jsonl").write_text(jsonl(*(record(n) for n in range(1, 1201))))
    done = courant("filter", "--plugin", FLOOR, "-o", "of=votes", "-o", "least=700", work / "in.jsonl")
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout) == [record(n) for n in range(700, 1201)]


def test_filter_says_why_of_all():
    done = courant("filter", "--plugin", FLOOR, "-o", "of=votes", "-o", "least=2", "--why", "-",
                   text=jsonl(record(1), record(2)))
    assert done.returncode == 0, done.stderr
    assert [(v["verdict"], v["why"], v["title"]) for v in lines(done.stdout)] == [
        ("wait", "votes is 1, below 2", "T 1"), ("keep", "votes is 2", "T 2")]


def test_filter_prints_what_the_filter_changed():
    done = courant("filter", "--plugin", PROBE, text=jsonl(record(11)))
    kept, = lines(done.stdout)
    assert kept["title"] == "[x] changed" and kept["extras"] == {"e": "f", "why": "because"}
    assert kept["link"] == "https://example.org/elsewhere" and "summary" not in kept


def test_filter_skips_a_bad_line_says_where_and_goes_on():
    done = courant("filter", "--plugin", PROBE, text="\n" + jsonl(record(7)) + "{\n[1]\n" + jsonl(record(8)))
    assert done.returncode == 1
    assert [r["title"] for r in lines(done.stdout)] == ["T 7", "T 8"]
    assert "-:3: skipped" in done.stderr and "-:4: skipped: no JSON object" in done.stderr


def test_filter_names_wrong_options_and_plugins(work):
    done = courant("filter", "--plugin", FLOOR, "-o", "off=votes", text="")
    assert done.returncode == 1 and "off" in done.stderr and "did you mean `of`" in done.stderr
    assert "has to be given" in done.stderr
    done = courant("filter", "nothing_like_it", text="")
    assert done.returncode == 1 and "no filter named nothing_like_it" in done.stderr
    done = courant("filter", "--plugin", BUILD / "plugins" / "source_feed.so", text="")
    assert done.returncode == 1 and "is a source, and no filter" in done.stderr
    assert courant("filter").returncode == 2


def test_filter_reads_an_option_from_a_file(work):
    (work / "of").write_text("votes\n")
    done = subprocess.run([program("courant"), "filter", "--plugin", str(FLOOR), "-o", "of_file=of",
                           "-o", "least=2"], input=jsonl(record(1), record(2)), cwd=work,
                          capture_output=True, text=True, timeout=60 * SLOW)
    assert [r["title"] for r in lines(done.stdout)] == ["T 2"], done.stderr


def test_filter_that_crashes_is_told_and_ends_it():
    done = courant("filter", "--plugin", BUILD / "tests" / "evil" / "filter_crash.so",
                   text=jsonl(record(1, title="poison")))
    assert done.returncode == 1 and "the worker died" in done.stderr, done


# ---- fetch

@pytest.fixture
def loopback(work):
    """A configuration that allows the origin of the tests, and hurries."""
    conf = work / "courant.yaml"
    conf.write_text(f"state: {work}/state\nprivate: yes\nlimits: {{ spacing: 0 }}\n")
    return conf


def fetch(conf, *arguments):
    return courant("-c", conf, "fetch", *arguments)


def plugin(name):
    return BUILD / "tests" / "plugins" / f"source_{name}.so"


def test_fetch_prints_the_records_of_a_feed_and_stores_nothing(loopback, origin, work):
    url = origin.put("f.xml", rss(numbered(1, 3)))
    done = fetch(loopback, "feed", "--url", url)
    assert done.returncode == 0, done.stderr
    assert [r["guid"] for r in lines(done.stdout)] == ["n-3", "n-2", "n-1"]
    assert "3 records, 0 refused" in done.stderr
    assert not (work / "state").exists()
    agent = origin.requests("/f.xml")[0]["headers"]["user-agent"]
    assert agent.startswith("Courant/")


def test_fetch_follows_next_up_to_the_pages_that_it_may(loopback, origin):
    for n in range(1, 6):
        origin.set(f"/{n}", body=f"r{n}|t\nnext /{n + 1}\n", type="text/plain")
    done = fetch(loopback, "--plugin", plugin("pages"), "--url", origin.url("/1"), "--pages", "3")
    assert done.returncode == 0, done.stderr
    assert [r["guid"] for r in lines(done.stdout)] == ["r1", "r2", "r3"]
    assert "--pages" in done.stderr and origin.hits("/4") == 0


def test_fetch_goes_on_past_a_page_that_is_gone_and_ends_at_one_that_fails(loopback, origin):
    """As the daemon does with the pages of a plan."""
    for status in (404, 410, 500):
        origin.set("/1", status=status, body="no")
        origin.set("/2", body="r2|t\n", type="text/plain")
        done = fetch(loopback, "--plugin", plugin("planned"),
                     "-o", f"plan={origin.url('/1')}", "-o", f"plan={origin.url('/2')}")
        assert str(status) in done.stderr, done.stderr
        assert [r["guid"] for r in lines(done.stdout)] == ([] if status == 500 else ["r2"])


def test_fetch_makes_the_plan_of_a_plugin(loopback, origin):
    for n in (1, 2):
        origin.set(f"/p{n}", body=f"r{n}|t\n", type="text/plain")
    done = fetch(loopback, "--plugin", plugin("planned"), "-o", f"plan={origin.url('/p1')}#one",
                 "-o", f"plan={origin.url('/p2')}#two")
    assert done.returncode == 0, done.stderr
    assert [(r["guid"], r["extras"]["tag"]) for r in lines(done.stdout)] == [("r1", "one"), ("r2", "two")]


def test_fetch_says_what_went_wrong(loopback, origin, work):
    origin.set("/gone", status=404, body="no")
    done = fetch(loopback, "feed", "--url", origin.url("/gone"))
    assert done.returncode == 1 and "404" in done.stderr and done.stdout == ""
    origin.set("/bad", body="hello", type="text/html")
    done = fetch(loopback, "feed", "--url", origin.url("/bad"))
    assert done.returncode == 1 and "/bad" in done.stderr
    (work / "strict.yaml").write_text(f"state: {work}/state\n")
    done = fetch(work / "strict.yaml", "feed", "--url", origin.url("/bad"))
    assert done.returncode == 1 and "loopback" in done.stderr
    assert origin.hits("/bad") == 1


def test_fetch_sends_a_secret_from_a_file_and_shows_it_nowhere(loopback, origin, work):
    (work / "key").write_text("s3cr3t-of-mine\n")
    (work / "key").chmod(0o600)
    origin.set("/1", body="a|a\nnext /2\n", type="text/plain")
    origin.set("/2", body="b|b\n", type="text/plain")
    done = fetch(loopback, "--plugin", plugin("pages"), "--url", origin.url("/1"), "-o",
                 f"key_file={work}/key")
    assert done.returncode == 0 and len(lines(done.stdout)) == 2, done.stderr
    assert [r["headers"]["x-key"] for r in origin.requests() if "x-key" in r["headers"]] == [
        "s3cr3t-of-mine"] * 2
    assert "s3cr3t" not in done.stdout + done.stderr


# ---- parse: pages of one job

def parse(*arguments):
    """(what was printed, what was told on stderr)"""
    done = courant("parse", *arguments)
    assert done.returncode == 0, done.stderr
    decoder, found, text = json.JSONDecoder(), [], done.stdout.strip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found, done.stderr


def pages(work, *texts):
    for n, text in enumerate(texts):
        (work / f"p{n}").write_text(text)
    return [work / f"p{n}" for n in range(len(texts))]


def test_parse_resolves_links_against_the_url_that_is_given(work):
    (work / "f.xml").write_bytes(rss([("g", "T", "../a?b=1")]).replace(
        b"<link>https://example.org/</link>", b""))
    (told,), _ = parse("--url", "https://example.org/feeds/f.xml", work / "f.xml")
    assert told["entries"][0]["link"] == "https://example.org/a?b=1"
    done = courant("parse", "--url", "nonsense", work / "f.xml")
    assert done.returncode == 1 and "nonsense" in done.stderr


def test_parse_shows_the_plugin_the_headers_that_are_given(work):
    (work / "f.xml").write_bytes(rss([("g", "Z", None)]).replace(
        b'<?xml version="1.0"?>\n', b"").replace(b"<title>Z<", b"<title>\xe9<"))
    (told,), _ = parse("--header", "X-Other: 1", "--header",
                       "content-type: application/rss+xml; charset=windows-1251", work / "f.xml")
    assert told["entries"][0]["title"] == "\u0439"


def test_parse_takes_files_as_the_pages_of_one_job(work):
    first, second, third, alone = pages(
        work, "r1|a\nfetch /other\nnext ?page=2\n", "r2|b\n", "r3|c\nnext ?page=3\n", "r4|d\n")
    found, told = parse("--plugin", plugin("pages"), "--url", "https://example.org/list", first,
                        second, third, alone)
    assert [(p["entries"][0]["id"], p["entries"][0]["extras"][0]["page"],
             p["entries"][0]["extras"][0]["nth"]) for p in found] == [
        ("r1", "https://example.org/list", "0"), ("r2", "https://example.org/other", "0"),
        ("r3", "https://example.org/list?page=2", "1"),
        ("r4", "https://example.org/list?page=3", "2")]
    assert found[0]["requests"] == [
        {"method": "GET", "url": "https://example.org/other"},
        {"method": "GET", "url": "https://example.org/list?page=2", "next": True}]
    assert "requests" not in found[1]
    assert [x for x in told.splitlines() if x.startswith("request: ")] == [
        "request: GET https://example.org/other",
        "request: GET https://example.org/list?page=2 (next)",
        "request: GET https://example.org/list?page=3 (next)"]


def test_parse_begins_with_the_plan_of_a_plugin(work):
    first, second = pages(work, "r1|a\n", "r2|b\n")
    plan = ["-o", "plan=https://example.org/1#one", "-o", "plan=https://example.org/2#two"]
    found, told = parse("--plugin", plugin("planned"), "-o", "post=q", *plan, first, second)
    assert [(p["entries"][0]["extras"][0]["page"], p["entries"][0]["extras"][0]["tag"])
            for p in found] == [("https://example.org/1", "one"), ("https://example.org/2", "two")]
    assert "request: POST https://example.org/1 tag one" in told
    found, told = parse("--plugin", plugin("planned"), *plan, "--url", "https://example.org/x", first)
    assert found[0]["entries"][0]["extras"][0]["page"] == "https://example.org/x"
    assert "request" not in told


def test_parse_shows_no_secret(work):
    (work / "key").write_text("s3cr3t-of-mine\n")
    (work / "key").chmod(0o600)
    (work / "p").write_text("keyed https://example.org/1\nr1|a\n")
    done = courant("parse", "--plugin", plugin("pages"), "-o", f"key_file={work}/key", work / "p")
    assert done.returncode == 0 and "request: GET https://example.org/1" in done.stderr, done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr


def test_fetch_leaves_a_page_out_that_is_not_there_and_reads_the_others(loopback, origin):
    origin.set("/1", body="r1|t\nfetch /none\nfetch /bad\nfetch /2\n", type="text/plain")
    origin.set("/none", status=404, body="no")
    origin.set("/bad", body="r9|t\nfail it is broken\n", type="text/plain")
    origin.set("/2", body="r2|t\n", type="text/plain")
    done = fetch(loopback, "--plugin", plugin("pages"), "--url", origin.url("/1"))
    assert [r["guid"] for r in lines(done.stdout)] == ["r1", "r9", "r2"], done.stderr
    assert done.returncode == 1 and "404" in done.stderr and "it is broken" in done.stderr


def test_fetch_reads_all_pages_that_are_asked_for_by_name_whatever_pages_says(loopback, origin):
    for n in range(1, 4):
        origin.set(f"/{n}", body=f"r{n}|t\n", type="text/plain")
    done = fetch(loopback, "--plugin", plugin("planned"), "--pages", "1",
                 *(x for n in range(1, 4) for x in ("-o", f"plan={origin.url(f'/{n}')}")))
    assert done.returncode == 0 and len(lines(done.stdout)) == 3, done.stderr
