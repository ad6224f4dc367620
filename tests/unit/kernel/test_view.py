import msgspec
import pytest

from streams.kernel.errors import CorruptStateError, InvalidDecisionError
from streams.kernel.layout import is_state, part_key, split_part
from streams.kernel.memory import MemoryStore
from streams.kernel.view import StateView
from tables.parts import Parts
from tables.table import Table


class Line(msgspec.Struct, frozen=True):
    pieces: int


class Basket(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    lines: Parts[Line] = Parts()


BASKETS = Table("baskets", Basket, parts="lines")
KEY = b"basket"


class Room:
    """A view, and the store that it writes to as a task does."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.view = StateView(BASKETS, self.store)

    def open(self) -> Basket:
        return self.view.get(KEY) or Basket("mine")

    def keep(self, **lines: int) -> Basket:
        """Stage lines by name; 0 pieces delete one."""
        basket = self.open()
        parts = basket.lines
        for name, pieces in lines.items():
            parts = parts.set(name, Line(pieces)) if pieces else parts.delete(name)
        basket = msgspec.structs.replace(basket, lines=parts)
        self.view.put(KEY, basket)
        return basket

    def commit(self) -> dict[bytes, bytes | None]:
        entries = self.view.encode()
        self.store.write(entries, 0)
        self.view.settle()
        assert len(dict(entries)) == len(entries)
        return dict(entries)


@pytest.fixture
def room() -> Room:
    return Room()


def test_only_changed_parts_are_written(room: Room) -> None:
    room.keep(a=1, b=2)
    assert set(room.commit()) == {KEY, part_key(KEY, "a"), part_key(KEY, "b")}
    room.keep(b=3)
    assert room.commit() == {
        KEY: BASKETS.encode(Basket("mine", Parts(2))),
        part_key(KEY, "b"): BASKETS.encode_part(Line(3)),
    }
    anew = StateView(BASKETS, room.store).get(KEY)
    assert anew is not None
    assert (len(room.open().lines), len(anew.lines)) == (2, 2)


@pytest.mark.parametrize("cached", [True, False])
def test_parts_are_read_from_the_store_when_asked_for(room: Room, *, cached: bool) -> None:
    room.keep(a=1, b=2)
    room.commit()
    if not cached:
        room.view = StateView(BASKETS, room.store)
    lines = room.open().lines
    assert (lines.get("a"), lines.get("b"), lines.get("c")) == (Line(1), Line(2), None)
    room.keep(a=0)
    assert (room.open().lines.get("a"), len(room.open().lines)) == (None, 1)
    assert room.commit()[part_key(KEY, "a")] is None
    assert part_key(KEY, "a") not in room.store.entries


def test_what_was_discarded_is_not_seen(room: Room) -> None:
    room.keep(a=1)
    room.commit()
    room.keep(a=0, b=2)
    room.view.discard()
    assert (len(room.open().lines), room.open().lines.get("a"), room.open().lines.get("b")) == (
        1,
        Line(1),
        None,
    )
    assert room.view.encode() == []


def test_a_state_that_goes_takes_its_last_parts_along(room: Room) -> None:
    room.keep(a=1)
    room.commit()
    with pytest.raises(InvalidDecisionError, match="1 parts"):
        room.view.put(KEY, None)
    room.keep(a=0)
    room.view.put(KEY, None)
    assert room.commit() == {KEY: None, part_key(KEY, "a"): None}
    assert not room.store.entries


def test_a_state_that_comes_back_in_the_same_batch_has_none_of_its_former_parts(room: Room) -> None:
    room.keep(a=1, b=1)
    room.commit()
    room.keep(a=0, b=0)
    room.view.put(KEY, None)
    assert len(room.keep(b=5).lines) == 1
    room.commit()
    lines = room.open().lines
    assert (len(lines), lines.get("a"), lines.get("b")) == (1, None, Line(5))


def test_a_scan_gives_states_only(room: Room) -> None:
    room.keep(a=1)
    room.commit()
    assert [(key, len(basket.lines)) for key, basket in room.view.scan()] == [(KEY, 1)]


def test_a_part_that_does_not_decode_is_never_skipped(room: Room) -> None:
    room.keep(a=1)
    room.commit()
    room.store.entries[part_key(KEY, "a")] = b"\xc1"
    with pytest.raises(CorruptStateError, match="basket"):
        room.open().lines.get("a")


def test_tells_the_keys_of_parts() -> None:
    assert split_part(part_key(b"sku", "order")) == (b"sku", "order")
    assert not is_state(part_key(b"sku", "order"))
    assert [split_part(key) for key in (b"sku", b"\0outbox", b"\0position\0t", b"__faust\0offset__")] == [
        None
    ] * 4
