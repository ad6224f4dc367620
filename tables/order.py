"""The order table: one record per order id; sales and returns."""

import msgspec

from schemas.order import OrderSnapshot
from tables.table import Table


class Shipment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A shipment that staff have asked for, by a command, and that waits for the payment's capture."""

    tracking: str | None
    command_id: str | None = None


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order's public state and what it waits for.

    `version` starts at the birth's time in ms and grows by one per event. `deadline_at` (ms) ends an order
    that is still placed. `quoted` and `authorised` are the two halves of the join that confirms; `captured`
    lets it ship; `refunding` says that money is on its way back, `refund_command` by which command.
    `correlation_id` is the checkout's, for what its deadline brings.
    """

    snapshot: OrderSnapshot
    version: int
    deadline_at: int | None = None
    correlation_id: str = ""
    quoted: bool = False
    authorised: bool = False
    captured: bool = False
    refunding: bool = False
    refund_command: str | None = None
    shipment: Shipment | None = None
    applied: tuple[str, ...] = ()


ORDER = Table("order", Order)
