"""Goes through an integration's set-up as a person would who accepts what is offered."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from .client import HomeClient, HomeError, Json

FLOWS = "/api/config/config_entries/flow"
SUBENTRY_FLOWS = "/api/config/config_entries/subentries/flow"


async def run_flow(
    client: HomeClient,
    handler: str,
    answers: Mapping[str, Any],
    *,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Add an integration and return the id of its entry.

    Each field gets the value in `answers`, else what the form preselects or suggests,
    else the first choice. Raises HomeError when the flow refuses or aborts.
    """
    result = await _go_through(client, FLOWS, handler, answers, say)
    entry_id: str = result["result"]["entry_id"]
    return entry_id


async def add_subentry(
    client: HomeClient, entry_id: str, kind: str, answers: Mapping[str, Any]
) -> str:
    """Add to an entry what is added with a button of its own; return its title.

    Fields are filled and HomeError is raised as by `run_flow`.
    """
    result = await _go_through(
        client, SUBENTRY_FLOWS, [entry_id, kind], answers, lambda _: None
    )
    title: str = result["title"]
    return title


async def _go_through(
    client: HomeClient,
    flows: str,
    handler: str | list[str],
    answers: Mapping[str, Any],
    say: Callable[[str], None],
) -> Json:
    """Go through the steps of a flow and return the last one.

    A form that complains is answered once more if it now offers something else.
    """
    sent: Json | None = None
    step: Json = await client.request("POST", flows, {"handler": handler})
    while True:
        match step["type"]:
            case "create_entry":
                return step
            case "form":
                given = fill(step["data_schema"], answers)
                if step.get("errors") and given == sent:
                    raise HomeError(f"Step {step['step_id']}: {step['errors']}")
                sent = given
                say(f"Step {step['step_id']}: {describe(given)}")
                step = await client.request("POST", f"{flows}/{step['flow_id']}", given)
            case "menu":
                choice = {"next_step_id": next(iter(step["menu_options"]))}
                step = await client.request(
                    "POST", f"{flows}/{step['flow_id']}", choice
                )
            case "progress" | "progress_done":
                await asyncio.sleep(0.5)
                step = await client.request("GET", f"{flows}/{step['flow_id']}")
            case _:
                raise HomeError(f"Set-up ended with {step.get('reason', step)}")


def fill(schema: list[Json], answers: Mapping[str, Any]) -> Json:
    """Return a form's values; raises HomeError for a field that nothing answers."""
    given: Json = {}
    for field in schema:
        name = field["name"]
        if field.get("type") == "expandable":
            given[name] = fill(field["schema"], answers)
        elif name in answers:
            given[name] = answers[name]
        elif (preselected := preselection(field)) is not None:
            given[name] = preselected
        elif field.get("required"):
            raise HomeError(f"Nothing to put into the field {name}")
    return given


def preselection(field: Json) -> Any:
    """Return what the page shows in a field before anybody types; None if nothing."""
    suggested = (field.get("description") or {}).get("suggested_value")
    if suggested is not None:
        return suggested
    if field.get("default") is not None:
        return field["default"]
    options = field.get("selector", {}).get("select", {}).get("options")
    if not options or not field.get("required"):
        return None
    first = options[0]
    return first["value"] if isinstance(first, dict) else first


def describe(given: Json) -> str:
    """Return the values of a form as one short line, without secrets."""
    parts = []
    for name, value in given.items():
        if "password" in name:
            shown = "*****"
        elif isinstance(value, list) and len(value) > 1:
            shown = f"{len(value)} chosen"
        else:
            shown = str(value)
        parts.append(f"{name} = {shown}")
    return ", ".join(parts) or "confirmed"
