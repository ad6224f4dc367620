"""Creating indices behind their aliases, and putting another index in an alias's place."""

from elasticsearch import AsyncElasticsearch, BadRequestError

from connectors.elasticsearch.index import Index


async def create(client: AsyncElasticsearch, index: Index) -> None:
    """Create the index with its alias where there is none; does nothing where there is one."""
    if await client.indices.exists_alias(name=index.alias):
        return
    try:
        await client.indices.create(
            index=index.first,
            mappings=index.mappings,
            settings=index.settings,
            aliases={index.alias: {"is_write_index": True}},
        )
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise


async def create_beside(client: AsyncElasticsearch, index: Index, name: str) -> None:
    """Create an index of this declaration under `name`, without an alias."""
    await client.indices.create(index=name, mappings=index.mappings, settings=index.settings)


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
