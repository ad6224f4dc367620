"""What ends a command to a product."""

from api.expectation import Outcomes, answered
from topics.product import PRODUCT_CREATE, PRODUCT_DELETE, PRODUCT_EVENTS, PRODUCT_REJECTED, PRODUCT_UPDATE

_PRODUCT = answered(PRODUCT_EVENTS, PRODUCT_REJECTED)

OUTCOMES: Outcomes = dict.fromkeys((PRODUCT_CREATE, PRODUCT_UPDATE, PRODUCT_DELETE), _PRODUCT)
