"""Accounts' public facts; keyed by user id. A password, or what is derived from one, is never among them."""

from enum import StrEnum

import msgspec


class UserRole(StrEnum):
    """What a user may do."""

    CUSTOMER = "customer"
    STAFF = "staff"


class UserSnapshot(msgspec.Struct, frozen=True):
    """The account's full public state after a change: the data of every user event. Times are ms, UTC."""

    email: str
    role: UserRole
    registered_at: int
    updated_at: int
