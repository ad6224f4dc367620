"""docs/refusals.md: every reason of a refusal, from the schemas, with its status and a shopper's words."""

from api.order.refusals import SENTENCES
from api.rejections import STATUSES
from deploy.docs.markdown import code, page, table
from schemas.refusal import Refusal

_INTRODUCTION = (
    "Why a command was refused or an order ended: `reason` of the messages `*.rejected`,",
    "`inventory.refused`, `checkout.failed` and `order.cancelled`, and of the API's problems. The status is",
    "that of a refused command; a checkout whose order is refused answers 402 where it was not paid,",
    "else 409.",
    "",
)


def refusals_page() -> str:
    """Return the page."""
    rows = [
        [code(each), STATUSES[each.fault], each.meaning, SENTENCES.get(each, "-")] for each in sorted(Refusal)
    ]
    return page(
        "Refusals", _INTRODUCTION, table(["reason", "status", "what it means", "what a shopper reads"], rows)
    )
