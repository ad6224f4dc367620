"""Orders as documents of Elasticsearch."""

from connectors.elasticsearch.index import Document
from schemas.envelope import Message
from schemas.order import OrderSnapshot
from sinks.order.index import ORDERS


def order_document(message: Message[OrderSnapshot]) -> tuple[Document]:
    """Return the order as it stands after the event."""
    data = message.data
    address = data.address
    source = {
        "order_id": message.aggregate_id,
        "kind": data.kind.value,
        "status": data.status.value,
        "cart_id": data.cart_id,
        "user_id": data.user_id,
        "email": data.email,
        "customer": None if address is None else address.name,
        "country": None if address is None else address.country,
        "currency": data.currency,
        "goods": data.goods,
        "charged": data.charged,
        "total": data.total,
        "placed_at": data.placed_at,
        "updated_at": data.updated_at,
        "reason": data.reason,
        "tracking": data.tracking,
        "version": message.aggregate_version,
        "line_count": len(data.lines),
        "charge_count": len(data.charges),
        "units": sum(line.quantity for line in data.lines),
        "lines": [
            {
                "line_id": line.line_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            }
            for line in data.lines
        ],
        "charges": [
            {
                "code": charge.code,
                "description": charge.description,
                "quantity": charge.quantity,
                "amount": charge.amount,
            }
            for charge in data.charges
        ],
    }
    return (Document(ORDERS.alias, message.aggregate_id, message.aggregate_version, source),)
