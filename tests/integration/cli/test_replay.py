from pathlib import Path
from uuid import uuid4

import pytest

from deploy.records.position import Beginning
from deploy.records.reader import Reader
from deploy.records.record import Record
from deploy.records.recording import write_recording
from schemas.cart import CartAdd, CartLine
from tests.integration.cli.conftest import Ecommerce
from topics.command import command
from topics.registry import CART_ADD, CART_REMOVE, CART_UPDATED
from topics.settings import Settings
from topics.wire import encode

pytestmark = pytest.mark.usefixtures("topics_created")


@pytest.fixture
def cart_id() -> str:
    return str(uuid4())


@pytest.fixture
def recording(tmp_path: Path, cart_id: str) -> str:
    message = command(CART_ADD, cart_id, CartAdd((CartLine("A", "A", 2),)), occurred_at=1_000)
    records = [
        Record(CART_ADD.name, 3, 5, 1_000, cart_id.encode(), encode(CART_ADD, message), (("h", b"1"),)),
        Record(CART_ADD.name, 3, 6, 2_000, cart_id.encode(), None),
    ]
    path = tmp_path / "recorded.avro"
    with path.open("wb") as file:
        write_recording(file, records)
    return str(path)


def written(settings: Settings, topic: str, cart_id: str) -> list[Record]:
    with Reader(settings) as reader:
        records = reader.read(reader.spans([topic], Beginning()))
        return [record for record in records if record.key_text == cart_id]


def test_produces_a_files_records_unchanged(
    ecommerce: Ecommerce, settings: Settings, recording: str, cart_id: str
) -> None:
    done = ecommerce("replay", recording, "--to", "origin", "--yes", "--json")
    assert done.json == {"records": 2, "topics": {CART_ADD.name: 2}}
    first, tombstone = written(settings, CART_ADD.name, cart_id)
    assert first.headers == (("h", b"1"),)
    assert first.value is not None
    assert tombstone.value is None


def test_produces_a_topics_records_to_another(
    ecommerce: Ecommerce, settings: Settings, recording: str, cart_id: str
) -> None:
    assert ecommerce("replay", recording, "--to", "origin", "--yes").code == 0
    bounds = ("--from", "-10m", "--key", cart_id, "--limit", "1")
    done = ecommerce("replay", "cart.add", "--to", "cart.remove", *bounds, "--yes", "--json")
    assert done.json["records"] == 1
    assert len(written(settings, CART_REMOVE.name, cart_id)) == 1


def test_takes_times_as_bounds_of_a_file(ecommerce: Ecommerce, recording: str) -> None:
    done = ecommerce("replay", recording, "--to", "memory", "--from", "1970-01-01T00:00:01.5", "--json")
    assert done.json["fed"] == 1


def test_runs_the_flows_in_memory_and_prints_what_they_emit(
    ecommerce: Ecommerce, settings: Settings, recording: str, cart_id: str
) -> None:
    done = ecommerce("replay", recording, "--to", "memory", "--limit", "1")
    assert done.code == 0, done.err
    assert f'"event_type":"{CART_UPDATED.name}"' in done.out
    assert "1 records fed, 1 emitted" in done.err
    assert written(settings, CART_UPDATED.name, cart_id) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.avro", "--to", "memory"), "absent.avro: no such file"),
        (("cart.ad", "--to", "memory"), "did you mean cart.add?"),
        (("cart.add", "--to", "nowhere", "--yes"), "no topic is called nowhere"),
        (("cart.add", "--to", "memory", "--from", "noon"), "--from: 'noon' is no position"),
    ],
)
def test_refuses_in_one_clear_line(ecommerce: Ecommerce, arguments: tuple[str, ...], message: str) -> None:
    done = ecommerce("replay", *arguments)
    assert done.code in (1, 2)
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_offsets_are_no_bounds_of_a_file(ecommerce: Ecommerce, recording: str) -> None:
    done = ecommerce("replay", recording, "--to", "memory", "--from", "3")
    assert "bounds are times, not offsets" in done.err


def test_compares_a_replay_with_what_is_golden(
    ecommerce: Ecommerce, recording: str, cart_id: str, tmp_path: Path
) -> None:
    golden = str(tmp_path / "golden")
    assert ecommerce("replay", recording, "--golden", golden).code == 1
    assert ecommerce("replay", recording, "--golden", golden, "--accept-golden").code == 0
    same = ecommerce("replay", recording, "--golden", golden)
    assert (same.code, "0 differences" in same.out) == (0, True)
    message = command(CART_ADD, cart_id, CartAdd((CartLine("A", "A", 3),)), occurred_at=1_000)
    with Path(recording).open("wb") as file:
        value = encode(CART_ADD, message)
        write_recording(file, [Record(CART_ADD.name, 3, 5, 1_000, cart_id.encode(), value)])
    other = ecommerce("replay", recording, "--golden", golden)
    assert other.code == 1
    assert f"changed {CART_UPDATED.name} {cart_id}" in other.out
    assert "data.lines[0].quantity: 2 -> 3" in other.out
    listed = ecommerce("replay", recording, "--golden", golden, "--json").json
    assert {one["place"] for one in listed["differences"]} >= {CART_UPDATED.name, "table cart"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--golden", "x", "--to", "origin"), "--golden: compares a replay in memory"),
        (("--accept-golden",), "--accept-golden: name the file with --golden"),
    ],
)
def test_refuses_a_golden_outcome_where_nothing_is_compared(
    ecommerce: Ecommerce, recording: str, arguments: tuple[str, ...], message: str
) -> None:
    done = ecommerce("replay", recording, *arguments)
    assert done.code == 2
    assert message in done.err
