"""The broker as commands need it: there, or a clear word that it is not."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaException

from deploy.errors import CommandError
from topics.credentials import KafkaLoginError
from topics.login import listens, refuse_wrong_login
from topics.schema_topic import other_releases
from topics.settings import Settings


@contextmanager
def broker(settings: Settings) -> Iterator[None]:
    """Run a block that talks to Kafka; raises CommandError where no server answers, or one refuses us.

    The connection is tried first, because clients retry a server that is down for much longer.
    """
    if not any(listens(server) for server in settings.kafka_bootstrap.split(",")):
        raise CommandError(f"no Kafka answers at {settings.kafka_bootstrap}: start it with `ecommerce up`")
    try:
        refuse_wrong_login(settings)
        with other_releases(settings):
            yield
    except KafkaLoginError as error:
        raise CommandError(str(error)) from error
    except KafkaException as error:
        raise CommandError(f"Kafka at {settings.kafka_bootstrap}: {error.args[0].str()}") from error
