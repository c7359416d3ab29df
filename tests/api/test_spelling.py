"""The cloud may follow pandas and rename its frequencies: the client finds out."""

from datetime import UTC, datetime, timedelta
import json
from typing import override

from aiohttp import web
from freezegun import freeze_time
import pytest

from custom_components.climkit.api import (
    ClimkitClient,
    ClimkitResponseError,
    Resolution,
)

from .conftest import Answer, Cloud

START = datetime(2026, 3, 22, tzinfo=UTC)


class Choosy(Answer):
    """Takes some spellings only."""

    taken: tuple[str, ...] = ()
    refusal: int = 400

    @override
    async def send(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        spelling = json.loads(await request.text())["sampling_frequency"]
        self.status = 200 if spelling in self.taken else self.refusal
        return await super().send(request)


@pytest.fixture
def choosy(cloud: Cloud) -> Choosy:
    """Let the cloud be choosy."""
    choosy = Choosy()
    cloud.answer("site_data", choosy)
    return choosy


def spellings(cloud: Cloud) -> list[str]:
    """Return what was asked for, and forget it."""
    found = [asked.json["sampling_frequency"] for asked in cloud.asked if asked.token]
    cloud.asked.clear()
    return found


async def ask(client: ClimkitClient, resolution: Resolution) -> bool:
    """Return whether the cloud answers."""
    try:
        await client.site_series("s", "heating", resolution, START)
    except ClimkitResponseError:
        return False
    return True


@pytest.mark.parametrize("refusal", [400, 422])
@pytest.mark.parametrize(
    "renamed",
    [
        (Resolution.QUARTER_HOUR, "15min"),
        (Resolution.HOUR, "h"),
        (Resolution.MONTH, "ME"),
        (Resolution.YEAR, "YE"),
    ],
)
async def test_renamed(
    cloud: Cloud,
    client: ClimkitClient,
    choosy: Choosy,
    renamed: tuple[Resolution, str],
    refusal: int,
) -> None:
    resolution, new = renamed
    choosy.taken, choosy.refusal = (new,), refusal
    assert await ask(client, resolution)
    assert spellings(cloud) == [resolution.value, new]
    assert await ask(client, resolution)
    assert spellings(cloud) == [new]
    assert client.observations.as_dict()["sampling_frequency"] == {new: 2}


async def test_renamed_back(
    cloud: Cloud, client: ClimkitClient, choosy: Choosy
) -> None:
    choosy.taken = ("h",)
    with freeze_time(START) as now:
        assert await ask(client, Resolution.HOUR)
        choosy.taken = ("H",)
        assert not await ask(client, Resolution.HOUR)
        now.tick(timedelta(days=1, seconds=1))
        assert await ask(client, Resolution.HOUR)
        assert await ask(client, Resolution.HOUR)
    assert spellings(cloud) == ["H", "h", "h", "h", "H", "H"]


async def test_refused_for_another_reason(
    cloud: Cloud, client: ClimkitClient, choosy: Choosy
) -> None:
    """A window that is too long costs one more request a day, not each time."""
    with freeze_time(START) as now:
        for _ in range(3):
            assert not await ask(client, Resolution.HOUR)
        assert spellings(cloud) == ["H", "h", "H", "H"]
        now.tick(timedelta(days=1, seconds=1))
        assert not await ask(client, Resolution.HOUR)
        assert spellings(cloud) == ["H", "h"]
        choosy.taken = ("H",)
        assert await ask(client, Resolution.HOUR)
        assert spellings(cloud) == ["H"]


async def test_no_other_spelling(
    cloud: Cloud, client: ClimkitClient, choosy: Choosy
) -> None:
    assert not await ask(client, Resolution.DAY)
    choosy.refusal = 500
    assert not await ask(client, Resolution.HOUR)
    assert spellings(cloud) == ["D", "H"]


async def test_log_in_on_the_way(
    cloud: Cloud, client: ClimkitClient, choosy: Choosy
) -> None:
    """A page instead of a log-in says nothing of how frequencies are spelled."""
    choosy.taken = ("H",)
    cloud.answer("auth", Answer("<h1>Maintenance</h1>", 400))
    assert not await ask(client, Resolution.HOUR)
    assert cloud.paths() == ["auth"]
    cloud.answers.pop("auth")
    assert await ask(client, Resolution.HOUR)
    assert spellings(cloud) == ["H"]
