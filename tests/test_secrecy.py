"""Nothing secret leaves: not at DEBUG, not by any fault, not in what users pass on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import gc
from ipaddress import IPv4Address
import json
import logging
from pathlib import Path
import ssl
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import list_statistic_ids
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.climkit.api import transport
from custom_components.climkit.const import DOMAIN

from .conftest import NOW, entry_for
from .fast_clock import fast_clock
from .simulator import Fault, SimulatedSite, Simulator, sites

PASSWORD = "kohlrabi-9!secret"
LATITUDE, LONGITUDE = 46.518273, 6.632719


@pytest.fixture
def site() -> SimulatedSite:
    site = sites.community(created=datetime(2026, 6, 13, 22, tzinfo=UTC))
    site.street, site.street_number = "Chemin du Secret", "77bis"
    site.latitude, site.longitude = LATITUDE, LONGITUDE
    return site


@pytest.fixture
def entry(site: SimulatedSite) -> MockConfigEntry:
    flat = site.meter("Appartement 1.1").id
    return entry_for(site, meters=[flat], password=PASSWORD)


class Secrets:
    """What must not be found anywhere."""

    def __init__(self, cloud: Simulator) -> None:
        """Know the cloud's tokens, too."""
        self._cloud = cloud

    def found_in(self, text: str) -> list[str]:
        """Return the secrets that a text has."""
        secrets = [PASSWORD, "Chemin du Secret", "77bis", str(LATITUDE), str(LONGITUDE)]
        secrets += self._cloud.tokens._tokens
        return [secret for secret in secrets if secret in text]


@pytest.mark.rate_limit
@pytest.mark.freeze_time(NOW)
async def test_a_life_with_faults(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    freezer: FrozenDateTimeFactory,
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.accounts["demo"] = PASSWORD
    secrets = Secrets(cloud)
    with fast_clock(freezer):
        entry.add_to_hass(hass)
        for fault in _faults():
            cloud.faults.clear()
            cloud.expire_tokens()
            cloud.faults.add(fault)
            if entry.state is ConfigEntryState.NOT_LOADED:
                await hass.config_entries.async_setup(entry.entry_id)
            await asyncio.sleep(600)
            if entry.state is ConfigEntryState.LOADED:
                await _act(hass, entry, secrets)
        cloud.faults.clear()
        await hass.config_entries.async_reload(entry.entry_id)
        await asyncio.sleep(1200)
        assert entry.state is ConfigEntryState.LOADED
        await _look_everywhere(hass, entry, secrets)
        await hass.config_entries.async_unload(entry.entry_id)
    assert "climkit" in caplog.text
    assert not secrets.found_in(caplog.text)
    for record in caplog.records:
        assert not secrets.found_in(repr(record.args))


def _faults() -> Iterator[Fault]:
    yield Fault("wait", delay=0.1)
    for path in ("", "auth", "site_data"):
        yield Fault("refuse", path=path)
        yield Fault("hang", path=path)
        yield Fault("reset", path=path)
        yield Fault("html", path=path)
        yield Fault("truncated", path=path)
        yield Fault("wrong_type", path=path)
        yield Fault("bad_rows", path=path)
        yield Fault("redirect", path=path, location="http://127.0.0.2:9/")
        for status in (400, 401, 403, 404, 429, 500):
            yield Fault("status", path=path, status=status)


async def _act(hass: HomeAssistant, entry: MockConfigEntry, secrets: Secrets) -> None:
    """Let an action fail, and look at all that its error carries."""
    try:
        await hass.services.async_call(
            DOMAIN, "import_history", {"config_entry_id": entry.entry_id}, blocking=True
        )
    except HomeAssistantError as err:
        error: BaseException | None = err
        while error is not None:
            assert not secrets.found_in(f"{error!s} {error!r} {vars(error)!r}")
            error = error.__cause__ or error.__context__


async def _look_everywhere(
    hass: HomeAssistant, entry: MockConfigEntry, secrets: Secrets
) -> None:
    ours = [
        thing
        for thing in gc.get_objects()
        if type(thing).__module__.startswith("custom_components.climkit")
    ]
    assert ours
    assert not secrets.found_in("".join(repr(thing) for thing in ours))
    issues = "".join(repr(issue) for issue in ir.async_get(hass).issues.values())
    assert not secrets.found_in(issues)
    statistics = await get_instance(hass).async_add_executor_job(
        list_statistic_ids, hass
    )
    assert any(known["source"] == DOMAIN for known in statistics)
    assert not secrets.found_in(repr(statistics))
    states = [(state.state, state.attributes) for state in hass.states.async_all()]
    assert not secrets.found_in(repr(states))
    assert not secrets.found_in(json.dumps(await _diagnostics(hass, entry)))


async def _diagnostics(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    diagnostics = pytest.importorskip("custom_components.climkit.diagnostics")
    return await diagnostics.async_get_config_entry_diagnostics(hass, entry)


async def test_wrong_certificate(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever cannot prove to be the cloud gets no password."""
    reached: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.json_response({"access_token": "x"})

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(_certificate(tmp_path))
    # The server's loop is this one, and takes our refusal for an error.
    monkeypatch.setattr(
        asyncio.get_running_loop(), "call_exception_handler", lambda _: None
    )
    async with _server(serve, context) as port:
        monkeypatch.setenv("CLIMKIT_API_URL", f"https://127.0.0.1:{port}/api/v1")
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
    assert not reached


async def test_endless_answer(
    hass: HomeAssistant,
    cloud: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A body without end is cut off, not kept."""
    monkeypatch.setattr(transport, "MAX_BODY", 1_000_000)
    sent = 0

    async def serve(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"0" * 100_000)
            sent += 100_000

    async with _server(serve) as port:
        monkeypatch.setenv("CLIMKIT_API_URL", f"http://127.0.0.1:{port}/api/v1")
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
    assert 1_000_000 <= sent < 10_000_000


@asynccontextmanager
async def _server(
    serve: Any, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate that nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.climkit.io")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName(
        [x509.IPAddress(IPv4Address("127.0.0.1"))]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
