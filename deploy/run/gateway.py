"""`ecommerce payment-gateway`: payment instructions in, the provider's outcomes out."""

from connectors.payments.run import run_gateway
from topics.login import refuse_wrong_login
from topics.schema_topic import other_releases
from topics.settings import settings


def gateway() -> None:
    """Run the payment gateway between the payment topics and the provider's HTTP service."""
    refuse_wrong_login(settings())
    with other_releases(settings()):
        run_gateway(settings())
