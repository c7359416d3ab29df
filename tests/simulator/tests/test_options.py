"""The simulator's limits and faults as options: what is read, and what it does."""

import argparse
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.home.__main__ import arguments
from tests.simulator import Fault, Quirks, sites
from tests.simulator.__main__ import command_line, simulator
from tests.simulator.client import logged_in
from tests.simulator.options import OWN, quirks_of, switches

NOW: Final = datetime(2026, 6, 15, 22, 30, tzinfo=UTC)
"""Half past midnight in Switzerland: the 16th."""
SITES: Final = sites.many(2)
HOUSE: Final = SITES[0]
FLAT: Final = HOUSE.meters[-1]
DAY: Final = timedelta(days=1)


def read(*words: str) -> argparse.Namespace:
    return switches().parse_args(words)


def quirks(*words: str) -> Quirks:
    return quirks_of(read(*words), SITES, NOW)


def test_nothing_said_is_the_usual_cloud() -> None:
    assert quirks() == Quirks(unlisted=[])
    assert read().fault == []


OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "--longest 31": {"window_limit": 31 * DAY},
    "--longest 90 --longest H=31 --longest 15T=0.5": {
        "window_limit": 90 * DAY,
        "longest": {"H": 31 * DAY, "15T": DAY / 2},
    },
    "--refusal 403": {"window_refusal": 403},
    "--refusal hang": {"window_refusal": "hang"},
    "--refusal empty": {"window_refusal": "empty"},
    # A day begins at midnight in Switzerland: 22 h in summer, 23 h in winter.
    "--depth-days 10 --depth-days M=365": {
        "depth": {
            "": datetime(2026, 6, 5, 22, tzinfo=UTC),
            "M": datetime(2025, 6, 15, 22, tzinfo=UTC),
        }
    },
    "--depth-days 180": {"depth": {"": datetime(2025, 12, 17, 23, tzinfo=UTC)}},
    "--kept-days 730 --kept-days 15T=60": {
        "kept": {"": 730 * DAY, "15T": 60 * DAY},
    },
    "--depth-refusal clipped --depth-lifted 90": {
        "depth_refusal": "clipped",
        "depth_lifted": datetime(2026, 6, 16, tzinfo=UTC),
    },
    "--depth-refusal error_object": {"depth_refusal": "error_object"},
    "--most-rows 1000 --kept-rows last": {"most_rows": 1000, "kept_rows": "last"},
    f"--failing {FLAT.id}": {"failing": {FLAT.id: 500}},
    f"--failing {FLAT.id}=hang --failing electricity=403 --failing-before 5": {
        "failing": {FLAT.id: "hang", "electricity": 403},
        "failing_before": datetime(2026, 6, 10, 22, tzinfo=UTC),
    },
    f"--unlisted {HOUSE.id} --unlisted {FLAT.id}": {"unlisted": [HOUSE.id, FLAT.id]},
    "--replica-lag 90": {"replica_lag": timedelta(minutes=90)},
    "--quirk retry_after=3600": {"retry_after": "3600"},
    "--quirk refused_login=422 --quirk includes_start=yes": {
        "refused_login": 422,
        "includes_start": True,
    },
    "--quirk timestamps=date_ms --quirk decimals=none": {
        "timestamps": "date_ms",
        "decimals": None,
    },
    "--quirk without_columns=a,b --quirk month_factor=0.5": {
        "without_columns": ("a", "b"),
        "month_factor": 0.5,
    },
    '--quirk meter_fields={"type":null}': {"meter_fields": {"type": None}},
}


@pytest.mark.parametrize("words", OPTIONS)
def test_options_are_fields_of_the_quirks(words: str) -> None:
    assert quirks(*words.split()) == Quirks(**{"unlisted": []} | OPTIONS[words])


def test_a_meter_is_known_by_its_name_at_each_site() -> None:
    same = [m.id for site in SITES for m in site.meters if m.name == FLAT.name]
    assert len(same) == 2
    assert quirks("--failing", f"{FLAT.name}=html").failing == dict.fromkeys(
        same, "html"
    )


FAULTS: Final = {
    "status,status=502,after=50,times=20": Fault(
        "status", status=502, after=50, times=20
    ),
    "empty_list,path=all_installations": Fault("empty_list", path="all_installations"),
    "error_object,path=auth,body={}": Fault("error_object", path="auth", body="{}"),
    "status,path=auth,status=403,body=<p>No, not you</p>": Fault(
        "status", path="auth", status=403, body="<p>No, not you</p>"
    ),
    'status,status=429,headers={"Retry-After": "900", "A": "b"}': Fault(
        "status", status=429, headers={"Retry-After": "900", "A": "b"}
    ),
    "hang,delay=1.5,since=2026-06-16T12:00+02:00": Fault(
        "hang", delay=1.5, since=datetime(2026, 6, 16, 10, tzinfo=UTC)
    ),
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults(text: str) -> None:
    assert read("--fault", text, "--fault", "html").fault == [
        FAULTS[text],
        Fault("html"),
    ]


WRONG: Final = {
    "--longest soon": "not soon, but a number",
    "--longest -1": "not below 0",
    "--longest week=31": "no sampling is called week, but 15T, H, D, M, Y",
    "--refusal never": "but a whole number or hang or error_object or html or empty",
    "--refusal 31": "31 is no status of a refusal",
    "--depth-refusal cut": "or clipped",
    "--kept-rows both": "not both, but first or last",
    "--most-rows many": "not many, but none or a whole number",
    "--failing electricity=no": "or hang or error_object or html",
    "--quirk colour=red": "there is no colour, but address, ",
    "--quirk longest=31": "there is no longest, but ",
    "--quirk decimals=few": "decimals: not few, but none or a whole number",
    "--quirk includes_end=perhaps": "not perhaps, but yes or no",
    "--quirk meter_fields=[]": "but a JSON object",
    "--fault flood": "not flood, but refuse or hang",
    "--fault hang,hits=3": "there is no hits, but after, ",
    "--fault hang,path=(": "path: ",
    "--fault hang,until=2026-06-16": "a time with its offset",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_told(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(*words.replace(" -1", "=-1").split())
    assert WRONG[words] in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--failing", "--unlisted"])
def test_meters_that_there_are_not_are_told(option: str) -> None:
    with pytest.raises(ValueError, match=f"no attic, but {HOUSE.name}.*{FLAT.name}"):
        quirks(option, "attic")


def test_every_field_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    names = {field.name for field in fields(Quirks)}
    assert names > OWN
    with pytest.raises(SystemExit):
        read("--quirk", "?")
    told = capsys.readouterr().err.partition("but ")[2].strip()
    assert {*told.split(", ")} == names - OWN


@pytest.mark.usefixtures("socket_enabled")
async def test_a_cloud_refuses_what_a_switch_says() -> None:
    words = "--site apartment --longest H=31 --refusal 403 --depth-days 100"
    words += " --fault status,path=auth,status=502,times=1 --min-interval 0"
    options = command_line().parse_args(words.split())
    async with simulator(options) as cloud, logged_in(cloud) as client:
        assert cloud.requests[0].status == 502
        assert (await client.log_in())[0] == 200
        path = f"site_data/{cloud.sites[0].id}/electricity"

        async def status_of(since: int, until: int) -> int:
            """Return the status of a window, in days ago."""
            now = datetime.now(UTC)
            body = {
                "t_s": (now - since * DAY).isoformat(),
                "t_e": (now - until * DAY).isoformat(),
                "sampling_frequency": "H",
            }
            status, _ = await client.send("POST", path, body)
            return status

        assert await status_of(31, 1) == 200
        assert await status_of(33, 1) == 403
        assert await status_of(99, 90) == 200
        assert await status_of(102, 90) == 400


def test_the_demo_hands_them_on_to_its_cloud() -> None:
    limits = ["--longest", "31", "--depth-days=365", "--failing", "Parties communes"]
    own = ["--port", "9000", "--fresh", "--site", "battery", "--site=heat"]
    options = arguments([*own[:2], *limits[:2], *own[2:], *limits[2:]])
    assert options.cloud == [*limits, "--site=battery", "--site=heat"]
    assert (options.port, options.fresh) == (9000, True)
    assert command_line().parse_args(options.cloud).longest == [("", 31 * DAY)]
    assert arguments([]).cloud == []


def test_the_demo_tells_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--longest", "soon"])
    assert "not soon, but a number" in capsys.readouterr().err
