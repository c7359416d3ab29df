"""The README in its three languages: in step with each other, and with the product."""

import json
from pathlib import Path
import re
from typing import Any, Final

from PIL import Image
import pytest

ROOT: Final = Path(__file__).parents[1]
README: Final = {
    "en": ROOT / "README.md",
    "de": ROOT / "docs" / "README.de.md",
    "fr": ROOT / "docs" / "README.fr.md",
}
LANGUAGES: Final = tuple(README)

STEPS: Final = ("account", "user", "site", "meters", "energy", "others")

FOR_DEVELOPERS: Final = ("Contributing",)
"""Sections that only the English version has."""
WHAT_YOU_GET: Final = 1
"""The number of the section with the sensors."""


def text_of(language: str) -> str:
    """Return a version on one line for each paragraph, without blocks of code."""
    text = re.sub(
        r"^```.*?^```", "", README[language].read_text(), flags=re.MULTILINE | re.DOTALL
    )
    return re.sub(r"(?<=\S)\n(?=[^\n|#>-])", " ", text)


def headings(language: str) -> list[tuple[int, str]]:
    found = re.findall(r"^(#+) (.+)$", text_of(language), flags=re.MULTILINE)
    return [(len(marks), title) for marks, title in found]


def outline(language: str) -> list[int]:
    """Return how many parts each section has that all versions have."""
    parts: list[int] = []
    section = ""
    for level, title in headings(language):
        section = title if level == 2 else section
        if section in FOR_DEVELOPERS:
            continue
        if level == 2:
            parts.append(0)
        elif level > 2:
            parts[-1] += 1
    return parts


def slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def translations(language: str) -> dict[str, Any]:
    path = ROOT / f"custom_components/climkit/translations/{language}.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def pictures(language: str) -> list[Path]:
    folder = README[language].parent
    found = re.findall(
        r"^!\[.+\]\((.+)\)$", README[language].read_text(), flags=re.MULTILINE
    )
    return [folder / name for name in found]


def rows(language: str, number: int) -> list[str]:
    """Return the rows of all tables of a section, by its number, without their heads."""
    sections = re.split(r"^## ", text_of(language), flags=re.MULTILINE)
    lines = sections[number].splitlines()
    return [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if line.startswith("|") and before.startswith("|") and "---" not in line
    ]


@pytest.mark.parametrize("language", ["de", "fr"])
def test_a_version_has_the_sections_and_tables_of_the_english_one(
    language: str,
) -> None:
    sections = outline("en")
    assert outline(language) == sections
    for number in range(1, len(sections) + 1):
        title = headings("en")[number][1]
        assert len(rows(language, number)) == len(rows("en", number)), title


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_are_there_crisp_and_light(language: str) -> None:
    assert [path.name for path in pictures(language)] == [
        path.name for path in pictures("en")
    ]
    for path in pictures(language):
        assert path.parent == ROOT / "docs" / language
        assert path.stat().st_size < 300_000, path
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert 600 <= image.width <= 1280, path
    shown = {path.name for path in pictures(language)}
    assert {path.name for path in (ROOT / "docs" / language).iterdir()} == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_lead_somewhere(language: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", README[language].read_text())
    inside = [link for link in links if "://" not in link]
    assert len(inside) > len(pictures(language))
    anchors = {
        README[of]: {slug(title) for _, title in headings(of)} for of in LANGUAGES
    }
    for link in inside:
        name, _, anchor = link.partition("#")
        folder = README[language].parent
        path = (folder / name).resolve() if name else README[language]
        assert path.exists(), link
        if anchor:
            assert anchor in anchors[path], link


@pytest.mark.parametrize("language", LANGUAGES)
def test_sensors_are_named_as_in_the_product(language: str) -> None:
    sensors = translations(language)["entity"]["sensor"]
    names = {
        sensor["name"]
        for key, sensor in sensors.items()
        if not key.endswith(("_today", "_power")) and "{" not in sensor["name"]
    }
    said = {
        name
        for row in rows(language, WHAT_YOU_GET)
        for name in re.findall(r"\*\*(.+?)\*\*", row)
    }
    choice = {"en": {"statistic", "sensor"}, "de": {"Statistik", "Sensor"}}
    said -= choice.get(language, {"statistique", "capteur"})
    assert said <= names
    everywhere = set(re.findall(r"\*\*(.+?)\*\*", text_of(language)))
    assert names <= everywhere


@pytest.mark.parametrize("language", LANGUAGES)
def test_steps_fields_and_messages_are_named_as_in_the_product(language: str) -> None:
    words = translations(language)
    steps = words["config"]["step"]
    shown = [steps[name]["title"] for name in STEPS]
    shown += words["selector"]["home"]["options"].values()
    errors = words["config"]["error"], words["config"]["abort"]
    shown += [errors[0]["invalid_auth"], errors[0]["rate_limited"]]
    shown += [errors[1]["no_sites"]]
    shown += [issue["title"] for issue in words["issues"].values()]
    text = text_of(language)
    for full in shown:
        # The first sentence; what is put in is an ellipsis here.
        said = re.sub(r"\{\w+\}", "…", re.split(r"\.|;", full)[0])
        said = re.sub(r"( at the moment)$", "", said)
        assert f"*{said}*" in text, said
    for name in STEPS:
        for label in steps[name]["data"].values():
            assert f"**{label}**" in text
    for service in words["services"].values():
        assert f"**{service['name']}** (`climkit." in text
