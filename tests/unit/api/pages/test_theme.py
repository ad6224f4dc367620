"""The style sheet's two themes: every colour is a token, and what is read can be read (WCAG 2.2, AA)."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[4] / "api/static/shop.css").read_text()
_DARK = "@media (prefers-color-scheme: dark) {"
_TOKEN = re.compile(r"--([\w-]+): ([^;]+);")

WORDS = 4.5
SIGNS = 3.0
"""Least contrast of text, and of what is no text: the line of a field, a curve."""

READ = [
    ("ink", "paper", "wash", "field", "found", "warn-wash"),
    ("soft", "paper", "wash", "still"),
    ("brand", "paper", "wash", "brand-wash"),
    ("on-brand", "brand", "brand-dark"),
    ("warn", "paper", "warn-wash"),
    ("bad", "paper", "bad-wash"),
    ("good", "paper", "good-wash"),
]
SEEN = [
    ("field-line", "field", "paper"),
    ("focus", "paper", "wash"),
    *((f"chart-{number}", "paper") for number in range(1, 9)),
]


def tokens(theme: str) -> dict[str, str]:
    light, _, rest = CSS.partition(_DARK)
    found = dict(_TOKEN.findall(light))
    return found if theme == "light" else found | dict(_TOKEN.findall(rest.partition("* {")[0]))


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_read_can_be_read(theme: str) -> None:
    known = tokens(theme)
    poor = [
        (front, back, round(contrast(known[front], known[back]), 2))
        for pairs, least in ((READ, WORDS), (SEEN, SIGNS))
        for front, *backs in pairs
        for back in backs
        if contrast(known[front], known[back]) < least
    ]
    assert not poor


def test_both_themes_have_every_colour_and_rules_have_none_of_their_own() -> None:
    light, dark = tokens("light"), tokens("dark")
    _, _, rest = CSS.partition(_DARK)
    own = {name for name, _ in _TOKEN.findall(rest.partition("* {")[0])}
    assert own == {name for name in light if name not in ("radius", "gap")}
    assert light != dark
    rules = CSS[CSS.index("* { box-sizing") :]
    assert not re.findall(r"#[0-9a-f]{3,8}\b(?=[^{]*})|rgb\(", rules)
    assert set(re.findall(r"var\(--([\w-]+)\)", rules)) - {"hue"} <= set(light)
