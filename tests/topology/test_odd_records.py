"""What no sender of ours writes is one dead letter at the most, and what comes after it is done."""

from hashlib import sha256

import msgspec
import pytest

from schemas.cart import CartAdd, CartLine
from streams.cart.agent import FLOW
from streams.kernel.dead_letters import dead_letter
from streams.kernel.driver import Driver
from streams.kernel.errors import TooLargeError
from streams.kernel.memory import MemoryRecord, Step
from tables.cart import CART
from tests.odd_records import LARGEST, ODD, Odd
from topics import dead_letter as header
from topics.command import command
from topics.registry import CART_ADD, CART_UPDATED, DEAD_LETTERS
from topics.wire import encode

CART_ID = "3f0c3d4e-0f3c-4b8e-9d0a-6a1f6b8f7c21"
UNUSABLE = {
    "no key",
    "empty key",
    "key that is not UTF-8",
    "key of 900 kB",
    "no value",
    "neither key nor value",
    "headers alone",
    "empty value",
    "one byte",
    "unknown schema",
    "truncated",
    "bytes behind its end",
    "1.04 MB of junk",
}


def add(sku: str) -> bytes:
    return encode(CART_ADD, command(CART_ADD, CART_ID, CartAdd((CartLine(sku, sku, 1),))))


@pytest.mark.parametrize("crash", [None, Step.AFTER_CHANGELOG, Step.AFTER_OUTPUTS])
@pytest.mark.parametrize("name", ODD)
async def test_every_odd_record_is_done_or_is_one_letter(name: str, crash: Step | None) -> None:
    odd = ODD[name]
    key, value = odd.of(CART_ID.encode(), add("odd"))
    async with Driver(FLOW) as driver:
        if crash is not None:
            driver.crash_at(crash)
        await driver.send_raw(CART_ADD.name, key, value, headers=odd.headers)
        await driver.send_raw(CART_ADD.name, CART_ID.encode(), add("good"))
        letters = {letter.headers[header.ID]: letter for letter in driver.dead_letters("cart")}
        skus = [line.sku for line in driver.table(CART)[CART_ID].lines]
        for record in driver.records(DEAD_LETTERS["cart"]):
            assert size(record) <= header.MAX_BYTES
        for record in driver.records(CART_UPDATED):
            assert size(record) < 2_000, "what is odd about a record does not go on"
    assert skus == (["good"] if name in UNUSABLE else ["odd", "good"])
    assert len(letters) == (name in UNUSABLE)


def size(record: MemoryRecord) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def letter_of(odd: Odd, value: bytes = b"v") -> dict[str, bytes | None]:
    record = MemoryRecord(CART_ADD.name, 3, 7, odd.key, odd.value or value, odd.headers, 0, 0)
    made = dead_letter(record, DEAD_LETTERS["cart"], TooLargeError("no"), flow="cart", attempt=1, failed_at=5)
    return {"key": made.key, "value": made.value, **dict(made.headers)}


def test_what_is_too_large_is_cut_and_said() -> None:
    huge = letter_of(ODD["1.04 MB of junk"])
    assert huge["value"] == b"j" * header.KEPT
    assert huge[header.VALUE_OMITTED] == b"1040000"
    assert huge[header.VALUE_DIGEST] == sha256(b"j" * LARGEST).hexdigest().encode()
    assert huge[header.SOURCE_OFFSET] == b"7"
    key = letter_of(ODD["key of 900 kB"])
    assert (key["key"], key[header.KEY_OMITTED]) == (b"k" * (header.KEPT // 64), b"900000")
    headers = letter_of(ODD["header of 500 kB"])
    assert (headers.get("traceparent"), headers[header.HEADERS_OMITTED]) == (None, b"1")


def test_a_letter_says_what_it_says_and_not_what_the_record_says_of_itself() -> None:
    letter = letter_of(ODD["the headers of a dead letter"])
    assert (letter[header.SOURCE_OFFSET], letter[header.ATTEMPT]) == (b"7", b"1")
    assert letter[header.FAILED_AT] == b"5"
    assert letter_of(Odd(headers=((header.VALUE_OMITTED, b"1"),))).get(header.VALUE_OMITTED) is None


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise UnicodeError("half a pair: \ud800")


def test_an_error_that_cannot_even_say_what_it_is_has_its_letter() -> None:
    record = MemoryRecord(CART_ADD.name, 3, 7, b"k", b"v", (), 0, 0)
    letter = dead_letter(record, DEAD_LETTERS["cart"], SpeechlessError(), flow="cart", attempt=1, failed_at=5)
    assert (letter.key, letter.value) == (b"k", b"v")
    assert dict(letter.headers)[header.ERROR] == b"SpeechlessError"


def test_where_even_the_letter_fails_it_says_where_the_record_lies() -> None:
    record = MemoryRecord(CART_ADD.name, 3, 7, b"k", b"v", ((msgspec.UNSET, b"x"),), 0, 0)  # type: ignore[arg-type] # what no client gives
    letter = dead_letter(record, DEAD_LETTERS["cart"], ValueError("x"), flow="cart", attempt=1, failed_at=5)
    told = dict(letter.headers)
    assert (letter.key, letter.value, told[header.SOURCE_OFFSET]) == (None, b"", b"7")
    assert b"ValueError" in (told[header.ERROR] or b"")
