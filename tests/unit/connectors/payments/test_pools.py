"""Small pools: the first with room serves; none is left out when all are busy."""

import asyncio

import httpx

from connectors.payments.pools import POOL_SIZE, PooledTransport


class Pool(httpx.AsyncHTTPTransport):
    """A pool whose requests wait to be let go."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self.closed = False
        self.gate = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        await self.gate.wait()
        return httpx.Response(204, request=request)

    async def aclose(self) -> None:
        self.closed = True
        await super().aclose()


async def test_a_busy_pool_leaves_requests_to_the_next() -> None:
    transport = PooledTransport(POOL_SIZE + 1)
    assert len(transport._pools) == 2
    pools = [Pool(), Pool()]
    transport._pools[:] = pools
    async with httpx.AsyncClient(transport=transport) as client:
        asked = [asyncio.create_task(client.get("http://provider")) for _ in range(2 * POOL_SIZE + 1)]
        async with asyncio.timeout(5):
            while sum(pool.requests for pool in pools) < len(asked):  # noqa: ASYNC110 - counts, not a flag
                await asyncio.sleep(0)
            assert [pool.requests for pool in pools] == [POOL_SIZE + 1, POOL_SIZE]
            for pool in pools:
                pool.gate.set()
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {204}
            await client.get("http://provider")
    assert [pool.requests for pool in pools] == [POOL_SIZE + 2, POOL_SIZE]
    assert all(pool.closed for pool in pools)
