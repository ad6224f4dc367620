"""Finding products, and looking at one."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from markupsafe import escape
from starlette.responses import HTMLResponse, Response

from api.auth.caller import AnyCaller
from api.catalogue.models import AskedSku
from api.names import SKU
from api.pages.rendering import page
from api.pages.route import ShopWindowRoute
from api.problems import not_found, unavailable
from api.services import Use
from sinks.search.backend import MAX_WINDOW, Filters, SearchUnavailableError, Sort
from sinks.search.backend import Query as Search

router = APIRouter(route_class=ShopWindowRoute, include_in_schema=False)

PAGE_SIZE = 24
_SORTS = (
    (Sort.PRICE_UP, "Price, low to high"),
    (Sort.PRICE_DOWN, "Price, high to low"),
    (Sort.NAME, "Name"),
    (Sort.NEWEST, "Newest"),
)
_LAST_OFFSET = MAX_WINDOW - PAGE_SIZE


@router.get("/")
async def catalogue(
    request: Request,
    services: Use,
    caller: AnyCaller,
    q: Annotated[str, Query(max_length=200)] = "",
    category: Annotated[list[str] | None, Query(max_length=50)] = None,
    price: Annotated[str, Query(pattern=r"^(\d{1,12}-\d{0,12})?$")] = "",
    sort: Sort | None = None,
    offset: Annotated[int, Query(ge=0, le=_LAST_OFFSET)] = 0,
    *,
    in_stock: bool = False,
    tiles: bool = False,
) -> Response:
    """Show the products that match; with `tiles`, only the next ones of an endless list."""
    sort = sort or Sort.RELEVANCE
    low, _, high = price.partition("-")
    chosen = tuple(category or ())
    filters = Filters(chosen, int(low) if low else None, int(high) - 1 if high else None, in_stock)
    try:
        results = await services.search.search(Search(q, filters, sort, offset, PAGE_SIZE))
    except SearchUnavailableError as error:
        raise unavailable("the search") from error
    following = offset + len(results.hits)
    more = following < min(results.total, _LAST_OFFSET)
    again = [("q", q), *(("category", each) for each in chosen), ("price", price), ("sort", sort)]
    if in_stock:
        again.append(("in_stock", "1"))
    return page(
        request,
        "_tiles.html" if tiles else "catalogue.html",
        caller,
        query_text=q,
        results=results,
        categories=chosen,
        price=price,
        price_from=int(low) if low else None,
        sort=sort,
        # Without words all match equally, and what is sold most comes first.
        sorts=((Sort.RELEVANCE, "Best match" if q.strip() else "Bestsellers"), *_SORTS),
        in_stock=in_stock,
        filtered=bool(chosen or price or in_stock),
        currency=services.settings.currency,
        next_url="/?" + urlencode([*again, ("offset", following), ("tiles", "1")]) if more else None,
    )


@router.get("/suggestions")
async def suggestions(services: Use, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Return product names to choose from while one is being typed."""
    try:
        found = await services.search.suggest(q) if q.strip() else ()
    except SearchUnavailableError:
        found = ()
    return HTMLResponse("".join(f'<option value="{escape(each.name)}">' for each in found))


@router.get(f"/products/{SKU}")
async def product(request: Request, services: Use, caller: AnyCaller, sku: AskedSku) -> Response:
    """Show one product."""
    found = await services.catalogue.product(sku)
    if found is None:
        raise not_found(f"product {sku}")
    return page(request, "product.html", caller, product=found)
