"""The way in to Kafka in Faust's words."""

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from topics.connection import connection
from topics.settings import Settings


def broker_credentials(settings: Settings) -> CredentialsT | None:
    """Return what Faust logs in to Kafka with; None where nobody asks for anything."""
    way = connection(settings)
    context = way.ssl_context()
    if way.with_login:
        return SASLCredentials(
            username=way.user,
            password=way.password.get_secret_value(),
            mechanism=way.mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None
