import asyncio
import stat
import time
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from argon2 import PasswordHasher
from limits.aio.storage import MemoryStorage

from api.auth.caller import cart_of_user
from api.auth.ended import EndedSessions
from api.auth.guests import is_guest_secret, new_guest_secret
from api.auth.keys import SigningKey, load_or_create
from api.auth.limits import AttemptLimits
from api.auth.password_rules import check
from api.auth.passwords import Passwords
from api.auth.tokens import Role, Tokens, User
from api.cart.view import CartState
from api.problems import Problem
from api.settings import ApiSettings
from schemas.cart import CartLine, CartStatus, CartUpdated
from tests.unit.api.conftest import World

ADA = User("01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11", "ada@example.com", Role.STAFF)


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, second = load_or_create(tmp_path), load_or_create(tmp_path)
    assert first.key_id == second.key_id
    assert first.secret("one") == second.secret("one") != first.secret("two")
    (file,) = (tmp_path / "auth").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(first.jwks()["keys"][0]) == {"kty", "n", "e", "kid", "use", "alg"}


def test_a_file_that_is_no_rsa_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "auth" / "signing-key.pem"
    path.parent.mkdir()
    path.write_text("nonsense")
    with pytest.raises(ValueError, match="PEM"):
        load_or_create(tmp_path)


def listening() -> EndedSessions:
    ended = EndedSessions(15)
    ended.heard((), time.monotonic())
    return ended


def test_a_token_is_read_as_it_was_issued(signing_key: SigningKey) -> None:
    tokens = Tokens(signing_key, 60, listening())
    bearer = tokens.read(tokens.issue(ADA, "session", 3))
    assert bearer.user == ADA
    assert (bearer.session.session_id, bearer.session.user_id) == ("session", ADA.user_id)
    assert bearer.session.version == 3
    assert 0 < bearer.session.expires_at - time.time() <= 60


def test_expired_foreign_and_unsigned_tokens_are_refused(signing_key: SigningKey, tmp_path: Path) -> None:
    tokens = Tokens(signing_key, 60, listening())
    claims = jwt.decode(tokens.issue(ADA), options={"verify_signature": False})
    without_session = {name: value for name, value in claims.items() if name != "sid"}
    long_ago = {"iat": claims["iat"] - 61, "exp": claims["exp"] + 3600}
    forged = [
        Tokens(signing_key, -1, listening()).issue(ADA),
        Tokens(load_or_create(tmp_path), 60, listening()).issue(ADA),
        jwt.encode(claims, key="", algorithm="none"),
        jwt.encode({**claims, "aud": "other"}, signing_key.private, "RS256"),
        jwt.encode({**claims, "role": "owner"}, signing_key.private, "RS256"),
        jwt.encode({**claims, "exp": None}, signing_key.private, "RS256"),
        jwt.encode({**claims, "ver": "new"}, signing_key.private, "RS256"),
        jwt.encode(without_session, signing_key.private, "RS256"),
        jwt.encode({**claims, **long_ago}, signing_key.private, "RS256"),
        "nonsense",
    ]
    for token in forged:
        with pytest.raises(Problem) as refused:
            tokens.read(token)
        assert refused.value.status == 401
        assert 'error="invalid_token"' in refused.value.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short", "too_short"),
        ("x1" * 65, "too_long"),
        ("aaaaaaaaaa", "repeated"),
        ("Password123", "common"),
        ("my-ada.lovelace-pw", "contains_email"),
        ("a bell\x07 in it", "control_character"),
        ("correct horse battery", None),
    ],
)
def test_password_rules_are_named(password: str, rule: str | None) -> None:
    if rule is None:
        check(password, "ada.lovelace@example.com")
        return
    with pytest.raises(Problem) as refused:
        check(password, "ada.lovelace@example.com")
    assert refused.value.errors is not None
    assert (refused.value.errors[0].field, refused.value.errors[0].rule) == ("password", rule)


async def test_an_unknown_account_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords()
    stored = await passwords.hash("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify(stored, "correct horse battery")
    assert not await passwords.verify(None, "no account has this password")
    began = time.perf_counter()
    assert not await passwords.verify(stored, "wrong")
    wrong = time.perf_counter() - began
    began = time.perf_counter()
    assert not await passwords.verify(None, "wrong")
    unknown = time.perf_counter() - began
    assert unknown > wrong / 5, "the hash is computed in both cases"
    assert not await passwords.verify("not a hash", "wrong")


async def test_a_password_fits_however_its_letters_are_composed() -> None:
    passwords = Passwords()
    stored = await passwords.hash("cr\u00e8me br\u00fbl\u00e9e")
    assert await passwords.verify(stored, "cre\u0300me\u00a0bru\u0302le\u0301e")
    older = PasswordHasher().hash("cre\u0300me bru\u0302le\u0301e")
    assert await passwords.verify(older, "cre\u0300me bru\u0302le\u0301e"), "hashed before it was prepared"
    assert not await passwords.verify(older, "cr\u00e8me brulee")


async def test_a_flood_of_log_ins_is_refused_and_those_in_turn_are_served() -> None:
    passwords = Passwords(waiting=2)
    stored = await passwords.hash("correct horse battery")
    answers = await asyncio.gather(
        *(passwords.verify(stored, "correct horse battery") for _ in range(6)), return_exceptions=True
    )
    refused = [each for each in answers if isinstance(each, Problem)]
    assert [each.status for each in refused] == [503, 503]
    assert [each for each in answers if each is True] == [True] * 4
    assert await passwords.verify(stored, "correct horse battery"), "the places are free again"


def attempts(**limits: str) -> AttemptLimits:
    return AttemptLimits(MemoryStorage(), ApiSettings.model_validate(limits))


async def test_attempts_are_limited_per_account_and_client() -> None:
    limits = attempts(login_limit="2/minute", client_limit="5/minute")
    for _ in range(2):
        await limits.attempt("10.0.0.1", "ada@example.com")
    with pytest.raises(Problem) as refused:
        await limits.attempt("10.0.0.1", " ADA@example.com ")
    assert refused.value.status == 429
    await limits.attempt("10.0.0.2", "ada@example.com")
    await limits.attempt("10.0.0.1", "bob@example.com")
    await limits.attempt("10.0.0.1", "no address")
    with pytest.raises(Problem):
        await limits.attempt("10.0.0.1", "joe@example.com")


async def test_many_clients_get_no_more_guesses_than_the_account_has() -> None:
    limits = attempts(account_limit="3/hour")
    await limits.attempt("10.0.1.1", "ada@example.com")
    await limits.succeeded("10.0.1.1", "ada@example.com")
    for client in range(2):
        await limits.attempt(f"10.0.0.{client}", "ada@example.com")
    for client in range(2, 5):
        with pytest.raises(Problem) as refused:
            await limits.attempt(f"10.0.0.{client}", "ADA@EXAMPLE.com")
        assert refused.value.headers["Retry-After"] == "3600"
    await limits.attempt("10.0.1.1", "ada@example.com")
    await limits.attempt("10.0.0.2", "bob@example.com")


def test_only_random_ids_are_guests_secrets() -> None:
    assert is_guest_secret(new_guest_secret())
    assert not is_guest_secret(cart_of_user(str(uuid4())))
    assert not is_guest_secret("01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11")
    assert not is_guest_secret("nonsense")


async def test_a_broken_cookie_is_no_cart_and_a_broken_header_is_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    derived = cart_of_user("somebody")
    with_cookie = await client.get("/api/v1/cart", headers={"Cookie": f"ecommerce_cart={derived}"})
    assert with_cookie.json()["cart_id"] is None
    with_header = await client.get("/api/v1/cart", headers={"X-Cart-Id": derived})
    assert with_header.status_code == 401
    scheme = await client.get("/api/v1/cart", headers={"Authorization": "Basic YTpi"})
    assert scheme.status_code == 401
    own = await client.get(
        "/api/v1/cart", headers={**world.authorised(user_id="u"), "X-Cart-Id": new_guest_secret()}
    )
    assert own.json()["cart_id"] == cart_of_user("u"), "a user's own cart goes before a guest's"


async def test_customers_are_no_staff(client: httpx.AsyncClient, world: World) -> None:
    for headers, status in (({}, 401), (world.authorised(), 403), (world.authorised(Role.STAFF), 404)):
        assert (await client.get("/api/v1/inventory/A", headers=headers)).status_code == status


async def test_what_topics_tell_of_a_guest_opens_nothing(client: httpx.AsyncClient, world: World) -> None:
    added = await client.post("/api/v1/cart/items", json={"sku": "A"})
    secret = added.headers["X-Cart-Id"]
    _, told, message = world.broker.sent[0]
    assert secret not in (told, message.aggregate_id)
    assert UUID(told).version == 5
    lines = (CartLine("A", "A", 1),)
    world.carts.known[told] = CartState(CartUpdated(CartStatus.OPEN, lines, None, None, 1), 1)
    mine = await client.get("/api/v1/cart", headers={"X-Cart-Id": secret})
    assert (mine.json()["cart_id"], mine.json()["pieces"]) == (secret, 1)
    client.cookies.clear()
    assert (await client.get("/api/v1/cart", headers={"X-Cart-Id": told})).status_code == 401
    # Made to look like a secret, it is another's.
    forged = str(UUID(bytes=UUID(told).bytes, version=4))
    assert (await client.get("/api/v1/cart", headers={"X-Cart-Id": forged})).json()["items"] == []
    assert not [name for name in world.redis.values if secret in name]
