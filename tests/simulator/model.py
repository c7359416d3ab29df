"""The truth: what every column of a site holds in every quarter hour.

`columns` gives quarter hours, unrounded. It knows effects (outages, late meters,
revisions), not publication, labels or payloads.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from .balance import share_out, solar_share
from .effects import Effect, Late, Outage, Revision
from .hashing import Floats
from .measured import CHARGED, DISCHARGED, Site, original
from .meters import SimulatedMeter, apply_rules


def columns(
    site: Site, meter_type: str, first: int, last: int, at: datetime | None
) -> dict[str, Floats]:
    """Return the columns of a meter type for first <= quarter < last, by wire name.

    `at` is the moment of which the knowledge is asked; None is when all is known.
    """
    meters = list(site.meters)
    rows = _Knowledge(site, first, last, at).totals(_needed(meters, meter_type))
    shown = [
        meter
        for meter in meters
        if meter.type == meter_type and meter.is_measuring and meter.has_column
    ]
    totals = {meter.id: rows[meter.id] for meter in shown}
    if meter_type == "electricity":
        plants = [meter.id for meter in shown if meter.mode == "production"]
        return share_out(totals, plants, _storage(meters, rows, last - first))
    found = {f"total_{meter_id}": row for meter_id, row in totals.items()}
    if meter_type == "charge_point":
        electric = columns(site, "electricity", first, last, at)
        share = solar_share(electric["conso_total"], electric["self"])
        for meter_id, row in totals.items():
            found[f"self_{meter_id}"] = share * row
            found[f"ext_{meter_id}"] = row - share * row
    found["conso_total"] = np.sum(
        [np.nan_to_num(row, nan=0.0) for row in totals.values()], axis=0
    )
    return found


def register(
    site: Site, meter: SimulatedMeter, first: int, last: int
) -> dict[str, Floats]:
    """Return what a physical meter counted itself per quarter hour, by raw key.

    The introduction meter counts import and export, a battery's charge and
    discharge; revisions of the validated values do not reach it.
    """
    if meter.is_measuring:
        meters = [found for found in site.meters if found.id in meter.behind]
        row = original(site, [*meters, meter], first, last)[meter.id]
        if meter.type in ("heating", "cooling"):
            return {"heat_energy_kwh": row}
        if meter.type in ("cold_water", "hot_water"):
            return {"vol_m3": row}
        idle = np.zeros_like(row)
        if meter.mode == "production":
            return {"en_im": idle, "en_ex": row}
        return {"en_im": row, "en_ex": idle}
    meters = list(site.meters)
    if meter.mode == "battery":
        rows = original(site, _needed(meters, "electricity"), first, last)
        return {
            "en_im": rows[meter.id + CHARGED],
            "en_ex": rows[meter.id + DISCHARGED],
        }
    whole = columns(site, "electricity", first, last, None)
    return {"en_im": whole["from_ext"], "en_ex": whole["to_ext"]}


def _needed(meters: Sequence[SimulatedMeter], meter_type: str) -> list[SimulatedMeter]:
    """Return the meters of a type, and those that their rules refer to."""
    ids = {meter.id for meter in meters if meter.type == meter_type}
    for meter in reversed(meters):
        if meter.id in ids:
            ids.update(meter.plus, meter.minus, meter.behind)
    return [meter for meter in meters if meter.id in ids]


def _storage(
    meters: Sequence[SimulatedMeter], rows: dict[str, Floats], length: int
) -> tuple[Floats, Floats]:
    batteries = [meter.id for meter in meters if meter.mode == "battery"]
    charged, discharged = np.zeros(length), np.zeros(length)
    for battery in batteries:
        charged = charged + rows[battery + CHARGED]
        discharged = discharged + rows[battery + DISCHARGED]
    return charged, discharged


class _Knowledge:
    """What is known at a moment of the quarters first <= quarter < last."""

    def __init__(self, site: Site, first: int, last: int, at: datetime | None) -> None:
        self._site = site
        self._first = first
        self._last = last
        self._at = at

    def totals(self, meters: list[SimulatedMeter]) -> dict[str, Floats]:
        """Return the totals of the meters, rules applied, by meter id."""
        rows = self._physical(meters, self._site.effects)
        apply_rules(meters, rows)
        for rule in (meter for meter in meters if meter.is_rule_meter):
            for effect in self._site.effects:
                if effect.meters and rule.id in effect.meters:
                    self._apply(effect, rule, rows)
        return rows

    def _physical(
        self, meters: list[SimulatedMeter], effects: Sequence[Effect]
    ) -> dict[str, Floats]:
        measured = original(self._site, meters, self._first, self._last)
        rows = {key: row.copy() for key, row in measured.items()}
        for number, effect in enumerate(effects):
            if not effect.overlaps(self._first, self._last):
                continue
            if isinstance(effect, Outage) and effect.is_past(self._at):
                self._fill(effect, rows, meters, effects[:number])
                continue
            for meter in meters:
                if meter.id in rows and effect.concerns(meter.id):
                    self._apply(effect, meter, rows)
        return rows

    def _fill(
        self,
        outage: Outage,
        rows: dict[str, Floats],
        meters: list[SimulatedMeter],
        before: Sequence[Effect],
    ) -> None:
        """Let the index run in a straight line over the whole gap."""
        gap = _Knowledge(self._site, *outage.quarters, self._at)
        begin, end = self._part(outage)
        for key, row in gap._physical(meters, before).items():
            if outage.concerns(key.split(":")[0]):
                rows[key][begin:end] = row.mean()

    def _apply(
        self, effect: Effect, meter: SimulatedMeter, rows: dict[str, Floats]
    ) -> None:
        """Change the row of one meter where the effect touches it."""
        begin, end = self._part(effect)
        row = rows[meter.id]
        match effect:
            case Revision() if effect.is_past(self._at):
                changed = row[begin:end] * effect.factor + effect.add
                row[begin:end] = np.round(changed * meter.steps) / meter.steps
            case Outage(meters=tuple()) if not effect.is_past(self._at):
                row[begin:end] = np.nan
            case Late() if not effect.is_past(self._at):
                row[begin:end] = effect.value
            case _:
                pass

    def _part(self, effect: Effect) -> tuple[int, int]:
        start, end = effect.quarters
        length = self._last - self._first
        return (
            min(max(start - self._first, 0), length),
            min(max(end - self._first, 0), length),
        )
