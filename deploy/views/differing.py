"""Every view against the topics that feed it, row by row, for commands that want one word on all."""

import asyncio
from collections.abc import Iterator

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from deploy.errors import CommandError
from deploy.views.quiet import warnings_only
from sinks.verify.sides import Unreadable
from sinks.verify.verify import Verification
from sinks.views import Server, choose
from topics.settings import Settings


def differing(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each key in which a view differs from its topics, and how, and last how many more there are.

    Raises CommandError where a server does not answer.
    """
    for server in Server:
        if server is Server.ELASTICSEARCH and not settings.elasticsearch:
            continue
        try:
            with warnings_only():
                findings = asyncio.run(Verification(settings, choose(server)).run())
        except (Unreadable, KafkaError, KafkaException) as error:
            raise CommandError(f"{server}: {str(error).strip().partition(chr(10))[0]}") from error
        for each in findings.differences:
            yield f"{each.view} {each.key}", f"is {each.kind} in {server}: its topics say otherwise"
        if findings.more:
            yield f"{server}", f"{findings.more} more keys differ"
