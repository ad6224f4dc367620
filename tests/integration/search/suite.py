"""How every search back end behaves. A back end's test class inherits it and gives `backend`."""

import unicodedata
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import pytest

from schemas.product import ProductSnapshot
from sinks.search.backend import (
    PRICE_STEPS,
    CategoryCount,
    Facets,
    Filters,
    Query,
    Results,
    SearchBackend,
    Sort,
    Suggestion,
)
from tests.integration.search.catalogue import PRODUCTS
from tests.unit.sinks.messages import product

Put = Callable[[Mapping[str, ProductSnapshot]], Awaitable[None]]
"""Writes products into the views, as a later version of what they have."""

# A name, and what else somebody may type who looks for it.
NAMES: dict[str, tuple[str, ...]] = {
    "إبريق شاي أزرق": ("ابريق", "ازرق شاي"),
    "مُخَدّة كبيرة": ("مخدة",),
    "فانوس ١٢ شمعة": ("12 شمعة",),
    "파란 도자기 찻잔": ("도자기", "파란 찻"),
    "ガラスのコップ ペンギン柄": ("ガラスのコップ", "ペンギン", "ペンギン"),
    "मिट्टी की हांडी": ("मिट्टी", "हांडी"),
    "Їжачок м'який": ("їжачок", "ЇЖАЧОК", "м'який"),
    "IŞIKLI İNCİ KOLYE": ("ışıklı inci", "isikli"),
    "½ pint Krug": ("1/2 pint krug", "1⁄2 krug"),
    "1½ litre Kanne": ("1 1/2 litre kanne",),
    "Teppich 2 m²": ("teppich 2 m2", "teppich m²"),
    "Donau\u00addampf\u00adschiff": ("donaudampfschiff",),
    "نمی\u200cدانم": ("نمیدانم",),
    "Ｆｕｌｌｗｉｄｔｈ Ｋａｎｎｅ": ("fullwidth kanne",),
    "ﬁne Straße Øre": ("fine strasse", "STRASSE ore"),
    "Cafetie\u0300re": ("cafetière", "cafetiere"),
}


def others_of(name: str) -> list[str]:
    """Return a name as other keyboards and programs write it, and each of its longer words."""
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    return [*forms, name.upper(), *(word for word in name.split() if len(word) > 3)]


ON_SALE = {sku for sku, data in PRODUCTS.items() if data.active}


def skus(results: Results) -> list[str]:
    return [hit.sku for hit in results.hits]


class SearchSuite:
    async def test_without_text_every_product_on_sale_is_a_hit(self, backend: SearchBackend) -> None:
        results = await backend.search(Query())
        assert set(skus(results)) == ON_SALE
        assert results.total == len(ON_SALE)

    async def test_a_hit_carries_price_currency_and_what_is_left(self, backend: SearchBackend) -> None:
        (hit,) = (await backend.search(Query(text="85123A"))).hits
        assert (hit.sku, hit.price, hit.currency, hit.available) == ("85123A", 255, "GBP", 12)
        assert hit.categories == ("Lighting", "Hearts")

    async def test_a_product_whose_stock_was_never_counted_has_nothing_left(
        self, backend: SearchBackend
    ) -> None:
        (hit,) = (await backend.search(Query(text="22910"))).hits
        assert hit.available == 0

    async def test_every_word_must_match(self, backend: SearchBackend) -> None:
        assert set(skus(await backend.search(Query(text="hanging heart")))) == {"85123A", "21733"}
        assert set(skus(await backend.search(Query(text="white hanging")))) == {"85123A"}
        assert skus(await backend.search(Query(text="lantern zeppelin"))) == []

    @pytest.mark.parametrize("text", ["LANTERN", "lanterns", "the lantern", "  lantern!! "])
    async def test_words_match_whatever_their_case_number_and_company(
        self, backend: SearchBackend, text: str
    ) -> None:
        assert skus(await backend.search(Query(text=text))) == ["71053"]

    async def test_the_beginning_of_a_word_matches(self, backend: SearchBackend) -> None:
        assert set(skus(await backend.search(Query(text="chri")))) == {"22086", "22910"}
        assert skus(await backend.search(Query(text="t-light red"))) == ["21733"]

    async def test_the_description_and_the_categories_are_searched_too(self, backend: SearchBackend) -> None:
        assert skus(await backend.search(Query(text="candle"))) == ["21733"]
        assert skus(await backend.search(Query(text="warmth"))) == ["84029G"]

    async def test_a_match_in_the_name_comes_before_one_in_a_category(self, backend: SearchBackend) -> None:
        results = await backend.search(Query(text="light"))
        assert set(skus(results)) == {"85123A", "21733", "71053"}
        assert skus(results)[-1] == "71053"

    @pytest.mark.parametrize("text", ["lantren", "lanturn", "lantrn", "latern", "whtie lantern", "lanternn"])
    async def test_misspelt_words_find_what_was_meant(self, backend: SearchBackend, text: str) -> None:
        found = await backend.search(Query(text=text))
        assert skus(found) == ["71053"]
        assert found.approximate

    async def test_what_is_found_as_typed_is_not_approximate(self, backend: SearchBackend) -> None:
        assert not (await backend.search(Query(text="lantern"))).approximate
        assert not (await backend.search(Query(text="zeppelin"))).approximate

    async def test_other_words_for_it_and_words_joined_or_parted_find_it(
        self, backend: SearchBackend
    ) -> None:
        assert skus(await backend.search(Query(text="tealight red"))) == ["21733"]
        assert set(skus(await backend.search(Query(text="xmas kit")))) == {"22086", "22910"}
        assert skus(await backend.search(Query(text="lan tern"))) == ["71053"]
        assert skus(await backend.search(Query(text="waterbottle"))) == ["84029G"]

    async def test_accents_do_not_matter(self, backend: SearchBackend) -> None:
        assert skus(await backend.search(Query(text="lántèrn"))) == ["71053"]

    async def test_a_misspelt_search_is_filtered_and_counted_like_any_other(
        self, backend: SearchBackend
    ) -> None:
        results = await backend.search(Query(text="chrstmas papr", filters=Filters(in_stock=True)))
        assert skus(results) == ["22086"]
        assert results.total == 1

    @pytest.mark.parametrize(
        "text", ["zeppelin", "xq", "%", "'; DROP TABLE products; --", "!&|()<->:*", "\x00"]
    )
    async def test_whatever_is_typed_is_only_searched_for(self, backend: SearchBackend, text: str) -> None:
        results = await backend.search(Query(text=text))
        assert results.total == (len(ON_SALE) if text == "\x00" else 0)
        assert (await backend.search(Query())).total == len(ON_SALE)

    async def test_a_product_off_sale_is_never_found(self, backend: SearchBackend) -> None:
        assert skus(await backend.search(Query(text="retired"))) == []
        assert await backend.suggest("retired") == ()

    async def test_highlights_are_safe_html(self, backend: SearchBackend) -> None:
        (hit,) = (await backend.search(Query(text="vintage christmas"))).hits
        assert hit.highlight == "Paper chain kit <mark>vintage</mark> &lt;<mark>Christmas</mark>&gt;"

    async def test_a_word_in_pointed_brackets_is_a_word(self, backend: SearchBackend) -> None:
        assert set(await backend.suggest("vintage chr")) == {Suggestion("22910", PRODUCTS["22910"].name)}

    async def test_without_text_the_highlight_is_the_name(self, backend: SearchBackend) -> None:
        hits = {hit.sku: hit.highlight for hit in (await backend.search(Query())).hits}
        assert hits["22910"] == "Paper chain kit vintage &lt;Christmas&gt;"

    async def test_filters_by_category_price_and_stock(self, backend: SearchBackend) -> None:
        async def found(filters: Filters) -> set[str]:
            return set(skus(await backend.search(Query(filters=filters))))

        assert await found(Filters(categories=("Christmas",))) == {"22086", "22910"}
        assert await found(Filters(categories=("Christmas", "Warmth"))) == {"22086", "22910", "84029G"}
        assert await found(Filters(price_from=250, price_to=339)) == {"22910", "85123A", "71053"}
        assert await found(Filters(in_stock=True)) == {"85123A", "84029G", "22086", "21733"}
        assert await found(Filters(categories=("Lighting",), price_to=300, in_stock=True)) == {"85123A"}

    async def test_sorts_by_price_name_and_age(self, backend: SearchBackend) -> None:
        async def sorted_by(sort: Sort) -> list[str]:
            return skus(await backend.search(Query(sort=sort)))

        by_price = ["22086", "22910", "85123A", "71053", "84029G", "21733"]
        assert await sorted_by(Sort.PRICE_UP) == by_price
        assert await sorted_by(Sort.PRICE_DOWN) == by_price[::-1]
        assert await sorted_by(Sort.NAME) == ["84029G", "22086", "22910", "21733", "85123A", "71053"]
        assert await sorted_by(Sort.NEWEST) == ["21733", "22910", "22086", "84029G", "71053", "85123A"]

    async def test_pages_follow_each_other_and_end(self, backend: SearchBackend) -> None:
        async def page(offset: int) -> list[str]:
            results = await backend.search(Query(sort=Sort.PRICE_UP, offset=offset, limit=4))
            assert results.total == len(ON_SALE)
            return skus(results)

        assert await page(0) == ["22086", "22910", "85123A", "71053"]
        assert await page(4) == ["84029G", "21733"]
        assert await page(8) == []

    @pytest.mark.parametrize("sort", Sort)
    async def test_what_lies_behind_a_place_is_neither_shifted_nor_repeated(
        self, backend: SearchBackend, put: Put, sort: Sort
    ) -> None:
        first = await backend.search(Query(sort=sort, limit=2))
        (gone, _) = skus(first)
        shown = [*skus(first)]
        await put({gone: msgspec.structs.replace(PRODUCTS[gone], active=False)})
        following = first.following
        while following is not None:
            page = await backend.search(Query(sort=sort, limit=2, after=following))
            assert page.total == len(ON_SALE) - 1
            shown += skus(page)
            following = page.following
        assert sorted(shown) == sorted(ON_SALE)

    async def test_names_of_all_scripts_are_found_by_their_own_words(
        self, backend: SearchBackend, put: Put
    ) -> None:
        await put({f"N{number}": product(name) for number, name in enumerate(NAMES)})
        for number, (name, others) in enumerate(NAMES.items()):
            for text in (name, *others, *others_of(name)):
                assert f"N{number}" in skus(await backend.search(Query(text=text))), text
            assert f"N{number}" in [each.sku for each in await backend.suggest(name)], name

    @pytest.mark.parametrize("text", ["%", "'", "-", "\U0001f600", "\u2764\ufe0f", "\x00%"])
    async def test_what_is_no_word_is_found_nowhere(self, backend: SearchBackend, text: str) -> None:
        results = await backend.search(Query(text=text))
        assert (results.hits, results.total, results.following) == ((), 0, None)
        assert [each.price_from for each in results.facets.prices] == list(PRICE_STEPS)

    @pytest.mark.parametrize("text", ["", "  ", "\u200b", "\u00ad "])
    async def test_what_cannot_be_seen_asks_for_nothing(self, backend: SearchBackend, text: str) -> None:
        assert (await backend.search(Query(text=text))).total == len(ON_SALE)

    async def test_the_category_facet_counts_what_the_other_filters_leave(
        self, backend: SearchBackend
    ) -> None:
        async def counted(query: Query) -> tuple[CategoryCount, ...]:
            facets: Facets = (await backend.search(query)).facets
            return facets.categories

        assert await counted(Query()) == (
            CategoryCount("Lighting", 3),
            CategoryCount("Christmas", 2),
            CategoryCount("Hearts", 2),
            CategoryCount("Paper", 2),
            CategoryCount("Warmth", 1),
        )
        narrowed = Query(text="paper", filters=Filters(categories=("Hearts",), in_stock=True))
        assert await counted(narrowed) == (CategoryCount("Christmas", 1), CategoryCount("Paper", 1))

    async def test_the_price_facet_counts_what_the_other_filters_leave(self, backend: SearchBackend) -> None:
        results = await backend.search(Query(filters=Filters(categories=("Lighting",), price_to=1)))
        prices = results.facets.prices
        assert [each.price_from for each in prices] == list(PRICE_STEPS)
        assert [each.price_below for each in prices] == [*PRICE_STEPS[1:], None]
        assert [each.count for each in prices] == [0, 0, 2, 0, 0, 1]

    async def test_suggests_while_typing(self, backend: SearchBackend) -> None:
        async def suggested(prefix: str) -> list[str]:
            return [each.sku for each in await backend.suggest(prefix)]

        assert set(await suggested("lan")) == {"71053"}
        assert set(await suggested("hanging h")) == {"85123A", "21733"}
        assert await suggested("paper ch") == ["22086", "22910"], "what can be bought comes first"
        assert await suggested("lantren") == ["71053"]
        assert set(await suggested("chirst")) == {"22086", "22910"}, "misspelt before it is whole"
        assert await suggested("zeppelin") == []
        assert await suggested(" ") == []

    async def test_suggests_no_more_than_asked(self, backend: SearchBackend) -> None:
        assert len(await backend.suggest("p", limit=1)) == 1
