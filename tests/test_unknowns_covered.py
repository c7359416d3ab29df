"""Which tests show what becomes of what nobody knows of the real cloud.

The numbers are those of the table of unknowns in the notes on the API.
"""

from collections.abc import Mapping
from pathlib import Path
import re
from typing import Final

import pytest

HERE: Final = Path(__file__).parent

COVERED: Final[Mapping[int, tuple[str, ...]]] = {
    1: (
        "api/test_parsers.py::test_site_ids",
        "setup_flow/test_credentials.py::test_one_site",
    ),
    2: ("test_unknowns.py::test_variant", "api/test_series.py::test_window"),
    3: (
        "test_unknowns.py::test_refused_log_in",
        "test_unknowns.py::test_log_in_without_a_token",
        "api/test_auth.py::test_renewal",
    ),
    4: (
        "api/test_patience.py::test_again_after_a_pause",
        "test_faults.py::test_a_fault",
    ),
    5: ("api/test_errors.py::test_data_call", "test_faults.py::test_a_fault"),
    6: ("test_unknowns.py::test_a_meter_that_is_refused",),
    7: ("test_unknowns.py::test_variant", "api/test_auth.py::test_life"),
    8: (
        "api/test_parsers.py::test_meter",
        "entities/media/test_values.py::test_values",
    ),
    9: (
        "entities/media/test_media.py::test_what_there_is",
        "entities/media/test_values.py::test_values",
    ),
    10: (
        "test_unknowns.py::test_variant",
        "entities/media/test_values.py::test_values",
    ),
    11: (
        "test_unknowns.py::test_variant",
        "entities/media/test_values.py::test_values",
    ),
    12: ("api/test_series.py::test_value", "test_trouble.py::test_odd_rows"),
    13: (
        "test_unknowns.py::test_zeros_that_mean_not_yet",
        "test_unknowns.py::test_what_is_not_over_is_no_reading",
    ),
    14: ("history/test_audit.py::test_corrections_are_found",),
    15: ("test_unknowns.py::test_negative_amounts",),
    16: (
        "test_unknowns.py::test_variant",
        "history/importer/test_windows.py::test_windows_that_are_refused_are_halved",
        "history/importer/test_windows.py::test_data_that_begins_late",
    ),
    17: (
        "test_trouble.py::test_odd_rows",
        "api/test_series.py::test_order_and_repetition",
    ),
    18: (
        "entities/test_registers.py::test_timestamps",
        "entities/test_registers.py::test_differential_meters_show_what_they_measured",
        "entities/test_registers.py::test_bad_input",
    ),
    19: (
        "entities/test_measurands.py::test_words",
        "entities/test_environment.py::test_values",
    ),
    20: (
        "entities/test_environment.py::test_site_without_sensors",
        "entities/test_environment.py::test_list_that_cannot_be_read",
        "entities/test_environment.py::test_one_sensor_that_fails",
    ),
    21: (
        "entities/media/test_values.py::test_once_a_day",
        "entities/media/test_values.py::test_days_without_a_reading",
    ),
    22: ("api/test_spelling.py::test_renamed", "test_unknowns.py::test_variant"),
    23: ("api/test_parsers.py::test_site", "test_unknowns.py::test_variant"),
    24: ("api/test_errors.py::test_redirect", "api/test_errors.py::test_timeout"),
    25: (
        "reading/test_rate_limit.py::test_sites_of_one_account",
        "entities/media/test_media.py::test_hundreds_of_meters",
    ),
}
"""Each line of the table, and the tests that show what becomes of it."""

pytestmark = pytest.mark.statistics_only


def test_every_unknown_has_a_test() -> None:
    assert list(COVERED) == list(range(1, 26))
    for number, tests in COVERED.items():
        for test in tests:
            file, _, name = test.partition("::")
            text = (HERE / file).read_text("utf-8")
            assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), number
