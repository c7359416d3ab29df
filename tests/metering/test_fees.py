"""Monthly fees, spread over the hours that a month really has."""

from zoneinfo import ZoneInfo

import pytest

from custom_components.climkit.metering.tariffs import first_fee_difference

from .examples import NT, YEARS, hours_of, local, tariff, tariffs, utc


@pytest.mark.parametrize(
    ("month", "fee", "days"),
    [
        pytest.param("2026-03", 7.43, {29: 0.23, 30: 0.24}, id="743 hours"),
        pytest.param("2026-10", 7.45, {24: 0.24, 25: 0.25}, id="745 hours"),
    ],
)
def test_a_monthly_fee(month: str, fee: float, days: dict[int, float]) -> None:
    """Case 16: the same for every hour that the month has."""
    site = tariffs(tariff(price=NT, monthly_fee=fee))
    year, number = map(int, month.split("-"))
    start, end = local(f"{month}-01 00:00"), local(f"{year}-{number + 1:02}-01 00:00")
    fees = site.fees(None, start, end)
    assert list(fees.values()) == pytest.approx([0.01] * len(fees))
    assert sum(fees.values()) == pytest.approx(fee)
    assert all(site.fee(None, hour) == share for hour, share in fees.items())
    for day, share in days.items():
        assert sum(fees[hour] for hour in hours_of(f"{month}-{day}")) == pytest.approx(
            share
        )


def test_whose_fee_it_is() -> None:
    """Fees of components add up; a meter pays its own alone; they end with a version."""
    site = tariffs(
        tariff(price=NT, monthly_fee=7.2),
        tariff(price=NT, valid_from="2026-09-11"),
        tariff("solar", price=NT, monthly_fee=3.6),
        tariff("heating", price=NT, monthly_fee=14.4, meters=["x", "y"]),
        tariff("solar", price=NT, meters=["z"]),
    )
    june, october = utc("2026-06-15 10:00"), utc("2026-10-15 10:00")
    assert site.fee(None, june) == pytest.approx(0.015)  # (7.2 + 3.6) / 720
    assert site.fee(None, october) == pytest.approx(3.6 / 745)
    assert site.fee("x", june) == site.fee("y", june) == pytest.approx(0.02)
    assert site.fee("z", june) is None
    assert [site.has_fee(owner) for owner in (None, "x", "z")] == [True, True, False]
    assert site.fee(None, utc("2019-12-31 22:00")) is None
    # A version from the middle of a month: each hour has the fee valid in it.
    september = site.fees(None, local("2026-09-01 00:00"), local("2026-10-01 00:00"))
    assert sum(september.values()) == pytest.approx(7.2 * 10 / 30 + 3.6)


def test_where_fees_change() -> None:
    free = tariff(price=NT)
    paid = tariff(price=NT, monthly_fee=5)
    dearer = tariff(price=NT, monthly_fee=6, valid_from="2026-02-01")
    old, new = tariffs(paid), tariffs(paid, dearer)
    start = utc("2026-01-31 23:00")
    assert first_fee_difference(old, new, None, **YEARS) == start
    assert first_fee_difference(old, new, "x", **YEARS) is None
    none = first_fee_difference(tariffs(free), old, None, **YEARS)
    assert none == YEARS["since"]
    # No fee at all and none mentioned are the same money, in other words.
    zero = tariffs(free, tariff("solar", price=NT))
    assert not zero.same_fees(tariffs(free), None)
    assert first_fee_difference(zero, tariffs(free), None, **YEARS) is None


def test_clocks_that_change_by_half_an_hour() -> None:
    """Lord Howe's October has 743.5 hours, in which 743 hours of UTC begin.

    It starts at 13:30 UTC; so does the period asked for, within an hour that is not
    the month's.
    """
    zone = ZoneInfo("Australia/Lord_Howe")
    site = tariffs(tariff(price=NT, monthly_fee=7.43), zone=zone)
    fees = site.fees(None, utc("2026-09-30 13:30"), utc("2026-10-31 13:00"))
    assert min(fees) == utc("2026-09-30 14:00")
    assert list(fees.values()) == pytest.approx([0.01] * 743)
