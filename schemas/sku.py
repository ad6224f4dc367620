"""The shape of a SKU, the key of products and stock."""

import re

SKU_MAX_LENGTH = 64

_SHAPE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]*[A-Za-z0-9])?", re.ASCII)


def well_formed(sku: str) -> bool:
    """Say whether a text may be a SKU.

    1 to 64 ASCII letters, digits, spaces, `.`, `_`, `-` or `/`; a letter or digit first and last.
    """
    return len(sku) <= SKU_MAX_LENGTH and _SHAPE.fullmatch(sku) is not None
