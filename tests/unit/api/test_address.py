"""One key for every way to write an address, here and in the migration that gave older accounts theirs."""

import importlib

import pytest

from api.auth.address import Address

WAYS = [
    (" Bob@Example.COM ", "bob@example.com", "Bob@example.com"),
    ("rene\u0301e@example.org", "ren\u00e9e@example.org", "ren\u00e9e@example.org"),
    ("REN\u00c9E@example.org", "ren\u00e9e@example.org", "REN\u00c9E@example.org"),
    ("u@b\u00fccher.example", "u@xn--bcher-kva.example", "u@b\u00fccher.example"),
    ("u@xn--bcher-kva.example", "u@xn--bcher-kva.example", "u@b\u00fccher.example"),
    ("u@B\u00dcCHER\u3002example", "u@xn--bcher-kva.example", "u@b\u00fccher.example"),
]


@pytest.mark.parametrize(("text", "key", "written"), WAYS)
def test_an_address_is_known_by_one_key(text: str, key: str, written: str) -> None:
    address = Address.of(text)
    assert (address.key, address.written) == (key, written)
    assert Address.of(address.written).key == Address.of(key).key == key
    assert text.strip().lower() in address.older


@pytest.mark.parametrize(("text", "key", "written"), WAYS)
def test_the_migration_gives_the_same_key(text: str, key: str, written: str) -> None:
    assert written
    assert importlib.import_module("sinks.migrations.versions.v0008_sessions")._address(text) == key


@pytest.mark.parametrize("text", ["", "a", "a@", "@b.example", "a\x00@example.com", "a b@example.com", "a@b"])
def test_what_is_no_address_is_said_so_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        Address.of(text)
