import pyarrow as pa

from connectors.archive.arrow import arrow_type
from deploy.tap.binary import arrow_schema
from schemas.order import OrderSnapshot
from schemas.service import ServicePong


def test_nested_types_times_and_maps_have_their_arrow_form() -> None:
    order = arrow_type(OrderSnapshot)
    assert order.field("placed_at").type == pa.timestamp("ms", tz="UTC")
    assert order.field("lines").type.value_type.field("unit_price").type == pa.int64()
    assert order.field("status").type == pa.string()
    assert order.field("address").type.field("country").type == pa.string()
    assert arrow_type(ServicePong).field("details").type == pa.map_(pa.string(), pa.string())


def test_mixed_topics_have_their_data_as_json() -> None:
    assert arrow_schema(None).field("data").type == pa.string()
    assert arrow_schema(OrderSnapshot).field("occurred_at").type == pa.timestamp("ms", tz="UTC")
