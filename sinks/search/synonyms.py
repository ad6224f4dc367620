"""What shoppers call the same thing. A line is a group: each of its phrases finds the others, too."""

from sinks.search.words import words

_GROUPS = """
    christmas, xmas
    t light, tea light, tealight, tlight
    umbrella, brolly
    keyring, key ring, key chain, keychain, key fob
    polkadot, polka dot, spotty, dotty, retrospot
    photo frame, picture frame
    children, childrens, child, childs, kid
    cookie, biscuit
    tissue, hanky, handkerchief
    blackboard, chalkboard
    money bank, piggy bank, money box
    jewellery, jewelry
    grey, gray
    colour, color
    cake case, cupcake case, muffin case, bun case
    fairy cake, cupcake
    plaster, band aid
    bunny, rabbit
    doorstop, door stopper
    tea towel, dish towel, dish cloth
    shopper, shopping bag, tote bag
    backpack, rucksack
    torch, flashlight
    wastepaper bin, waste bin, trash can
    cutlery, silverware, flatware
    wind chime, windchime
    diary, journal
    doily, doiley
    mum, mom, mother
    decoration, decor, ornament
    curtain, drape
    toilet, loo
    apron, pinny
    eraser, rubber
    cushion, pillow
    cosy, cozy
    wrap, wrapping paper
    fuchsia, fuschia
    candle stick, candlestick, candle holder
    food cover, cake dome
    lead, leash
"""

Phrase = tuple[str, ...]

LONGEST = 2
"""Words of the longest phrase."""


def singular(word: str) -> str:
    """Return an English word without its plural's ending; good enough to look a phrase up."""
    if word.endswith("ies") and len(word) > len("ties"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 1 else word


def others(phrase: Phrase) -> tuple[Phrase, ...]:
    """Return the phrases that mean the same, in singular; none where none is known."""
    return _OTHERS.get((*phrase[:-1], singular(phrase[-1])), ())


def _others() -> dict[Phrase, tuple[Phrase, ...]]:
    found: dict[Phrase, tuple[Phrase, ...]] = {}
    for line in _GROUPS.strip().splitlines():
        group = [words(phrase) for phrase in line.split(",")]
        for phrase in group:
            key = (*phrase[:-1], singular(phrase[-1]))
            found[key] = tuple(each for each in group if each != phrase)
    return found


_OTHERS = _others()
