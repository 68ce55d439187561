"""What a cell of a table says before anything is learned: nothing, a number, or a text.

Ingest asks in Python and the graph with RE2, so both forms of each rule stand
here side by side; imports no TensorFlow.
"""

import re
import unicodedata

# What `number_in` takes, for RE2: no "nan", no "inf", no thousands separators.
NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
LARGEST = 3.4028234663852886e38

# Members of a character class, for RE2: white space, and what has no sign of
# its own (Unicode's Cc and Cf but for white space; Cf has the zero-width
# joiners, the soft hyphen and the byte order mark).
SPACES = r"\s\v\x{85}\p{Z}"
CONTROLS = r"\x{00}-\x{08}\x{0e}-\x{1f}\x{7f}-\x{84}\x{86}-\x{9f}\p{Cf}"


def is_blank(text: str) -> bool:
    """Tells whether a text has no visible sign: nothing but SPACES and CONTROLS."""
    return all(unicodedata.category(sign) in _BLANK for sign in text)


def number_in(text: str) -> float | None:
    """Reads a number.

    Args:
        text: Such as "-1.5e3", without white space around it.

    Returns:
        The number, or None where there is none or float32 cannot hold it.
    """
    if not re.fullmatch(NUMBER, text, re.ASCII):
        return None
    value = float(text)
    return value if abs(value) <= LARGEST else None


_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
