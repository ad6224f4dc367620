"""Products and search for everyone; changes to products for staff."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from api import wording
from api.accepted import Accepted, accepted
from api.answers import told
from api.auth.caller import StaffCaller
from api.commands import Receipt
from api.idempotency import CommandId, IdempotentRoute
from api.names import SKU, segment
from api.prefer import Wait, applied
from api.problems import invalid, not_found, problems, unavailable
from api.product.models import (
    MAX_MINOR,
    AskedSku,
    Category,
    NewProduct,
    Product,
    ProductChange,
    ProductPage,
    ProductSort,
    SearchResults,
    SkuPath,
    Suggestion,
)
from api.product.places import behind, following
from api.product.queries import ProductFilter
from api.public import UNCHANGED, Encoded, IfNoneMatch, public
from api.rejections import refusal
from api.services import Services, Use
from schemas.product import ProductSnapshot
from sinks.search.backend import MAX_TEXT, MAX_WINDOW, Filters, SearchUnavailableError, Sort
from sinks.search.backend import Query as Search

products = APIRouter(prefix="/products", tags=["catalogue"], route_class=IdempotentRoute)
search_router = APIRouter(prefix="/search", tags=["catalogue"])

_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted, "description": "Accepted; the outcome follows."}
}
Bound = Annotated[int | None, Query(ge=0, le=MAX_MINOR, description="Minor units, inclusive.")]
Cursor = Annotated[str | None, Query(max_length=1024, description="From the page before, of the same list.")]
Searched = Annotated[str, Query(max_length=MAX_TEXT, pattern=wording.NO_NUL, examples=["heart holder"])]


_MOST_ENCODED = 10_000
_encoded: dict[str, tuple[Product, Encoded]] = {}


def _public(services: Services, body: str | bytes, has: str | None) -> Response:
    # Checked where it was made: to check it again as a response took longer than the search.
    made = Encoded.of(body if isinstance(body, bytes) else body.encode())
    return public(made, services.options.public_seconds, has)


def _of_product(product: Product) -> Encoded:
    """Return the answer of a product; of the very same, which is held for a while, it is made once."""
    known = _encoded.get(product.sku)
    if known is not None and known[0] is product:
        return known[1]
    if len(_encoded) >= _MOST_ENCODED:
        _encoded.clear()
    made = Encoded.of(product.model_dump_json().encode())
    _encoded[product.sku] = product, made
    return made


def _check_range(price_from: int | None, price_to: int | None) -> None:
    if price_from is not None and price_to is not None and price_from > price_to:
        raise invalid("price_from", "range", "must not be above price_to")


@products.get(
    "", operation_id="listProducts", response_model=ProductPage, responses=UNCHANGED | problems(503)
)
async def list_products(
    services: Use,
    category: Annotated[Category | None, Query(examples=["lighting"])] = None,
    price_from: Bound = None,
    price_to: Bound = None,
    in_stock: Annotated[bool, Query(description="Only what can be reserved now.")] = False,
    sort: ProductSort = ProductSort.NAME,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
    cursor: Cursor = None,
    has: IfNoneMatch = None,
) -> Response:
    """Return a page of products on sale."""
    _check_range(price_from, price_to)
    page = await services.catalogue.page(
        ProductFilter(category, price_from, price_to, in_stock), sort, limit, cursor
    )
    return _public(services, page.model_dump_json(), has)


@products.get(
    f"/{SKU}",
    operation_id="getProduct",
    response_model=Product,
    responses=UNCHANGED | problems(404, 503),
)
async def get_product(sku: AskedSku, services: Use, has: IfNoneMatch = None) -> Response:
    """Return a product; one that is not on sale any more has `active: false`."""
    product = await services.catalogue.product(sku)
    if product is None:
        raise not_found(f"product {sku}")
    return public(_of_product(product), services.options.public_seconds, has)


async def get_product_directly(request: Request, sku: str) -> Response:
    """Return a product: what `get_product` does, without the framework's way to it."""
    return await get_product(sku, request.app.state.services, request.headers.get("If-None-Match"))


@search_router.get(
    "",
    operation_id="searchProducts",
    response_model=SearchResults,
    responses=UNCHANGED | problems(503),
)
async def search(
    services: Use,
    q: Searched = "",
    category: Annotated[list[Category] | None, Query(max_length=20)] = None,
    price_from: Bound = None,
    price_to: Bound = None,
    in_stock: bool = False,
    sort: Sort = Sort.RELEVANCE,
    offset: Annotated[
        int, Query(ge=0, lt=MAX_WINDOW, description="For a look ahead; `cursor` skips and repeats nothing.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
    cursor: Cursor = None,
    has: IfNoneMatch = None,
) -> Response:
    """Search the products on sale, a letter or two misspelt or not, with counts to narrow the search by."""
    _check_range(price_from, price_to)
    if offset + limit > MAX_WINDOW:
        raise invalid("offset", "range", f"offset and limit must not go beyond {MAX_WINDOW}")
    if offset and cursor is not None:
        raise invalid("offset", "cursor", "goes with no cursor")
    filters = Filters(tuple(category or ()), price_from, price_to, in_stock)
    asked = behind(Search(q, filters, sort, offset, limit), cursor)
    try:
        found = await services.search.search(asked)
    except SearchUnavailableError as error:
        raise unavailable("search") from error
    answer = {
        "hits": found.hits,
        "total": found.total,
        "facets": found.facets,
        "approximate": found.approximate,
        "next_cursor": following(asked, found),
    }
    return _public(services, msgspec.json.encode(answer), has)


@search_router.get(
    "/suggest",
    operation_id="suggestProducts",
    response_model=list[Suggestion],
    responses=UNCHANGED | problems(503),
)
async def suggest(
    services: Use,
    q: Searched,
    limit: Annotated[int, Query(ge=1, le=20)] = 8,
    has: IfNoneMatch = None,
) -> Response:
    """Return products to suggest while a name is being typed, best first."""
    try:
        found = await services.search.suggest(q, limit)
    except SearchUnavailableError as error:
        raise unavailable("search") from error
    return _public(services, msgspec.json.encode(found), has)


async def _answer(services: Services, receipt: Receipt, wait: float | None, status: int = 200) -> Response:
    sku = receipt.record.key
    if receipt.heard is None:
        return accepted(receipt, f"/api/v1/products/{segment(sku)}")
    if receipt.refused:
        raise refusal(receipt)
    snapshot = receipt.heard.message.data
    assert isinstance(snapshot, ProductSnapshot)
    known = await services.catalogue.product(sku)
    product = Product(
        sku=sku,
        name=snapshot.name,
        description=snapshot.description,
        categories=list(snapshot.categories),
        price=snapshot.price,
        currency=snapshot.currency,
        available=known.available if known else 0,
        active=snapshot.active,
        version=receipt.heard.message.aggregate_version,
    )
    return told(product, status, applied(wait))


@products.post(
    "",
    operation_id="createProduct",
    tags=["staff"],
    status_code=201,
    response_model=Product,
    responses={**_ACCEPTED, **problems(401, 403, 409, 413, 415, 503)},
)
async def create_product(
    body: NewProduct, caller: StaffCaller, services: Use, wait: Wait, command_id: CommandId
) -> Response:
    """Put a product on sale."""
    receipt = await services.products.create(caller, body, command_id=command_id, wait=wait)
    return await _answer(services, receipt, wait, 201)


@products.patch(
    f"/{SKU}",
    operation_id="changeProduct",
    tags=["staff"],
    response_model=Product,
    responses={**_ACCEPTED, **problems(401, 403, 404, 409, 413, 415, 503)},
)
async def change_product(
    sku: SkuPath,
    body: ProductChange,
    caller: StaffCaller,
    services: Use,
    wait: Wait,
    command_id: CommandId,
) -> Response:
    """Change the given fields of a product."""
    if not body.model_fields_set or all(value is None for value in body.model_dump().values()):
        raise invalid("body", "empty_update", "gives no field to change")
    receipt = await services.products.change(caller, sku, body, command_id=command_id, wait=wait)
    return await _answer(services, receipt, wait)


@products.delete(
    f"/{SKU}",
    operation_id="deleteProduct",
    tags=["staff"],
    response_model=Product,
    responses={**_ACCEPTED, **problems(401, 403, 404, 409, 503)},
)
async def delete_product(
    sku: SkuPath, caller: StaffCaller, services: Use, wait: Wait, command_id: CommandId
) -> Response:
    """Take a product off sale; its stock and its orders stay."""
    receipt = await services.products.delete(caller, sku, command_id=command_id, wait=wait)
    return await _answer(services, receipt, wait)
