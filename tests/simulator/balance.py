"""How the energy of a site is shared between sun, battery, grid and consumers.

Per quarter hour, in kWh:

    conso_total = sum of the consumers' totals
    conso_total = from_ext + self
    self        = prod_total - to_ext - storage_charging_total
                  + storage_discharging_total
    self_m      = self * total_m / conso_total      (0 while self <= 0)
    ext_m       = total_m - self_m

A battery charges from the plant only (storage_charging_self is all of
storage_charging_total), and what it gives back counts as self. Without a battery
the storage terms are 0, and self = prod_total - to_ext.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from .hashing import Floats
from .local_time import DAY, QUARTER
from .meters import SimulatedMeter

BATTERY_DAY_STARTS: Final = 4 * 3600
"""Seconds after midnight UTC at which a battery is empty: before sunrise."""
_EFFICIENCY: Final = 0.94
_SHARPNESS: Final = 4.0


def direct_use(consumption: Floats, available: Floats) -> Floats:
    """Return how much of the available sun is used at once.

    A little less than the smaller of the two: within a quarter hour neither the sun
    nor the consumption stands still, so that energy goes both ways at the meter.
    """
    small = np.maximum(np.minimum(consumption, available), 0.0)
    large = np.maximum(np.maximum(consumption, available), 1e-9)
    share = small / large
    used = small / (1.0 + share**_SHARPNESS) ** (1.0 / _SHARPNESS)
    used = np.minimum(np.round(used * 1000.0) / 1000.0, small)
    return np.where(available < 0.0, available, used)


def battery_days(first: int, last: int) -> tuple[int, int]:
    """Return the quarters widened to whole days of a battery."""
    shift = BATTERY_DAY_STARTS // QUARTER
    per_day = DAY // QUARTER
    return (
        (first - shift) // per_day * per_day + shift,
        -(-(last - shift) // per_day) * per_day + shift,
    )


def run_battery(
    battery: SimulatedMeter, surplus: Floats, deficit: Floats
) -> tuple[Floats, Floats]:
    """Return (charged, discharged) over whole battery days, each begun empty."""
    per_day = DAY // QUARTER
    surplus, deficit = surplus.reshape(-1, per_day), deficit.reshape(-1, per_day)
    charged, discharged = np.zeros_like(surplus), np.zeros_like(surplus)
    held = np.zeros(len(surplus))
    most = battery.power * 0.25
    for slot in range(per_day):
        room = np.minimum((battery.capacity - held) / _EFFICIENCY, most)
        into = _whole(np.minimum(surplus[:, slot], room))
        out = _whole(np.minimum(deficit[:, slot], np.minimum(held, most)))
        held = held + into * _EFFICIENCY - out
        charged[:, slot], discharged[:, slot] = into, out
    return charged.ravel(), discharged.ravel()


def share_out(
    totals: dict[str, Floats],
    production: Sequence[str],
    storage: tuple[Floats, Floats],
) -> dict[str, Floats]:
    """Return every column of an electricity row, by its name on the wire.

    `totals` has the rows of all consumers and plants that count; NaN (not known
    yet) counts as nothing and stays NaN in the meter's own columns.
    """
    charged, discharged = storage
    zero = np.zeros(len(charged))
    conso_total = zero.copy()
    prod_total = zero.copy()
    for meter_id, row in totals.items():
        target = prod_total if meter_id in production else conso_total
        target += np.nan_to_num(row, nan=0.0)
    own = direct_use(conso_total, prod_total - charged)
    own = own + np.clip(np.minimum(discharged, conso_total - own), 0.0, None)
    columns = {
        "conso_total": conso_total,
        "from_ext": conso_total - own,
        "prod_total": prod_total,
        "self": own,
        "storage_charging_self": charged,
        "storage_charging_total": charged,
        "storage_discharging_total": discharged,
        "to_ext": prod_total - charged + discharged - own,
    }
    share = solar_share(conso_total, own)
    for meter_id, row in totals.items():
        columns[f"total_{meter_id}"] = row
        if meter_id not in production:
            columns[f"self_{meter_id}"] = solar = share * row
            columns[f"ext_{meter_id}"] = row - solar
    return columns


def solar_share(conso_total: Floats, own: Floats) -> Floats:
    """Return the share of every consumer that the sun covers: self / conso_total."""
    used = np.where((own > 0.0) & (conso_total > 0.0), own, 0.0)
    return np.asarray(used / np.where(conso_total > 0.0, conso_total, 1.0))


def surplus_and_deficit(
    consumption: Floats, production: Floats
) -> tuple[Floats, Floats]:
    """Return what a battery could take and what it could give, never negative."""
    direct = np.maximum(direct_use(consumption, production), 0.0)
    return (
        np.maximum(production - direct, 0.0),
        np.maximum(consumption - direct, 0.0),
    )


def _whole(energy: Floats) -> Floats:
    return np.floor(np.maximum(energy, 0.0) * 1000.0 + 1e-6) / 1000.0
