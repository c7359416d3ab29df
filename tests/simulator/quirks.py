"""What nobody knows of the real cloud, as switches; the defaults are the likely ones."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

type Refusal = int | Literal["hang", "error_object", "html"]
"""How the cloud says no: a status, no answer, or 200 with an error or with a page."""


@dataclass(kw_only=True)
class Quirks:
    """Which variant of every unknown the simulator shows; may be changed any time."""

    # Accounts
    refused_login: int = 401
    """The status of /auth after a wrong password; 200 answers without a token."""
    valid_until: Literal[
        "date_ms", "date_iso", "number_long", "ms", "s", "iso", "absent"
    ] = "date_ms"
    retry_after: str | None = None
    """The header of a 429: seconds, a date, nonsense."""
    too_many_requests: int = 429
    not_found: int = 404
    """The status for a site or meter that does not exist; one not granted gives 403."""

    # Descriptions
    installations: Literal[
        "ids", "oid", "id", "_id", "site_id", "installation_id", "wrapped"
    ] = "ids"
    address: Literal["documented", "2022", "absent"] = "documented"
    meter_info: Literal["documented", "2022"] = "documented"
    meter_fields: dict[str, object] = field(default_factory=dict)
    """Said of every meter instead of the truth; None leaves the key out."""

    # Windows
    requested_times: Literal["local", "utc"] = "local"
    """How a naive t_s or t_e is read."""
    includes_start: bool = False
    """Whether a quarter hour labelled (by its end) exactly t_s is within."""
    includes_end: bool = True
    """Whether a quarter hour labelled exactly t_e is within."""
    whole_periods: bool = False
    """Whether hours, days ... at the edges have all their quarters."""
    default_days: int = 15
    window_limit: timedelta | None = None
    """Longer windows are refused with `window_refusal`."""
    longest: dict[str, timedelta] = field(default_factory=dict)
    """The same by sampling ("15T", "H", "D", "M", "Y"); it goes before."""
    window_refusal: Refusal | Literal["empty"] = 413
    sampling_names: Literal["documented", "new", "both"] = "both"
    """'15T', 'H', 'M', 'Y', or '15min', 'h', 'ME', 'YE'."""

    # What is not given, or not at the moment
    depth: dict[str, datetime] = field(default_factory=dict)
    """By sampling, "" for the others: what begins before (aware) is not given."""
    depth_refusal: Refusal | Literal["empty", "clipped"] = 400
    """Of the whole window; only "clipped" gives what is not before."""
    kept: dict[str, timedelta] = field(default_factory=dict)
    """By sampling, "" for the others: so much of the past is kept, and no more given."""
    kept_up_to: Literal["midnight", "now"] = "midnight"
    """From when on back: from the last local midnight, or from the request."""
    depth_lifted: datetime | None = None
    """From this aware moment on, everything is given."""
    most_rows: int | None = None
    """A reply has no more rows than that; the others are left out without a word."""
    kept_rows: Literal["first", "last"] = "first"
    failing: dict[str, Refusal] = field(default_factory=dict)
    """By meter id (its meter_data) or meter type (site_data): it is always refused ..."""
    failing_before: datetime | None = None
    """... or only what begins before this aware moment."""
    replica_lag: timedelta = timedelta(0)
    """Every `replica_every`th reply with data is what was known so long ago."""
    replica_every: int = 3
    unlisted: Collection[str] = ()
    """Ids of sites and meters that lists leave out; their data is given all the same."""

    # Rows
    month_factor: float = 1.0
    """By what the amounts of months are wrong: 1000 gives Wh, 0 nothing."""
    months_by_last_day: bool = False
    """Whether a month is labelled by its last day instead of its first."""
    midnights: Literal["local", "utc"] = "local"
    """Whether local days, months and years carry the UTC midnight of their date."""
    timestamps: Literal[
        "local", "iso", "utc", "z", "naive", "date_ms", "date_iso", "ms", "s"
    ] = "local"
    decimals: int | None = 3
    """None sends every digit, dust included, as in 2022."""
    numbers: Literal["float", "string"] = "float"
    future_rows: int = 0
    """So many quarters behind the last one of a reply come as rows of zeros, too."""
    storage_columns: Literal["always", "with_battery", "never"] = "always"
    lean_columns: bool = False
    """Whether sites without a plant have no columns of one."""
    zero_rows: int = 0
    """So many quarters that are over but not published come as rows of zeros."""
    without_columns: Collection[str] = ()
    """Ids of meters that have a series of their own, but no columns in their site's."""
    charge_point_shares: bool = True
    """Whether charge points have self_ and ext_ columns."""
    resident_rows: Literal["own", "all", "refused"] = "own"
    """Which meters' columns an account sees that may read some meters only."""
    introduction_rows: Literal["empty", "total", "refused"] = "empty"
    """What meter_data gives for meters without a series of their own."""

    # Raw readings and sensors
    raw_timestamps: Literal[
        "local", "iso", "utc", "z", "naive", "date_ms", "date_iso", "ms", "s"
    ] = "utc"
    sensor_timestamps: Literal["s", "ms"] = "s"
    sensors: Literal["list", "empty", "forbidden", "missing"] = "list"
