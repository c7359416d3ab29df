#!/usr/bin/env python3
"""Draw the integration's icon into custom_components/climkit/brand.

A dial of four quarter hours, one of them sunny, around a block of flats with the light
on in one of them. Needs Pillow: run it with .venv/bin/python.
"""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

FOLDER: Final = Path(__file__).parents[1] / "custom_components" / "climkit" / "brand"
GREEN: Final = "#12917b"
SUN: Final = "#f5a623"
UNIT: Final = 64
"""The drawing is made on a grid of this many units, eight times as fine as shown."""

type Box = tuple[float, float, float, float]


def draw(size: int) -> Image.Image:
    """Return the icon, `size` pixels wide and high, on nothing."""
    scale = 8 * size / UNIT
    image = Image.new("RGBA", (8 * size, 8 * size))
    pen = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float) -> Box:
        return left * scale, top * scale, right * scale - 1, bottom * scale - 1

    # The dial: four quarters, the one at the top right sunny, and gaps between them.
    for start, colour in ((-90, SUN), (0, GREEN), (90, GREEN), (180, GREEN)):
        pen.pieslice(box(0, 0, UNIT, UNIT), start, start + 90, fill=colour)
    clear = (0, 0, 0, 0)
    pen.ellipse(box(8, 8, UNIT - 8, UNIT - 8), fill=clear)
    pen.rectangle(box(30.25, 0, 33.75, UNIT), fill=clear)
    pen.rectangle(box(0, 30.25, UNIT, 33.75), fill=clear)

    # The block of flats under its solar roof, two windows on each of two floors.
    def shape(*points: tuple[float, float], fill: str) -> None:
        pen.polygon([(x * scale, y * scale) for x, y in points], fill=fill)

    shape((19, 20.5), (45, 14.5), (45, 19), (19, 25), fill=SUN)
    shape((21, 27), (43, 22), (43, 48.5), (21, 48.5), fill=GREEN)
    for row, top in enumerate((29, 38.5)):
        for column, left in enumerate((24.5, 33.5)):
            lit = (row, column) == (0, 1)
            window = box(left, top, left + 6, top + 6)
            pen.rectangle(window, fill=SUN if lit else clear)
    small = image.resize((size, size), Image.Resampling.LANCZOS)
    return small.quantize(256, Image.Quantize.FASTOCTREE)


def main() -> None:
    """Write both sizes."""
    FOLDER.mkdir(exist_ok=True)
    for name, size in (("icon.png", 256), ("icon@2x.png", 512)):
        draw(size).save(FOLDER / name, optimize=True)


if __name__ == "__main__":
    main()
