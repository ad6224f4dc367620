"""Finding products, and looking at one."""

import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from markupsafe import escape
from starlette.responses import HTMLResponse, Response

from api.auth.caller import AnyCaller
from api.names import SKU
from api.pages.rendering import page
from api.pages.route import ShopWindowRoute
from api.problems import not_found, unavailable
from api.product.models import AskedSku
from api.product.places import behind, following
from api.services import Use
from sinks.search.backend import MAX_LIMIT, Filters, SearchUnavailableError, Sort
from sinks.search.backend import Query as Search

router = APIRouter(route_class=ShopWindowRoute, include_in_schema=False)

PAGE_SIZE = 24
_SORTS = (
    (Sort.PRICE_UP, "Price, low to high"),
    (Sort.PRICE_DOWN, "Price, high to low"),
    (Sort.NAME, "Name"),
    (Sort.NEWEST, "Newest"),
)
# As far as one search goes; who scrolls further and comes back begins there.
_MOST_SHOWN = MAX_LIMIT // PAGE_SIZE * PAGE_SIZE
_PRICE = re.compile(r"[0-9]{1,12}-[0-9]{0,12}")
_DIGITS = 9
_YES = ("1", "true", "on", "yes")


@router.get("/")
async def catalogue(
    request: Request,
    services: Use,
    caller: AnyCaller,
    q: Annotated[str, Query(max_length=200)] = "",
    category: Annotated[list[str] | None, Query(max_length=50)] = None,
    price: str = "",
    sort: str = "",
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
    above: str = "",
    shown: str = "",
    *,
    in_stock: str = "",
    tiles: str = "",
) -> Response:
    """Show the products that match; with `tiles`, only the next ones of an endless list.

    They go on behind a `cursor`, whatever came or went; `above` says how many there are before it. `shown`
    products are there at once: who comes back to a long list finds the place. A filter that says
    nothing, from an old or mistyped link, is left out.
    """
    order = Sort(sort) if sort in tuple(Sort) else Sort.RELEVANCE
    price = price if _PRICE.fullmatch(price) else ""
    size = max(PAGE_SIZE, _number(shown, _MOST_SHOWN))
    available = in_stock.lower() in _YES
    low, _, high = price.partition("-")
    chosen = tuple(category or ())
    filters = Filters(chosen, int(low) if low else None, int(high) - 1 if high else None, available)
    asked = behind(Search(q, filters, order, limit=size), cursor)
    try:
        results = await services.search.search(asked)
    except SearchUnavailableError as error:
        raise unavailable("the search") from error
    more = following(asked, results)
    reached = _number(above, _MOST_SHOWN) + len(results.hits)
    again = [("q", q), *(("category", each) for each in chosen), ("price", price), ("sort", order)]
    if available:
        again.append(("in_stock", "1"))
    answer = page(
        request,
        "_tiles.html" if tiles.lower() in _YES else "catalogue.html",
        caller,
        query_text=q,
        results=results,
        categories=chosen,
        price=price,
        price_from=int(low) if low else None,
        sort=order,
        # Without words all match equally, and what is sold most comes first.
        sorts=((Sort.RELEVANCE, "Best match" if q.strip() else "Bestsellers"), *_SORTS),
        in_stock=available,
        filtered=bool(chosen or price or available),
        chosen_filters=len(chosen) + bool(price) + available,
        currency=services.settings.currency,
        next_url="/?" + urlencode([*again, ("cursor", more), ("above", reached), ("tiles", "1")])
        if more
        else None,
    )
    if tiles.lower() in _YES:
        # The address tells how far the list is open, so that whoever comes back finds the place.
        answer.headers["HX-Replace-Url"] = "/?" + urlencode([*again, ("shown", min(reached, _MOST_SHOWN))])
    return answer


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


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
