"""Creating indices behind their aliases, and putting another index in an alias's place."""

from elasticsearch import AsyncElasticsearch, BadRequestError

from connectors.elasticsearch.index import Index

_OK = 200
_PRIORITY = 200
"""Above the templates that Elasticsearch brings along."""


class OutdatedIndexError(Exception):
    """The index was made by another declaration: it has to be rebuilt before it takes documents."""


async def create(client: AsyncElasticsearch, index: Index) -> None:
    """Create the index with its alias where there is none, from a template that others may use as well.

    Raises OutdatedIndexError where there is one of another declaration.
    """
    if await client.indices.exists_alias(name=index.alias):
        await _check(client, index)
        await _settle(client, index)
        return
    await client.indices.put_index_template(
        name=index.alias, index_patterns=[f"{index.alias}-*"], template=index.body, priority=_PRIORITY
    )
    try:
        await client.indices.create(
            index=index.first, **index.body, aliases={index.alias: {"is_write_index": True}}
        )
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise


async def create_beside(client: AsyncElasticsearch, index: Index, name: str) -> None:
    """Create an index of this declaration under `name`, without an alias."""
    await client.indices.create(index=name, **index.body)


async def drop(client: AsyncElasticsearch, index: Index) -> None:
    """Delete what the alias stands for, what swaps have kept, and the template, as far as they are there."""
    if names := [*await _behind(client, index.alias), *await old(client, index)]:
        await client.indices.delete(index=names)
    await client.options(ignore_status=404).indices.delete_index_template(name=index.alias)


async def _settle(client: AsyncElasticsearch, index: Index) -> None:
    """Give the index that stands the settings of its declaration that may change."""
    wanted = {f"index.{name}": str(value) for name, value in index.changeable.items()}
    for name, found in (await client.indices.get_settings(index=index.alias, flat_settings=True)).items():
        if any(found["settings"].get(setting) != value for setting, value in wanted.items()):
            await client.indices.put_settings(index=name, settings=wanted)


async def _check(client: AsyncElasticsearch, index: Index) -> None:
    for name, found in (await client.indices.get_mapping(index=index.alias)).items():
        if found["mappings"].get("_meta", {}).get("declaration") != index.declaration:
            raise OutdatedIndexError(
                f"{name} was made by another version: run `ecommerce views rebuild elasticsearch`"
            )


async def swap(client: AsyncElasticsearch, index: Index, name: str) -> None:
    """Let the alias stand for index `name` from now on, in one step; what it stood for is kept as old."""
    before = [each for each in await _behind(client, index.alias) if each != name]
    await client.indices.refresh(index=name)
    await client.indices.update_aliases(
        actions=[
            *({"remove": {"index": each, "alias": index.alias}} for each in before),
            *({"add": {"index": each, "alias": _old(index)}} for each in before),
            {"add": {"index": name, "alias": index.alias, "is_write_index": True}},
        ]
    )


async def old(client: AsyncElasticsearch, index: Index) -> list[str]:
    """Return the indices that swaps have kept."""
    return await _behind(client, _old(index))


async def drop_old(client: AsyncElasticsearch, index: Index) -> None:
    """Delete the indices that swaps have kept; does nothing where there are none."""
    if kept := await old(client, index):
        await client.indices.delete(index=kept)


async def drop_strays(client: AsyncElasticsearch, index: Index) -> None:
    """Delete what interrupted rebuilds have left: the alias's numbered indices that no alias stands for."""
    found = await client.indices.get_alias(index=f"{index.alias}-*", allow_no_indices=True)
    strays = [
        name
        for name, each in found.items()
        if not each["aliases"] and name.removeprefix(f"{index.alias}-").isdigit()
    ]
    if strays:
        await client.indices.delete(index=strays)


async def _behind(client: AsyncElasticsearch, alias: str) -> list[str]:
    answer = await client.options(ignore_status=404).indices.get_alias(name=alias)
    return sorted(answer) if answer.meta.status == _OK else []


def _old(index: Index) -> str:
    return f"{index.alias}-old"
