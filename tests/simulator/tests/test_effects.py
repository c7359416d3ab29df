"""What befalls values after they were measured: outages, revisions, late meters."""

from datetime import UTC, datetime

import pytest

from tests.simulator import sites

from .test_model import DAY, HOUR, START, ZURICH, total


def test_an_outage_hides_rows_and_is_filled_in_a_straight_line() -> None:
    begin, end, until = START + 10 * HOUR, START + 11 * HOUR, START + 15 * HOUR
    whole = ("electricity", "15T", START, START + DAY)
    site = sites.with_battery()
    before = site.model(*whole)
    site.outage(begin, end, until)
    for at, rows in ((until - HOUR, 0), (until, 4)):
        found = site.model(*whole, at)["conso_total"]
        assert sum(begin <= start < end for start in found) == rows
    filled = site.model(*whole)
    for name, values in filled.items():
        gap = {v for start, v in values.items() if begin <= start < end}
        assert len(gap) == 1
        around = {s: v for s, v in values.items() if not begin <= s < end}
        assert around == {start: before[name][start] for start in around}
        if name.startswith("total_"):
            assert total(filled, name) == pytest.approx(total(before, name))


def test_a_revision_changes_its_interval_from_its_moment_on() -> None:
    begin, end, at = START + 10 * HOUR, START + 11 * HOUR, START + 9 * DAY
    window = ("electricity", "15T", START, START + DAY)
    site = sites.community()
    before = site.model(*window)
    flat = site.meter("Appartement 1.1")
    site.revise(begin, end, add=0.5, at=at, meters=[flat.id])
    assert site.model(*window, at - HOUR) == before
    after = site.model(*window, at)
    assert after == site.model(*window)
    column = f"total_{flat.id}"
    for start, value in after[column].items():
        more = 0.5 if begin <= start < end else 0.0
        assert value == pytest.approx(before[column][start] + more)
        conso = before["conso_total"][start] + more
        assert after["conso_total"][start] == pytest.approx(conso)
    for values, name in ((v, n) for n, v in after.items()):
        outside = {s: v for s, v in values.items() if not begin <= s < end}
        assert outside == {start: before[name][start] for start in outside}


def test_a_revision_shows_in_months_that_were_asked_before() -> None:
    site = sites.community()
    month = datetime(2024, 3, 1, tzinfo=ZURICH), datetime(2024, 4, 1, tzinfo=ZURICH)
    before = total(site.model("electricity", "M", *month), "conso_total")
    day = datetime(2024, 3, 10, tzinfo=UTC)
    site.revise(day, day + HOUR, add=1.0, meters=[site.meter("Parties communes").id])
    after = total(site.model("electricity", "M", *month), "conso_total")
    assert after == pytest.approx(before + 4.0)


@pytest.mark.parametrize("value", [0.0, float("nan")], ids=["zero", "null"])
def test_a_late_meter_changes_the_shares_of_all(value: float) -> None:
    site = sites.community()
    begin, until = START + 8 * HOUR, START + 2 * DAY
    window = ("electricity", "15T", begin, begin + HOUR)
    truth = site.model(*window)
    late, other = site.meter("Pompe à chaleur"), site.meter("Appartement 1.1")
    site.late(begin, begin + HOUR, until, [late.id], value=value)
    early = site.model(*window, until - HOUR)
    assert set(early[f"total_{late.id}"].values()) <= {0.0}
    assert len(early[f"total_{late.id}"]) == (4 if value == 0.0 else 0)
    assert total(early, "conso_total") < total(truth, "conso_total")
    assert early[f"total_{other.id}"] == truth[f"total_{other.id}"]
    assert site.model(*window, until) == truth
    share = total(early, f"self_{other.id}") / total(early, f"total_{other.id}")
    true = total(truth, f"self_{other.id}") / total(truth, f"total_{other.id}")
    assert share > true


def test_a_single_meter_may_be_out() -> None:
    begin, end, until = START + 8 * HOUR, START + 10 * HOUR, START + DAY
    window = ("electricity", "15T", START, START + DAY)
    site = sites.community()
    before = site.model(*window)
    pump = site.meter("Pompe à chaleur")
    site.outage(begin, end, until, meters=[pump.id])
    column = f"total_{pump.id}"
    early = site.model(*window, until - HOUR)
    assert (
        len(before["conso_total"]) - len(early[column]) == 8 + 6
    )  # unpublished: since 22:30
    assert all(not begin <= start < end for start in early[column])
    filled = site.model(*window)
    assert len({v for s, v in filled[column].items() if begin <= s < end}) == 1
    assert total(filled, column) == pytest.approx(total(before, column))
    other = f"total_{site.meter('Appartement 1.1').id}"
    assert filled[other] == before[other]
