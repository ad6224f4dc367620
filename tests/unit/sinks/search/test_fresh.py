import asyncio

from sinks.search.fresh import Fresh


async def test_an_old_value_serves_while_the_next_is_made_and_where_that_fails() -> None:
    made: list[str] = []
    release = asyncio.Event()

    async def make() -> str:
        if made:
            await release.wait()
        made.append(f"made {len(made)}")
        if len(made) == 2:
            raise OSError("away")
        return made[-1]

    fresh = Fresh(make, seconds=0.0)
    assert await fresh.value() == "made 0"
    assert await fresh.value() == "made 0", "nobody waits for the next"
    assert await fresh.value() == "made 0"
    release.set()
    async with asyncio.timeout(10):
        while await fresh.value() != "made 2":
            await asyncio.sleep(0)
    await fresh.close()
