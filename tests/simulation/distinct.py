"""How many distinct numbers were seen, in memory that does not grow: linear counting (Whang et al., 1990)."""

from math import log

_BITS = 2**27


class Distinct:
    """Counts distinct numbers, by a bit for each hash; off by less than 0.1 % below a hundred million."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)
        self._set = 0

    def add(self, number: int) -> None:
        """Take a number."""
        place = (number * 0x9E3779B97F4A7C15 >> 29) % _BITS
        byte, bit = place >> 3, 1 << (place & 7)
        if not self._bits[byte] & bit:
            self._bits[byte] |= bit
            self._set += 1

    def __len__(self) -> int:
        return round(-_BITS * log(1 - self._set / _BITS)) if self._set < _BITS else _BITS
