import asyncio
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from redis.exceptions import ConnectionError as RedisDownError

from api.auth.caller import cart_of_user
from api.auth.tokens import Role
from api.command_records import CommandRecord
from schemas.cart import CartAdd, CartClear, CartLine, CartRejected, CartStatus, CartUpdated
from schemas.envelope import Message, derived_id
from schemas.inventory import InventoryUpdated, Movement, MovementKind
from tests.eventually import eventually_async
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.dead_letter import letter_headers
from topics.registry import (
    CART_ADD,
    CART_CLEAR,
    CART_REJECTED,
    CART_UPDATED,
    DEAD_LETTERS,
    INVENTORY_RECEIVE,
    INVENTORY_UPDATED,
)
from topics.wire import encode

WAIT = {"Prefer": "wait=2"}


def guest() -> dict[str, str]:
    return {"X-Cart-Id": str(uuid4())}


def accepting(world: World) -> None:
    def reply(message: Message[Any]) -> list[Reply]:
        lines = message.data.lines if isinstance(message.data, CartAdd) else ()
        state = CartUpdated(CartStatus.OPEN, lines, message.user_id, None, message.occurred_at)
        return [(CART_UPDATED, message.aggregate_id, state, 5)]

    world.broker.reply = reply


def refusing(world: World, reason: str, field: str = "lines.quantity") -> None:
    refusal = CartRejected("ecommerce.cart.add", reason, field, "it cannot be")
    world.broker.reply = lambda message: [(CART_REJECTED, message.aggregate_id, refusal, 1)]


async def test_a_waited_command_answers_with_its_outcome_at_current_prices(
    client: httpx.AsyncClient, world: World
) -> None:
    accepting(world)
    answer = await client.post(
        "/api/v1/cart/items", json={"sku": "A", "quantity": 3}, headers={**guest(), **WAIT}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == '"5"'
    assert answer.json()["subtotal"] == 3 * 295
    (topic, key, message) = world.broker.sent[0]
    assert topic is CART_ADD
    assert message.data == CartAdd((CartLine("A", "A", 3),))
    assert (message.aggregate_id, message.source, message.user_id) == (key, "api", None)
    assert world.redis.values == {}, "an answered command needs no status"


async def test_an_outcome_of_another_command_is_not_taken_for_ones_own(
    client: httpx.AsyncClient, world: World
) -> None:
    cart = str(uuid4())
    other = CartUpdated(CartStatus.OPEN, (), None, None, 1)

    def reply(message: Message[Any]) -> list[Reply]:
        world.broker.tell(CART_UPDATED, message.aggregate_id, other, 9)
        return []

    world.broker.reply = reply
    answer = await client.post(
        "/api/v1/cart/items", json={"sku": "A"}, headers={"X-Cart-Id": cart, "Prefer": "wait=1"}
    )
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("reason", "status"),
    [("invalid_quantity", 422), ("unknown_line", 404), ("cart_frozen", 409), ("forbidden", 403)],
)
async def test_a_refusal_names_reason_and_field(
    client: httpx.AsyncClient, world: World, reason: str, status: int
) -> None:
    refusing(world, reason)
    answer = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers={**guest(), **WAIT})
    assert answer.status_code == status
    problem = answer.json()
    assert (problem["reason"], problem["detail"]) == (reason, "it cannot be")
    assert problem["errors"] == [{"field": "quantity", "rule": reason, "message": "it cannot be"}]


async def test_an_unwaited_outcome_can_be_read_by_its_owner_and_staff_only(
    client: httpx.AsyncClient, world: World
) -> None:
    accepting(world)
    mine = guest()
    answer = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=mine)
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["Location"] == body["status_url"]
    assert body["correlation_id"] == answer.headers["X-Correlation-Id"]

    async def status() -> str:
        return str((await client.get(body["status_url"], headers=mine)).json()["status"])

    assert await eventually_async(status, lambda text: text == "succeeded", 5)
    assert (await client.get(body["status_url"], headers=guest())).status_code == 404
    assert (await client.get(body["status_url"], headers=world.authorised())).status_code == 404
    staff = world.authorised(Role.STAFF)
    assert (await client.get(body["status_url"], headers=staff)).json()["version"] == 5


async def test_an_outcome_that_comes_too_late_is_followed(client: httpx.AsyncClient, world: World) -> None:
    mine = guest()
    answer = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers={**mine, "Prefer": "wait=1"})
    assert answer.status_code == 202
    state = CartUpdated(CartStatus.OPEN, (), None, None, 1)
    world.broker.tell(CART_UPDATED, world.cart_of(mine), state, 2, cause=answer.json()["command_id"])

    async def status() -> str:
        return str((await client.get(answer.json()["status_url"], headers=mine)).json()["status"])

    await eventually_async(status, lambda text: text == "succeeded", 5)

    async def waiting() -> bool:
        return bool(world.tail._waiting)

    await eventually_async(waiting, lambda some: not some)


@pytest.mark.parametrize(
    ("error", "status"), [(KafkaConnectionError("down"), 503), (MessageSizeTooLargeError("big"), 413)]
)
async def test_a_broker_that_does_not_take_it_is_a_problem_and_nobody_waits_on(
    client: httpx.AsyncClient, world: World, error: Exception, status: int
) -> None:
    world.broker.error = error
    answer = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers={**guest(), **WAIT})
    assert answer.status_code == status
    assert world.tail._waiting == {}


async def test_correlation_and_trace_travel_with_the_command(client: httpx.AsyncClient, world: World) -> None:
    accepting(world)
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    correlation = str(uuid4())
    headers = {**guest(), **WAIT, "traceparent": trace, "X-Correlation-Id": correlation}
    await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
    assert world.broker.headers == [{"traceparent": trace}]
    assert world.broker.sent[0][2].correlation_id == correlation


async def test_a_key_gives_the_first_answer_again(client: httpx.AsyncClient, world: World) -> None:
    accepting(world)
    headers = {**guest(), **WAIT, "Idempotency-Key": "k1"}
    first = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
    second = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(world.broker.sent) == 1
    assert "Idempotency-Replayed" not in first.headers


async def test_a_refusal_is_kept_and_a_breakdown_is_not(client: httpx.AsyncClient, world: World) -> None:
    refusing(world, "cart_frozen", "cart_id")
    headers = {**guest(), **WAIT, "Idempotency-Key": "k1"}
    first = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
    accepting(world)
    again = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["content-type"] == "application/problem+json"

    other = {**headers, "Idempotency-Key": "k2"}
    world.broker.error = KafkaConnectionError("down")
    assert (await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=other)).status_code == 503
    world.broker.error = None
    assert (await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=other)).status_code == 200


async def test_a_key_is_bound_to_its_request_and_owner(client: httpx.AsyncClient, world: World) -> None:
    accepting(world)
    headers = {**guest(), **WAIT, "Idempotency-Key": "k1"}
    await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
    other_body = await client.post("/api/v1/cart/items", json={"sku": "B"}, headers=headers)
    assert (other_body.status_code, other_body.json()["errors"][0]["rule"]) == (422, "reused")
    other_route = await client.delete("/api/v1/cart", headers=headers)
    assert other_route.status_code == 422
    other_owner = await client.post("/api/v1/cart/items", json={"sku": "B"}, headers={**headers, **guest()})
    assert other_owner.status_code == 200
    too_long = await client.post(
        "/api/v1/cart/items", json={"sku": "A"}, headers={**headers, "Idempotency-Key": "x" * 256}
    )
    assert too_long.status_code == 422


async def test_a_request_in_flight_is_409(client: httpx.AsyncClient) -> None:
    headers = {**guest(), "Prefer": "wait=1", "Idempotency-Key": "k1"}
    both = await asyncio.gather(
        *(client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in both) == [202, 409]
    assert next(answer for answer in both if answer.status_code == 409).headers["Retry-After"] == "1"


async def test_a_request_that_was_never_valid_claims_no_key(client: httpx.AsyncClient, world: World) -> None:
    accepting(world)
    headers = {**guest(), **WAIT, "Idempotency-Key": "k1"}
    bad = await client.post("/api/v1/cart/items", json={"sku": "A", "quantity": 0}, headers=headers)
    assert bad.status_code == 422
    good = await client.post("/api/v1/cart/items", json={"sku": "A", "quantity": 1}, headers=headers)
    assert good.status_code == 200


async def test_without_redis_the_command_goes_out_under_the_same_id(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepting(world)

    async def down(*_: object, **__: object) -> None:
        raise RedisDownError("down")

    for name in ("get", "set", "delete"):
        monkeypatch.setattr(world.redis, name, down)
    headers = {**guest(), **WAIT, "Idempotency-Key": "k1"}
    for _ in range(2):
        answer = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
        assert answer.status_code == 200
    first, second = (message for _, _, message in world.broker.sent)
    assert first.event_id == second.event_id
    unwaited = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=guest())
    assert unwaited.status_code == 202, "a status that cannot be kept stops no command"
    assert (await client.get(unwaited.json()["status_url"], headers=guest())).status_code == 503


async def test_no_card_number_can_be_guessed_from_what_redis_holds(
    client: httpx.AsyncClient, world: World
) -> None:
    accepting(world)
    await client.post(
        "/api/v1/cart/items", json={"sku": "A"}, headers={**guest(), **WAIT, "Idempotency-Key": "k1"}
    )
    store = world.services.idempotency
    (kept,) = world.redis.values.values()
    plain = msgspec.msgpack.decode(kept)["fingerprint"]
    assert plain == store.fingerprint("POST", "/api/v1/cart/items?", b'{"sku":"A"}')
    store._secret = b"another"
    assert plain != store.fingerprint("POST", "/api/v1/cart/items?", b'{"sku":"A"}')


async def test_login_merges_the_guests_cart(client: httpx.AsyncClient, world: World) -> None:
    account = {"email": "ada@example.com", "password": "correct horse battery"}
    registered = await client.post("/api/v1/register", json=account)
    assert registered.status_code == 201
    cart = str(uuid4())
    login = await client.post("/api/v1/login", json={**account, "cart_id": cart})
    assert login.status_code == 200
    _, key, message = world.broker.sent[0]
    assert key == world.services.guest_carts.cart_of(cart)
    assert message.data.into_cart_id == cart_of_user(registered.json()["user_id"])
    assert message.event_id == login.json()["merge_command_id"]
    derived = await client.post("/api/v1/login", json={**account, "cart_id": cart_of_user("x")})
    assert derived.status_code == 422


async def test_a_receipt_without_id_takes_that_of_its_command(
    client: httpx.AsyncClient, world: World
) -> None:
    level = InventoryUpdated(5, 0, 5, 5, 0, 10, Movement(MovementKind.RECEIVE, 5, "r", "purchase"))
    world.broker.reply = lambda message: [(INVENTORY_UPDATED, message.aggregate_id, level, 1)]
    headers = {**world.authorised(Role.STAFF, "u"), **WAIT, "Idempotency-Key": "k1"}
    answer = await client.post("/api/v1/inventory/A/receive", json={"quantity": 5}, headers=headers)
    assert (answer.status_code, answer.json()["available"]) == (200, 5), answer.text
    topic, _, message = world.broker.sent[0]
    assert topic is INVENTORY_RECEIVE
    expected = derived_id("command", "user:u", "POST", "/api/v1/inventory/A/receive", "k1")
    assert message.event_id == message.data.receipt_id == expected


def burying(world: World, *, of: str | None = None) -> None:
    """Let the dataflow put each command into its dead letters; those of another command with `of`."""

    def reply(message: Message[Any]) -> list[Reply]:
        told = msgspec.structs.replace(message, event_id=of) if of else message
        letter = letter_headers(
            consumer="ecommerce.cart",
            topic=CART_ADD.name,
            partition=1,
            offset=7,
            reason="out_of_bounds",
            failed_at=1,
            error="too much",
            attempt=1,
        )
        headers = [(name, text.encode()) for name, text in letter.items()]
        world.tail.dispatch(DEAD_LETTERS["cart"].name, b"another key", encode(CART_ADD, told), headers)
        return []

    world.broker.reply = reply


async def test_a_command_that_became_a_dead_letter_has_failed(
    client: httpx.AsyncClient, world: World
) -> None:
    burying(world)
    headers = guest()
    waited = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers={**headers, **WAIT})
    assert (waited.status_code, waited.json().get("reason")) == (422, "out_of_bounds"), waited.text
    assert waited.json()["type"].endswith("not-carried-out")
    sent = await client.post("/api/v1/cart/items", json={"sku": "A"}, headers=headers)
    assert sent.status_code == 202

    async def status() -> dict[str, Any]:
        found: dict[str, Any] = (await client.get(sent.json()["status_url"], headers=headers)).json()
        return found

    told = await eventually_async(status, lambda said: said["status"] == "failed")
    assert (told["event"], told["outcome"]["reason"]) == (DEAD_LETTERS["cart"].name, "out_of_bounds")
    assert told["outcome"]["dead_letter"]
    assert world.tail._commands == {}


async def test_another_command_s_dead_letter_is_not_taken_for_ones_own(
    client: httpx.AsyncClient, world: World
) -> None:
    burying(world, of=str(uuid4()))
    answer = await client.post(
        "/api/v1/cart/items", json={"sku": "A"}, headers={**guest(), "Prefer": "wait=1"}
    )
    assert answer.status_code == 202


class Searching:
    """Takes note of which commands' ends were searched for in the topics."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def of(self, record: CommandRecord) -> CommandRecord | None:
        self.asked.append(record.command_id)
        return None


async def test_no_topic_is_searched_for_a_command_whose_end_is_waited_for(world: World) -> None:
    commands, searching = world.services.commands, Searching()
    commands._ends = searching
    headers, key = guest(), "01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11"
    sending = asyncio.create_task(
        commands.send(
            CART_CLEAR, world.cart_of(headers), CartClear(), owner="x", command_id=key, wait=5, remember=True
        )
    )
    found = await eventually_async(lambda: commands.find(key), lambda record: record is not None)
    assert (found is not None, searching.asked) == (True, [])
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await commands.find(key)
    assert searching.asked == [key]
