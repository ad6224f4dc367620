"""The rows of payments."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from connectors.postgres.table import Table


class PaymentRow(NamedTuple):
    """An order's payment."""

    order_id: UUID
    status: str
    amount: int
    currency: str
    provider_reference: str | None
    attempts: int
    reason: str | None
    version: int
    updated_at: datetime
    extra: str | None = None


PAYMENTS = Table("payments", PaymentRow, key=("order_id",), version="version")
