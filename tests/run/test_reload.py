"""What a reload changes is so at once: outputs, their files, and what is said of it."""
import copy
import json
import re

from courant import numbered, rss

FEED = {"everything": {"from": ["*"], "to": {"feed": {"path": "all"}}}}


def feeds(daemon, origin, routes=None, **settings):
    d = daemon({"a": {"plugin": "feed", "url": origin.put("a.xml", rss(numbered(1, 3, "a"))), "every": "1 h"}},
               routes or copy.deepcopy(FEED), settings)
    d.start().settled()
    return d


def items(d, name="all.json"):
    return json.loads(d.out(name).read_text())["items"]


def titled(d, name, title):
    return d.out(name).exists() and title in d.out(name).read_text()


def test_changed_options_of_a_list_count_without_a_new_record(daemon, origin):
    d = feeds(daemon, origin)
    d.until(lambda: titled(d, "all.rss", "a number 3"), 10, "the feed is written")
    d.routes["everything"]["to"]["feed"].update(title="Another title", keep=1)
    d.write()
    d.courant("reload")
    d.until(lambda: titled(d, "all.rss", "Another title"), 10, "the new title is in the feed")
    d.until(lambda: len(items(d)) == 1, 10, "the list is as long as it is to be")
    d.routes["everything"]["title"] = "Of the route"
    del d.routes["everything"]["to"]["feed"]["title"]
    d.write()
    d.courant("reload")
    d.until(lambda: titled(d, "all.atom", "Of the route"), 10, "the route's title is in the feed")
    assert d.stop() == 0
    d.routes["everything"]["title"] = "While it was down"
    d.write()
    d.start()
    d.until(lambda: titled(d, "all.atom", "While it was down"), 10, "so it is after a start")


def test_a_missing_file_is_written_again(daemon, origin):
    d = feeds(daemon, origin)
    d.until(lambda: titled(d, "all.json", "a number 3"), 10, "the feed is written")
    before = d.out("all.rss").read_bytes()
    d.out("all.rss").unlink()
    d.courant("reload")
    d.until(d.out("all.rss").exists, 10, "the file is back")
    assert d.out("all.rss").read_bytes() == before
    d.out("all.rss").unlink()
    assert d.stop() == 0
    d.start()
    d.until(d.out("all.rss").exists, 10, "the file is back after a start")


def test_a_route_that_has_passed_nothing_has_an_empty_feed(daemon, origin):
    nothing = {"match": {"any": ["no such word"]}}
    d = feeds(daemon, origin, {"none": {"from": ["*"], "filters": [nothing], "to": {"feed": {"path": "none"}}}})
    d.until(d.out("none.json").exists, 10, "an empty feed is written")
    assert items(d, "none.json") == []
    assert "<channel>" in d.out("none.rss").read_text() and "<item>" not in d.out("none.rss").read_text()
    assert "</feed>" in d.out("none.atom").read_text() and "<entry>" not in d.out("none.atom").read_text()
    d.until(lambda: d.route("none")["sinks"][0]["state"] == "idle", 10, "and settled")
    d.settled()


def test_an_empty_database_gives_an_empty_feed_and_then_a_full_one(daemon, origin):
    d = daemon({"a": {"plugin": "feed", "url": origin.put("a.xml", rss([])), "every": "1 h"}}, copy.deepcopy(FEED))
    d.start()
    d.until(d.out("all.json").exists, 10, "an empty feed is written")
    assert items(d) == []
    origin.put("a.xml", rss(numbered(1, 3, "a")))
    d.refresh("a")
    d.until(lambda: len(items(d)) == 3, 10, "then what there is")


def test_what_a_reload_made_different_is_told_in_a_line(daemon, origin):
    d = feeds(daemon, origin)
    url = d.sources["a"]["url"]
    d.sources = {"a": {**d.sources["a"], "every": "2 h"}, **{f"b{n}": {"plugin": "feed", "url": f"{url}?{n}"} for n in range(7)}}
    d.routes["two"] = {"from": ["a"], "to": {"jsonl": {"path": "two.jsonl"}}}
    d.routes["everything"]["to"]["feed"]["title"] = "New"
    d.write()
    want = ("sources: 7 added (b0, b1, b2, b3, b4 and 2 more), 1 changed (a); "
            "routes: 1 added (two), 1 changed (everything)")
    since = len(d.log())
    assert want in d.courant("reload").stdout.decode()
    d.wait_log(r"configuration taken: 8 sources, 2 routes; " + re.escape(want) + "$", since=since)
    d.sources = {"a": d.sources["a"]}
    del d.routes["two"]
    d.write(contact="a@example.org")
    since = len(d.log())
    d.courant("reload")
    d.wait_log(r"; sources: 7 removed \(.*\); routes: 1 removed \(two\); settings changed$", since=since)
    since = len(d.log())
    said = d.courant("reload").stdout.decode()
    assert "nothing is different" in said and "counts when" not in said
    d.wait_log("nothing is different$", since=since)


def test_each_source_of_a_route_is_part_of_what_it_is(daemon, origin):
    d = feeds(daemon, origin)
    d.routes["one"] = {"to": {"jsonl": {"path": "one.jsonl"}}}
    for n in "bcd":
        d.sources[n] = {**d.sources["a"], "url": f"{d.sources['a']['url']}?{n}"}
    for names in (["a", "b", "c"], ["d", "b", "c"], ["d", "a", "c"], ["d", "a", "b"]):
        d.routes["one"]["from"] = names
        d.write()
        assert "1 changed (one)" in d.courant("reload").stdout.decode() or names[0] == "a"


def test_what_needs_a_restart_is_in_the_log_each_time(daemon, origin):
    d = feeds(daemon, origin)
    d.write(state=str(d.folder / "elsewhere"), serve={"listen": "127.0.0.1:1"}, user="daemon")
    for _ in range(2):
        since = len(d.log())
        said = d.courant("reload").stdout.decode()
        for key in ("user", "state", "serve"):
            assert f"`{key}:` counts when the daemon is started again" in said
            d.wait_log(rf"warning: reload: `{key}:` counts when", since=since)


def test_mistakes_are_error_lines_of_their_own(daemon, origin):
    d = feeds(daemon, origin)
    good = d.conf.read_text()
    d.conf.write_text(good + "nonsense: 1\nroutez: 2\n")
    since = len(d.log())
    assert d.courant("reload", check=False).returncode == 1
    d.wait_log("error: reload: 2 mistakes; the running configuration stays$", since=since)
    lines = [each for each in d.log()[since:].splitlines() if "unknown key" in each]
    assert len(lines) == 2 and all(re.search(r"core\[\d+\]: error: .*courant.yaml:\d+: ", each) for each in lines), lines
    assert d.stop() == 0
    code, said = d.run()
    assert code == 1 and len(re.findall(r"(?m)^\S+ core\[\d+\]: error: .*: unknown key", said)) == 2, said
    d.conf.write_text(good)
    (d.state / "courant.db").write_bytes(b"no database at all, but long enough to be looked at" * 9)
    code, said = d.run()
    assert code == 66 and re.search(r"(?m)^\S+ store\[\d+\]: error: ", said), said
