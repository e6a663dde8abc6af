"""Records that a filter lets wait: asked about again, passed on at most once, dropped in the end."""
import random
import shutil
import time

from courant import BUILD, until

ITEM = ("<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title>"
        "<slash:comments>{votes}</slash:comments></item>")


def rated(votes):
    """A feed whose entries have so many comments: {guid: number}."""
    items = "".join(ITEM.format(guid=guid, title=f"Entry {guid}", votes=n) for guid, n in votes.items())
    return ('<rss version="2.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel>'
            f"<title>rated</title>{items}</channel></rss>").encode()


def floor(least):
    return {"floor": {"of": "comments", "least": least, "below": "wait"}}


def rating(daemon, origin, votes, least=10, **route):
    """A daemon whose route passes what has enough comments, once it has read the feed."""
    d = daemon()
    where = d.folder / "plugins"
    where.mkdir()
    shutil.copy(BUILD / "tests" / "plugins" / "filter_floor.so", where)
    (where / "filter_floor.so").chmod(0o755)
    d.settings["plugins"] = [str(where)]
    d.sources = {"s": {"plugin": "feed", "url": origin.put("s.xml", rated(votes)), "every": "1 h"}}
    d.routes = {"r": {"from": ["s"], "filters": [floor(least)],
                      "to": {"jsonl": {"path": "all.jsonl"}}, **route}}
    d.write()
    d.start().settled()
    return d


def guids(d):
    return [r["guid"] for r in d.lines()] if d.out("all.jsonl").exists() else []


def filters(d):
    return d.route("r")["filters"]


def rate(d, origin, votes):
    origin.put("s.xml", rated(votes))
    d.refresh("s")
    d.settled()


def test_a_record_comes_through_once_its_number_has_risen(daemon, origin):
    d = rating(daemon, origin, {"low": 1, "high": 20})
    assert guids(d) == ["high"] and filters(d)["waiting"] == 1
    rate(d, origin, {"low": 9, "high": 21})
    assert guids(d) == ["high"] and filters(d)["waiting"] == 1
    assert d.stop() == 0
    d.start()
    rate(d, origin, {"low": 10, "high": 21})
    d.until(lambda: guids(d) == ["high", "low"], 10, "what waited is delivered")
    line = d.lines()[1]
    assert line["counters"] == {"comments": 10} and "revision" not in line and "record" not in line
    assert filters(d)["waiting"] == 0
    rate(d, origin, {"low": 50, "high": 50})
    assert guids(d) == ["high", "low"]
    assert d.records() == 2, "it is listed once"
    assert len(d.http("/api/v1/records").json["records"]) == 2


def test_a_record_comes_through_once_a_second_source_tells_its_story(daemon, origin):
    def told(name):
        return (f"<rss version='2.0'><channel><title>{name}</title>"
                "<item><link>https://news.example/tale</link><title>A long and winding tale</title></item>"
                f"<item><link>https://{name}.example/own</link><title>Only {name} has got this one"
                "</title></item></channel></rss>").encode()
    d = daemon()
    d.sources = {"a": {"plugin": "feed", "url": origin.put("a.xml", told("a")), "every": "1 h"}}
    d.routes = {"r": {"from": ["*"], "filters": [{"match": {"where": ["sources >= 2"], "unmet": "wait"}}],
                      "to": {"jsonl": {"path": "all.jsonl"}}}}
    d.write()
    d.start().settled()
    assert not d.out("all.jsonl").exists() and filters(d)["waiting"] == 2
    d.sources["b"] = {"plugin": "feed", "url": origin.put("b.xml", told("b")), "every": "1 h"}
    d.write()
    d.courant("reload")
    d.until_lines(1)
    d.settled()
    assert [r["title"] for r in d.until_lines(1)] == ["A long and winding tale"]
    assert filters(d)["waiting"] == 2, "what each source has alone goes on waiting"


def test_kills_lose_and_repeat_nothing(daemon, origin):
    chance = random.Random(3)
    votes = {f"g{n}": 0 for n in range(40)}
    d = rating(daemon, origin, votes)
    for _ in range(8):
        for guid in chance.sample(sorted(votes), 12):
            votes[guid] += chance.randint(3, 10)
        origin.put("s.xml", rated(votes))
        d.courant("refresh", "s")
        begun, wait = time.monotonic(), chance.random() * 0.3
        until(lambda: time.monotonic() - begun >= wait, 5, every=0.005)
        d.kill()
        d.start()
    d.settled()
    votes = {guid: 30 for guid in votes}
    rate(d, origin, votes)
    d.until_lines(40)
    assert sorted(guids(d)) == sorted(votes)
    assert filters(d)["waiting"] == 0


def test_a_reload_that_changes_or_removes_the_filter_asks_again(daemon, origin):
    d = rating(daemon, origin, {"one": 1, "five": 5, "ten": 10})
    assert guids(d) == ["ten"]
    d.routes["r"]["filters"] = [floor(5)]
    d.write()
    d.courant("reload")
    d.until(lambda: guids(d) == ["ten", "five"], 10, "the new filter lets it through")
    assert filters(d)["waiting"] == 1
    del d.routes["r"]["filters"]
    d.write()
    d.courant("reload")
    d.until(lambda: guids(d) == ["ten", "five", "one"], 10, "nothing is left to wait for")
    d.settled()
    assert d.stop() == 0
    d.start().settled()
    assert guids(d) == ["ten", "five", "one"]


def test_a_filter_removed_while_the_daemon_was_down(daemon, origin):
    d = rating(daemon, origin, {"one": 1, "ten": 10})
    d.kill()
    del d.routes["r"]["filters"]
    d.write()
    d.start()
    d.until(lambda: guids(d) == ["ten", "one"], 10, "nothing is left to wait for")


def test_patience_ends(daemon, origin):
    d = rating(daemon, origin, {"one": 1, "two": 2, "ten": 10}, patience="1 s")
    d.until(lambda: filters(d)["expired"] == 2, 10, "they have waited long enough")
    told = filters(d)
    assert told["waiting"] == told["dead"] == 0 and d.route("r")["dropped"] == 2
    d.wait_log(r"dropped, since a filter's word came not within the patience: ")
    rate(d, origin, {"one": 11, "two": 12, "ten": 13})
    assert guids(d) == ["ten"]


def test_patience_ends_while_the_daemon_is_down(daemon, origin):
    d = rating(daemon, origin, {"one": 1, "ten": 10}, patience="3 s")
    ends = time.monotonic() + 3
    assert filters(d)["waiting"] == 1
    d.kill()
    origin.put("s.xml", rated({"one": 11, "ten": 11}))
    until(lambda: time.monotonic() > ends, 10, "the patience is over")
    d.start()
    d.until(lambda: filters(d)["expired"] == 1, 10, "it is dropped")
    d.refresh("s")
    d.settled()
    assert guids(d) == ["ten"] and filters(d)["waiting"] == 0


def test_resuming_a_route_asks_about_what_waits(daemon, origin):
    d = rating(daemon, origin, {"one": 1, "ten": 10})
    head = d.status()["counts"]["head"]
    d.courant("resume", "r")
    d.until(lambda: d.status()["counts"]["head"] == head + 1, 10, "it is in the log again")
    d.settled()
    assert guids(d) == ["ten"] and filters(d)["waiting"] == 1
