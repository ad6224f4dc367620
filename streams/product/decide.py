"""What becomes of a product: pure decisions of one SKU's record and one command.

Versions count from 1. A deleted product stays in the table, inactive, so that its versions go on when it is
created again.
"""

import msgspec

from schemas.envelope import Message
from schemas.product import ProductCreate, ProductDelete, ProductRejected, ProductSnapshot, ProductUpdate
from schemas.refusal import Refusal
from streams.breach import Breach
from streams.kernel.flow import Decision, Out
from streams.product.policy import ProductPolicy
from streams.product.rules import first_breach
from tables.applied import remembered
from tables.product import Product
from topics.registry import PRODUCT_CREATED, PRODUCT_DELETED, PRODUCT_REJECTED, PRODUCT_UPDATED
from topics.topic import Topic


def create(
    policy: ProductPolicy, state: Product | None, message: Message[ProductCreate]
) -> Decision[Product]:
    """Put a product on sale, for the first time or again after a deletion."""
    if _answered(state, message):
        return Decision(state)
    if state is not None and state.snapshot.active:
        taken = Breach(Refusal.ALREADY_EXISTS, "sku", f"{message.aggregate_id} is on sale already")
        return _refused(policy, state, message, taken)
    data = message.data
    product = ProductSnapshot(
        name=data.name,
        description=data.description,
        categories=data.categories,
        price=data.price,
        currency=data.currency,
        low_stock_threshold=data.low_stock_threshold,
        active=True,
        created_at=message.occurred_at,
        updated_at=message.occurred_at,
    )
    return _sound(policy, state, message, product, PRODUCT_CREATED)


def update(
    policy: ProductPolicy, state: Product | None, message: Message[ProductUpdate]
) -> Decision[Product]:
    """Change the fields that the command gives; what it leaves out stays."""
    if _answered(state, message):
        return Decision(state)
    if state is None or not state.snapshot.active:
        return _refused(policy, state, message, _unknown(message))
    given = {name: value for name, value in msgspec.structs.asdict(message.data).items() if value is not None}
    if not given:
        return _refused(policy, state, message, Breach(Refusal.EMPTY_UPDATE, "data", "no field is given"))
    product = msgspec.structs.replace(state.snapshot, **given, updated_at=message.occurred_at)
    return _sound(policy, state, message, product, PRODUCT_UPDATED)


def delete(
    policy: ProductPolicy, state: Product | None, message: Message[ProductDelete]
) -> Decision[Product]:
    """Take a product off sale."""
    if _answered(state, message):
        return Decision(state)
    if state is None or not state.snapshot.active:
        return _refused(policy, state, message, _unknown(message))
    product = msgspec.structs.replace(state.snapshot, active=False, updated_at=message.occurred_at)
    return _changed(policy, state, message, product, PRODUCT_DELETED)


def _answered(state: Product | None, message: Message[msgspec.Struct]) -> bool:
    return state is not None and message.event_id in state.applied


def _unknown(message: Message[msgspec.Struct]) -> Breach:
    return Breach(Refusal.UNKNOWN_SKU, "sku", f"{message.aggregate_id} is not on sale")


def _sound(
    policy: ProductPolicy,
    state: Product | None,
    message: Message[msgspec.Struct],
    product: ProductSnapshot,
    event: Topic[ProductSnapshot],
) -> Decision[Product]:
    breach = first_breach(policy, message.aggregate_id, product)
    if breach is not None:
        return _refused(policy, state, message, breach)
    return _changed(policy, state, message, product, event)


def _changed(
    policy: ProductPolicy,
    state: Product | None,
    message: Message[msgspec.Struct],
    product: ProductSnapshot,
    event: Topic[ProductSnapshot],
) -> Decision[Product]:
    version = 1 if state is None else state.version + 1
    applied = () if state is None else state.applied
    changed = Product(product, version, remembered(applied, message.event_id, policy.remembered_commands))
    return Decision(changed, (Out(event, message.aggregate_id, product, version),))


def _refused(
    policy: ProductPolicy, state: Product | None, message: Message[msgspec.Struct], breach: Breach
) -> Decision[Product]:
    """Refuse, and remember it: the same command must not succeed when it comes again."""
    refusal = ProductRejected(message.event_type, breach.reason, breach.field, breach.detail)
    if state is None:
        return Decision(None, (Out(PRODUCT_REJECTED, message.aggregate_id, refusal),))
    applied = remembered(state.applied, message.event_id, policy.remembered_commands)
    kept = msgspec.structs.replace(state, applied=applied)
    return Decision(kept, (Out(PRODUCT_REJECTED, message.aggregate_id, refusal, state.version),))
