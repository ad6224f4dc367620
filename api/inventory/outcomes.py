"""What ends a command to a SKU's stock."""

from api.expectation import Expectation, Outcomes, caused_by
from api.heard import Heard
from schemas.refusal import Refusal
from topics.inventory import INVENTORY_ADJUST, INVENTORY_RECEIVE, INVENTORY_REFUSED, INVENTORY_UPDATED


def _moves_nothing(heard: Heard) -> bool:
    # What another command brought in under the same id is as this one wanted it.
    return heard.topic is INVENTORY_REFUSED and heard.message.data.reason != Refusal.ALREADY_APPLIED


_STOCK = Expectation((INVENTORY_UPDATED, INVENTORY_REFUSED), caused_by, _moves_nothing)

OUTCOMES: Outcomes = dict.fromkeys((INVENTORY_RECEIVE, INVENTORY_ADJUST), _STOCK)
