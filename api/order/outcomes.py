"""What ends a command to an order."""

from api.expectation import Outcomes, answered
from topics.order import ORDER_ADVANCE, ORDER_CANCEL, ORDER_EVENTS, ORDER_REJECTED

OUTCOMES: Outcomes = dict.fromkeys((ORDER_CANCEL, ORDER_ADVANCE), answered(ORDER_EVENTS, ORDER_REJECTED))
