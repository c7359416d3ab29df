"""What the diagnostics tell of the cloud: forms, never contents."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

import pytest

from custom_components.climkit.api import ClimkitClient, Observations, Resolution
from custom_components.climkit.api.shape_report import moment_form, shape

from .conftest import Answer, Cloud
from .test_client import METER, SITE
from .test_values import MOMENTS, NO_MOMENTS


async def test_report(cloud: Cloud, client: ClimkitClient) -> None:
    now = datetime.now(UTC)
    newest = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    start = newest - timedelta(minutes=30)
    stamps = [newest - timedelta(minutes=15), newest]
    rows = [{"timestamp": str(s), f"total_{METER}": 0.5} for s in stamps]
    cloud.valid_until = lambda: {"$date": 1}
    cloud.answer("all_installations", Answer([{"$oid": SITE}]))
    cloud.answer("installation_infos", Answer({"name": "Secret", "timezone": "x"}))
    cloud.answer("meter_info", Answer([{"id": METER, "type": "cooling"}]))
    cloud.answer("site_data", Answer(rows))
    cloud.answer("meter_data", Answer("", 403))
    await client.site_ids()
    await client.site(SITE)
    await client.meters(SITE)
    await client.site_series(SITE, "cooling", Resolution.QUARTER_HOUR, start)
    with pytest.raises(Exception, match="no access"):
        await client.meter_series(SITE, METER, Resolution.HOUR, start)
    report = client.observations.as_dict()
    age = report.pop("site_data newest row's age")
    assert 0 <= age["least"] <= age["last"] <= 16
    assert report == {
        "all_installations item": {"{$oid:str}": 1},
        "all_installations status": {"200": 1},
        "auth keys": {"{access_token:str, valid_until:dict}": 1},
        "auth status": {"200": 1},
        "auth valid_until": {"$date s": 1},
        "installation_infos creation_date": {"NoneType": 1},
        "installation_infos keys": {"{name:str, timezone:str}": 1},
        "installation_infos status": {"200": 1},
        "meter_data status": {"403": 1},
        "meter_info item": {"{id:str, type:str}": 1},
        "meter_info mode": {"consumption": 1},
        "meter_info status": {"200": 1},
        "meter_info type": {"cooling": 1},
        "sampling_frequency": {"15T": 1},
        "site_data item": {"{timestamp:str, total_<id>:float}": 1},
        "site_data order": {"ascending": 1},
        "site_data status": {"200": 1},
        "site_data t_s read as": {"unknown": 1},
        "site_data timestamp": {"ISO space UTC": 1},
    }
    assert METER not in json.dumps(report)


def test_never_without_end() -> None:
    """A cloud that goes mad does not fill the memory."""
    observations = Observations()
    for topic in range(1000):
        observations.note(f"topic {topic}", "form")
    for variant in range(1000):
        observations.note("topic 1", f"form {variant}")
    observations.note("topic 2", "x" * 100_000)
    report = observations.as_dict()
    assert len(report) == 200
    assert len(report["topic 1"]) == 41
    assert report["topic 1"]["<more>"] == 961
    assert max(map(len, report["topic 2"])) == 2000


def test_ids_are_masked() -> None:
    observations = Observations()
    observations.note("topic", f"{SITE} and {METER.upper()}")
    assert observations.as_dict() == {"topic": {"<id> and <id>": 1}}


FORMS = MOMENTS | NO_MOMENTS


@pytest.mark.parametrize(("wire", "form"), FORMS.values(), ids=FORMS)
def test_form_of_a_time(wire: Any, form: str) -> None:
    assert moment_form(wire) == form


def test_shape_tells_no_content() -> None:
    assert (
        shape(
            {
                "name": "Secret",
                "prim_ad": None,
                "vol_m3": 1.5,
                "total_63d9a1f05de9e5093d46bdb6": 1,
                "ext_63d9a1f05de9e5093d46bdb7": 1.0,
                "Flat of Mr. Secret": [],
                "63d9a1f05de9e5093d46bdb6": {},
            }
        )
        == "{<other>:dict, <other>:list, ext_<id>:float, name:str, prim_ad:null, "
        "total_<id>:int, vol_m3:float}"
    )
    assert shape(None) == "null"
    assert shape("Secret") == "str"
    assert len(shape({"x" * n: 1 for n in range(1, 2000)})) < 2000
