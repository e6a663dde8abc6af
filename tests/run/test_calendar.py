"""When editions are due: by the calendar of a zone, compared with Python's zoneinfo."""
import datetime
import subprocess
import zoneinfo

import pytest

from courant import program

UTC = datetime.timezone.utc
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "America/Santiago"]
EVERY_DAY = 0x7f
LAST = 31


def found(every, on, at, zone, begin, end):
    """[(seconds, name)] of the program's."""
    out = subprocess.run([program("calendar"), every, str(on), str(at), zone, str(begin), str(end)], check=True,
                         capture_output=True, text=True).stdout
    assert "<" not in out, out
    return [(int(t), name) for t, name in (line.split() for line in out.splitlines())]


def moment(date, at, zone):
    """The first second at which the clocks of the zone show that time of the day or, in a gap, a later one; None:
    the zone has no such day."""
    wanted = datetime.datetime(date.year, date.month, date.day, at // 60, at % 60)
    t = int(wanted.replace(tzinfo=zone, fold=0).timestamp())
    if datetime.datetime.fromtimestamp(t, zone).replace(tzinfo=None) != wanted:     # a gap: its end
        low, high = t - 86400, t
        while high - low > 1:
            mid = (low + high) // 2
            if datetime.datetime.fromtimestamp(mid, zone).replace(tzinfo=None) >= wanted:
                high = mid
            else:
                low = mid
        t = high
    return t if datetime.datetime.fromtimestamp(t, zone).date() == date else None


def expected(every, on, at, zone, begin, end):
    zone = zoneinfo.ZoneInfo(zone)
    date = datetime.datetime.fromtimestamp(begin, UTC).date() - datetime.timedelta(2)
    all_of_them = []
    while True:
        if every == "month":
            is_day = (date + datetime.timedelta(1)).day == 1 if on == LAST else date.day == on
        else:
            is_day = on >> date.weekday() & 1
        t = moment(date, at, zone) if is_day else None
        if t is not None and begin < t < end:
            year, week, _ = date.isocalendar()
            all_of_them.append((t, {"day": date.isoformat(), "week": f"{year}-W{week:02}",
                                    "month": date.isoformat()[:7]}[every]))
        if date > datetime.datetime.fromtimestamp(end, UTC).date():
            return all_of_them
        date += datetime.timedelta(1)


def seconds(*date):
    return int(datetime.datetime(*date, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [0, 1 * 60 + 30, 2 * 60 + 30, 23 * 60 + 59])
def test_row_20_every_day_of_two_years(zone, at):
    begin, end = seconds(2025, 1, 1), seconds(2027, 1, 10)
    days = found("day", EVERY_DAY, at, zone, begin, end)
    assert days == expected("day", EVERY_DAY, at, zone, begin, end) and len(days) >= 738
    assert len({name for _, name in days}) == len(days), "a name comes once"


@pytest.mark.parametrize("zone", ZONES)
def test_weeks_and_months(zone):
    begin, end = seconds(2025, 1, 1), seconds(2032, 1, 10)
    for every, on in (("week", 1), ("week", 64), ("month", 1), ("month", 28), ("month", LAST)):
        assert found(every, on, 150, zone, begin, end) == expected(every, on, 150, zone, begin, end), (every, on)
    assert (f"{2026}-W53" in [n for _, n in found("week", 1 << 4, 420, zone, seconds(2026, 12, 30), end)])


def test_row_19_a_time_that_is_left_out_or_shown_twice():
    def of(zone, at, *date):
        day = datetime.date(*date)
        t = {n: s for s, n in found("day", EVERY_DAY, at, zone, seconds(*date) - 86400 * 3, seconds(*date) + 86400 * 3)}
        return t.get(day.isoformat())
    half_past_two = 150
    assert of("Europe/Paris", half_past_two, 2025, 3, 30) == seconds(2025, 3, 30, 1, 0), "3:00, where 2:30 is left out"
    assert of("Europe/Paris", half_past_two, 2025, 10, 26) == seconds(2025, 10, 26, 0, 30), "the first 2:30"
    assert of("America/New_York", half_past_two, 2025, 3, 9) == seconds(2025, 3, 9, 7, 0)
    assert of("America/New_York", 90, 2025, 11, 2) == seconds(2025, 11, 2, 5, 30), "the first 1:30"
    assert of("Australia/Lord_Howe", 135, 2025, 10, 5) == seconds(2025, 10, 4, 15, 30), "a gap of half an hour"
    assert of("Pacific/Apia", 420, 2011, 12, 30) is None, "no such day"
    assert of("Pacific/Apia", 420, 2011, 12, 31) == seconds(2011, 12, 30, 17, 0)
