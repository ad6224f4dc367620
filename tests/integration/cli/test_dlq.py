from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Producer

from deploy.dlq import redrive as redriving
from deploy.dlq.letter import REDRIVE_OF
from deploy.records.position import Beginning
from deploy.records.reader import Reader
from deploy.records.record import Record
from schemas.envelope import Message
from schemas.product import ProductDelete
from tests.integration.cli.conftest import Ecommerce
from topics.command import command
from topics.connection import KafkaOptions
from topics.dead_letter import letter_headers
from topics.registry import DEAD_LETTERS, INVENTORY_LOW_STOCK, PRODUCT_DELETE
from topics.settings import Settings
from topics.wire import decode, encode

VALUE = b"the original bytes"


@pytest.fixture
def reason() -> str:
    """A reason of this test's own, so that its letters are told from other tests'."""
    return f"test_{uuid4().hex[:8]}"


@pytest.fixture
def letter(topics_created: KafkaOptions, reason: str) -> dict[str, str]:
    """Two letters: one that can go back to its topic, and one that came from no topic."""
    producer = Producer(topics_created)
    place = {"partition": 0, "offset": uuid4().int % 1_000_000, "failed_at": 1_000}
    headers = {"traceparent": "00-abc"} | letter_headers(
        consumer="test",
        topic=INVENTORY_LOW_STOCK.name,
        reason=reason,
        error=ValueError("price: must be positive"),
        **place,
    )
    producer.produce(DEAD_LETTERS["product"].name, VALUE, b"sku", headers=list(headers.items()))
    nowhere = {"id": str(uuid4()), "reason": reason, "error": "quantity: must be positive"}
    producer.produce(DEAD_LETTERS["import"].name, b"{}", b"row", headers=list(nowhere.items()))
    assert producer.flush(30) == 0
    return headers


def redriven(settings: Settings, letter_id: str) -> list[Record]:
    with Reader(settings) as reader:
        records = reader.read(reader.spans([INVENTORY_LOW_STOCK.name], Beginning()))
        return [record for record in records if record.header(REDRIVE_OF) == letter_id]


def test_lists_and_shows_what_failed_and_why(
    ecommerce: Ecommerce, letter: dict[str, str], reason: str
) -> None:
    listed = ecommerce("dlq", "list", "--reason", reason, "--json").json
    assert listed["count"] == 2
    assert listed["by_reason"] == {reason: 2}
    assert letter["id"] in {one["id"] for one in listed["letters"]}
    table = ecommerce("dlq", "list", "product", "--reason", reason)
    assert "price: must be positive" in table.out
    assert "1 dead letters" in table.out
    causes = ecommerce("dlq", "list")
    assert causes.code == 0, causes.err
    assert reason in causes.out
    assert letter["id"] not in causes.out
    assert "rows of files were refused" in causes.out
    shown = ecommerce("dlq", "show", letter["id"][:13])
    assert "Traceback" not in shown.err
    assert "price: must be positive" in shown.out
    assert "00-abc" in shown.out


def test_redrives_the_original_bytes_once(
    ecommerce: Ecommerce, settings: Settings, letter: dict[str, str], reason: str
) -> None:
    first = ecommerce("dlq", "redrive", "product", "--reason", reason, "--yes", "--json")
    assert first.code == 0, first.err
    assert first.json == {"sent": [letter["id"]], "already": [], "refused": {}}
    (record,) = redriven(settings, letter["id"])
    assert (record.key, record.value) == (b"sku", VALUE)
    assert dict(record.headers)["traceparent"] == b"00-abc"
    assert record.header("attempt") == "2"

    again = ecommerce("dlq", "redrive", "--id", letter["id"], "--yes", "--json")
    assert again.json == {"sent": [], "already": [], "refused": {}}
    assert len(redriven(settings, letter["id"])) == 1
    assert ecommerce("dlq", "list", "product", "--reason", reason, "--json").json["count"] == 0
    everything = ecommerce("dlq", "list", "product", "--reason", reason, "--all", "--json").json
    assert [one["standing"] for one in everything["letters"]] == ["redriven"]


def test_a_redrive_that_crashed_after_sending_is_not_sent_again(
    ecommerce: Ecommerce,
    settings: Settings,
    letter: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:
        crashing.setattr(redriving, "with_state", crash)
        assert ecommerce("dlq", "redrive", "--id", letter["id"], "--yes").code == 130
    assert len(redriven(settings, letter["id"])) == 1
    after = ecommerce("dlq", "redrive", "--id", letter["id"], "--yes", "--json")
    assert after.json == {"sent": [], "already": [letter["id"]], "refused": {}}
    assert len(redriven(settings, letter["id"])) == 1


def test_a_letter_without_its_value_is_not_sent_as_a_tombstone(
    ecommerce: Ecommerce, settings: Settings, topics_created: KafkaOptions, reason: str
) -> None:
    headers = {"value_omitted": "9000000"} | letter_headers(
        consumer="test",
        topic=INVENTORY_LOW_STOCK.name,
        partition=0,
        offset=uuid4().int % 1_000_000,
        reason=reason,
        failed_at=1_000,
    )
    producer = Producer(topics_created)
    producer.produce(DEAD_LETTERS["sink"].name, None, b"sku", headers=list(headers.items()))
    assert producer.flush(30) == 0
    done = ecommerce("dlq", "redrive", "--id", headers["id"], "--yes", "--json")
    assert done.code == 1
    assert "was too large for its letter" in done.json["refused"][headers["id"]]
    assert redriven(settings, headers["id"]) == []


@pytest.mark.usefixtures("letter")
def test_names_letters_that_have_nowhere_to_go(ecommerce: Ecommerce, reason: str) -> None:
    done = ecommerce("dlq", "redrive", "import", "--reason", reason, "--yes", "--json")
    assert done.code == 1
    assert list(done.json["refused"].values()) == ["came from no topic: there is nowhere to send it"]


def test_asks_before_it_sends(
    ecommerce: Ecommerce, letter: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
    assert ecommerce("dlq", "redrive", "--id", letter["id"]).code == 130
    assert redriven(settings, letter["id"]) == []


@pytest.mark.usefixtures("letter")
def test_refuses_an_unknown_domain_or_id(ecommerce: Ecommerce) -> None:
    assert "is none of cart" in ecommerce("dlq", "list", "nope").err
    assert "no dead letters have this id" in ecommerce("dlq", "show", "zzz").err


@pytest.fixture
def poison(topics_created: KafkaOptions, reason: str) -> dict[str, str]:
    """A letter with a message that its handler refused."""
    producer = Producer(topics_created)
    message = command(PRODUCT_DELETE, "sku", ProductDelete("recall"), occurred_at=1_000)
    headers = letter_headers(
        consumer="product",
        topic=PRODUCT_DELETE.name,
        partition=0,
        offset=uuid4().int % 1_000_000,
        reason=reason,
        failed_at=1_000,
    )
    value = encode(PRODUCT_DELETE, message)
    producer.produce(DEAD_LETTERS["product"].name, value, b"sku", headers=list(headers.items()))
    assert producer.flush(30) == 0
    return headers


def test_an_edited_message_goes_out_under_its_own_id_and_key(
    ecommerce: Ecommerce, settings: Settings, poison: dict[str, str], tmp_path: Path
) -> None:
    shown = ecommerce("dlq", "show", poison["id"], "--json").json["record"]
    envelope = {name: value for name, value in shown.items() if name in Message.__struct_fields__}
    file = tmp_path / "message.json"
    file.write_bytes(msgspec.json.encode({**envelope, "data": {"reason": "mended"}}))
    done = ecommerce("dlq", "edit", poison["id"], "--file", str(file), "--yes", "--json")
    assert done.json == {"sent": [poison["id"]], "already": [], "refused": {}}, done.err
    with Reader(settings) as reader:
        records = reader.read(reader.spans([PRODUCT_DELETE.name], Beginning()))
        (record,) = [record for record in records if record.header(REDRIVE_OF) == poison["id"]]
    message = decode(PRODUCT_DELETE, record.value or b"")
    assert (message.event_id, message.data.reason) == (envelope["event_id"], "mended")
    assert (record.key, record.header("attempt")) == (b"sku", "2")
    again = ecommerce("dlq", "edit", poison["id"], "--file", str(file), "--yes", "--json")
    assert again.json == {"sent": [], "already": [poison["id"]], "refused": {}}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"data": {"reason": 7}}, "Expected `str"),
        ({"data": {"reason": "x", "raeson": "y"}}, "there is no field `$.data.raeson`"),
        ({"aggregate_id": "another"}, "`$.aggregate_id` must stay 'sku'"),
        ({"event_id": "7"}, "badly formed hexadecimal UUID"),
    ],
)
def test_an_unsound_edit_is_refused_with_field_and_rule(
    ecommerce: Ecommerce, poison: dict[str, str], tmp_path: Path, change: dict[str, object], rule: str
) -> None:
    shown = ecommerce("dlq", "show", poison["id"], "--json").json["record"]
    envelope = {name: value for name, value in shown.items() if name in Message.__struct_fields__}
    file = tmp_path / "message.json"
    file.write_bytes(msgspec.json.encode({**envelope, **change}))
    done = ecommerce("dlq", "edit", poison["id"], "--file", str(file), "--yes")
    assert (done.code, rule in done.err) == (2, True), done.err
    assert ecommerce("dlq", "list", "--reason", poison["reason"], "--json").json["count"] == 1


def test_a_discarded_letter_is_not_sent_and_says_why(
    ecommerce: Ecommerce, letter: dict[str, str], settings: Settings
) -> None:
    done = ecommerce("dlq", "discard", "--id", letter["id"], "--because", "a test order", "--json")
    assert done.json["sent"] == [letter["id"]]
    assert ecommerce("dlq", "redrive", "--id", letter["id"], "--yes", "--json").json["sent"] == []
    assert "a test order" in ecommerce("dlq", "show", letter["id"]).out
    assert redriven(settings, letter["id"]) == []
    again = ecommerce("dlq", "discard", "--id", letter["id"], "--because", "x", "--json")
    assert again.json["already"] == [letter["id"]]


def test_an_unknown_id_is_an_error_and_discards_nothing(
    ecommerce: Ecommerce, letter: dict[str, str], reason: str
) -> None:
    done = ecommerce("dlq", "discard", "--id", letter["id"], "--id", "zzz", "--because", "x")
    assert (done.code, "zzz: no dead letter has this id" in done.err) == (2, True), done.err
    assert ecommerce("dlq", "redrive", "--id", "zzz", "--yes").code == 2
    assert ecommerce("dlq", "list", "--reason", reason, "--json").json["count"] == 2


def test_text_of_others_is_never_read_as_markup(
    ecommerce: Ecommerce, letter: dict[str, str], topics_created: KafkaOptions
) -> None:
    why = "[/JIRA-12] [bold]x"
    assert ecommerce("dlq", "discard", "--id", letter["id"], "--because", why).code == 0
    assert why in ecommerce("dlq", "show", letter["id"]).out
    done = ecommerce("dlq", "redrive", "--id", letter["id"], "--yes")
    assert done.code == 0, done.err
    producer = Producer(topics_created)
    odd = {"id": uuid4().hex, "reason": "[/odd]", "failed_at": str(2**62), "attempt": "9" * 5_000}
    producer.produce(DEAD_LETTERS["import"].name, b"\xff", b"[/k]", headers=list(odd.items()))
    producer.produce(DEAD_LETTERS["import"].name, None, None, headers=[("id", None), ("\x1b", b"\x1b")])
    assert producer.flush(30) == 0
    listed = ecommerce("dlq", "list", "--reason", "[[]/odd[]]")
    assert (listed.code, "[/odd]" in listed.out) == (0, True), listed.err
    assert "1 [/odd]" in listed.out
    assert ecommerce("dlq", "list", "import").code == 0


def test_a_record_that_two_could_not_handle_is_one_letter_and_goes_out_once(
    ecommerce: Ecommerce, settings: Settings, topics_created: KafkaOptions, reason: str
) -> None:
    offset = uuid4().int % 1_000_000
    producer = Producer(topics_created)
    ids = []
    for consumer in ("postgres", "redis"):
        told = letter_headers(
            consumer=consumer,
            topic=INVENTORY_LOW_STOCK.name,
            partition=0,
            offset=offset,
            reason=reason,
            failed_at=1_000,
        )
        producer.produce(DEAD_LETTERS["sink"].name, VALUE, b"sku", headers=list(told.items()))
        ids.append(told["id"])
    assert producer.flush(30) == 0
    (listed,) = ecommerce("dlq", "list", "--reason", reason, "--json").json["letters"]
    assert (listed["consumers"], listed["ids"]) == (["postgres", "redis"], ids)
    done = ecommerce("dlq", "redrive", "--id", ids[1], "--yes", "--json")
    assert done.json == {"sent": ids, "already": [], "refused": {}}
    assert sum(len(redriven(settings, each)) for each in ids) == 1
    assert ecommerce("dlq", "list", "--reason", reason, "--json").json["count"] == 0
