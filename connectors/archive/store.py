"""The archive's files: a folder, or a bucket of S3's, under one interface."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from connectors.archive.layout import Stretch, folder, stretch_of

FAILURES = (BaseError, OSError)
"""What a store raises that does not answer. Taken names are no failure: `create` tells of them."""

_TOPIC = folder("")


class ArchiveStore:
    """An archive at a URL: a folder's path, `s3://bucket/prefix`, or another that obstore knows.

    Credentials and endpoint of S3 are read from the usual variables (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`,
    ...). With `make`, a folder that is not there is made. Raises one of `FAILURES`, or ValueError for a URL
    of no known kind.
    """

    def __init__(self, url: str, *, make: bool = True) -> None:
        self.url = url
        self._store: ObjectStore = (
            from_url(url) if "://" in url else LocalStore(Path(url).absolute(), mkdir=make)
        )

    async def create(self, stretch: Stretch, file: bytes) -> bool:
        """Write a file that is not there yet, whole or not at all; False where there is one."""
        try:
            await self._store.put_async(stretch.path, file, mode="create")
        except AlreadyExistsError:
            return False
        return True

    async def get(self, stretch: Stretch) -> bytes:
        """Return a file. Raises FileNotFoundError where it is not there."""
        answer = await self._store.get_async(stretch.path)
        return bytes(await answer.bytes_async())

    def read(self, stretch: Stretch) -> bytes:
        """Do the same, waiting."""
        return bytes(self._store.get(stretch.path).bytes())

    async def of_topic(self, topic: str) -> AsyncIterator[Stretch]:
        """Yield a topic's files, in no order."""
        async for page in self._store.list(folder(topic)):
            for each in page:
                if (found := stretch_of(each["path"])) is not None:
                    yield found

    def stretches(self, topic: str) -> list[Stretch]:
        """Return a topic's files in the order of their partitions and offsets."""
        found = (stretch_of(each["path"]) for page in self._store.list(folder(topic)) for each in page)
        return sorted(stretch for stretch in found if stretch is not None)

    def topics(self) -> Iterator[str]:
        """Yield the topics that have files."""
        for prefix in self._store.list_with_delimiter()["common_prefixes"]:
            if prefix.startswith(_TOPIC):
                yield prefix.removeprefix(_TOPIC).rstrip("/")
