import asyncio

from sinks.search.fresh import Fresh
from tests.eventually import eventually_async


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
    await eventually_async(fresh.value, lambda value: value == "made 2")
    await fresh.close()


async def test_who_needs_the_newest_waits_for_it_and_many_for_one_making() -> None:
    made: list[int] = []

    async def make() -> int:
        await asyncio.sleep(0)
        made.append(len(made))
        return made[-1]

    fresh = Fresh(make, seconds=1000)
    assert await fresh.value() == 0
    assert not await fresh.renew(1000), "it is young enough"
    assert all(await asyncio.gather(*(fresh.renew(0) for _ in range(20))))
    assert await fresh.value() == 1
    assert made == [0, 1]
