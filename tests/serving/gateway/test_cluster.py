import asyncio

from serving.gateway.catalog import Catalog
from serving.gateway.cluster import ClusterDiscovery, _Read


async def test_a_catalog_that_is_not_taken_up_keeps_no_later_one_away() -> None:
    seen: asyncio.Queue[Catalog] = asyncio.Queue()

    def on_change(catalog: Catalog) -> None:
        seen.put_nowait(catalog)
        if seen.qsize() == 1:
            raise RuntimeError("once")

    discovery = ClusterDiscovery(None, on_change)
    building = asyncio.create_task(discovery._build_for_ever(lambda: _Read((), ())))
    try:
        async with asyncio.timeout(10):
            while seen.qsize() < 2:
                assert not discovery.synced
                discovery._news.set()
                await asyncio.sleep(0.01)
            await asyncio.sleep(0)
        assert discovery.synced
        assert discovery.catalog.generation == 1
    finally:
        building.cancel()
        await asyncio.gather(building, return_exceptions=True)
