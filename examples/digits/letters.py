"""The letters that the demo backbone learns from, in every font they exist in.

Fonts are those that matplotlib installs. A further letter is one more string in
`CLASSES`, a further font one more name in `FONTS`; how a glyph becomes a
picture is in drawing.py.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

CANVAS = 48  # on which a glyph is warped
GLYPH = 34  # longest side of a glyph before it is warped

# Text fonts only; the symbol fonts (cmex10, cmsy10, STIXSiz*, STIXNonUni*,
# *Display) hold few letters or none.
FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-BoldItalic", "-Italic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "BolIta", "Italic")),
    *("cmb10", "cmmi10", "cmr10", "cmss10", "cmtt10"),
)

# Letters that look alike once their size is gone are one class. Greek and
# Cyrillic letters add shapes; those that look like a digit (Б, З, Ч, δ) and
# those that look like a Latin letter are left out.
CLASSES = (
    *("A", "B", "Cc", "D", "E", "F", "G", "H", "Il", "J", "Kk", "L", "M", "N", "Oo", "Pp", "Q"),
    *("R", "Ss", "T", "Uu", "Vv", "Ww", "Xx", "Y", "Zz"),
    *("a", "b", "d", "e", "f", "g", "h", "i", "j", "m", "n", "q", "r", "t", "y"),
    *("Γ", "Δ", "Θ", "Λ", "Ξ", "Π", "Σ", "Φ", "Ψ", "Ω"),
    *("α", "β", "γ", "ε", "ζ", "η", "λ", "μ", "ξ", "π", "σ", "τ", "φ", "ψ", "ω"),
    *("Д", "Ж", "И", "Ц", "Ш", "Ы", "Э", "Ю", "Я"),
)

# Mirrored, these are themselves or another class; mirrored, every other letter
# is one more class. After 400 steps that lifted the accuracy on digits, with 10
# labels per class, from 0.960 to 0.976 (validation pictures, not the test split).
NOT_MIRRORED = frozenset("AHIMNOPRTUVWXYbdiqΔΘΛΞΠΦΨΩεφψωπДЖИШЭЯ")


@dataclass(frozen=True)
class Glyphs:
    """Every letter in every font that has it, as distances in canvas pixels.

    Attributes:
        fields: [glyphs, CANVAS, CANVAS, 2] float32: distance to the glyph's
            centre line, and to its outline (negative inside).
        labels: [glyphs] int64, one for each class, mirrored ones after the others.
        classes: How many there are.
    """

    fields: np.ndarray
    labels: np.ndarray
    classes: int


def read_glyphs() -> Glyphs:
    """Renders `CLASSES` in `FONTS`; a font without a letter is passed over.

    Raises:
        FileNotFoundError: The installed matplotlib lacks one of the fonts.
    """
    folder = Path(get_data_path()) / "fonts" / "ttf"
    fields, labels = [], []
    for name in FONTS:
        path = folder / f"{name}.ttf"
        known = TTFont(path).getBestCmap()
        font = ImageFont.truetype(str(path), 2 * CANVAS)
        for label, letters in enumerate(CLASSES):
            for letter in letters:
                if ord(letter) in known:
                    fields.append(distance_fields(draw_glyph(letter, font)))
                    labels.append(label)
    return with_mirrored(np.stack(fields).astype(np.float32), np.array(labels))


def with_mirrored(fields: np.ndarray, labels: np.ndarray) -> Glyphs:
    """Adds the mirror image of every letter that then is a new one.

    Args:
        fields: As in `Glyphs`.
        labels: [glyphs] int64, indices into `CLASSES`.

    Returns:
        The letters as given, then the mirrored ones.
    """
    mirrored = [i for i, letters in enumerate(CLASSES) if not NOT_MIRRORED & set(letters)]
    chosen = np.isin(labels, mirrored)
    return Glyphs(
        np.concatenate([fields, fields[chosen, :, ::-1]]),
        np.concatenate([labels, len(CLASSES) + np.searchsorted(mirrored, labels[chosen])]),
        len(CLASSES) + len(mirrored),
    )


def draw_glyph(letter: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """Draws a letter in the middle of the canvas, its longest side `GLYPH`.

    Returns:
        [CANVAS, CANVAS] bool, true where there is ink.
    """
    left, top, right, bottom = font.getbbox(letter)
    picture = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(picture).text((-left, -top), letter, fill=255, font=font)
    scale = GLYPH / max(picture.size)
    width, height = (max(2, round(side * scale)) for side in picture.size)
    canvas = Image.new("L", (CANVAS, CANVAS))
    canvas.paste(
        picture.resize((width, height), Image.Resampling.BOX),
        ((CANVAS - width) // 2, (CANVAS - height) // 2),
    )
    return np.asarray(canvas) > 127


def distance_fields(ink: np.ndarray) -> np.ndarray:
    """Measures how far each pixel is from the centre line and the outline.

    Args:
        ink: [side, side] bool.

    Returns:
        [side, side, 2] float, in pixels; see `Glyphs`.
    """
    centre = ndimage.distance_transform_edt(~thin(ink))
    outline = ndimage.distance_transform_edt(~ink) - ndimage.distance_transform_edt(ink)
    return np.stack([centre, outline], axis=-1)


def thin(ink: np.ndarray) -> np.ndarray:
    """Thins strokes to one pixel (Zhang and Suen, CACM 27(3), 1984).

    Args:
        ink: [side, side] bool, empty at its border.

    Returns:
        [side, side] bool, the centre lines.
    """
    ink = ink.copy()
    changed = True
    while changed:
        changed = False
        for near, far in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            # The eight neighbours, clockwise from the one above.
            shifts = [(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1)]
            ring = np.stack([np.roll(ink, shift, (0, 1)) for shift in shifts])
            count = ring.sum(0)
            crossings = (~ring & np.roll(ring, -1, 0)).sum(0)
            drop = ink & (count >= 2) & (count <= 6) & (crossings == 1)
            drop &= ~ring[list(near)].all(0) & ~ring[list(far)].all(0)
            ink &= ~drop
            changed |= bool(drop.any())
    return ink
