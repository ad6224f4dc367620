"""The rows of abandoned carts."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from connectors.postgres.table import Table


class AbandonedCartRow(NamedTuple):
    """A cart that expired with lines in it; `lines` is JSON."""

    event_id: UUID
    cart_id: UUID
    user_id: UUID | None
    lines: str
    last_active_at: datetime
    abandoned_at: datetime
    extra: str | None = None


CARTS_ABANDONED = Table("carts_abandoned", AbandonedCartRow, key=("event_id",))
