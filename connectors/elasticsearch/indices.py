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
    """Delete what the alias stands for, and the template; does nothing where there is neither."""
    behind = await client.options(ignore_status=404).indices.get_alias(name=index.alias)
    if behind.meta.status == _OK:
        await client.indices.delete(index=list(behind))
    await client.options(ignore_status=404).indices.delete_index_template(name=index.alias)


async def _check(client: AsyncElasticsearch, index: Index) -> None:
    for name, found in (await client.indices.get_mapping(index=index.alias)).items():
        if found["mappings"].get("_meta", {}).get("declaration") != index.declaration:
            raise OutdatedIndexError(
                f"{name} was made by another version: run `ecommerce rebuild elasticsearch`"
            )


async def swap(client: AsyncElasticsearch, index: Index, name: str) -> None:
    """Let the alias stand for index `name` from now on, in one step, and delete what it stood for."""
    old = [
        each
        for each in (await client.indices.get_alias(name=index.alias, allow_no_indices=True))
        if each != name
    ]
    await client.indices.refresh(index=name)
    await client.indices.update_aliases(
        actions=[
            *({"remove_index": {"index": each}} for each in old),
            {"add": {"index": name, "alias": index.alias, "is_write_index": True}},
        ]
    )
