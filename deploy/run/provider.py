"""`ecommerce provider`: the simulated payment provider."""

from connectors.payments.provider.run import run

from topics.settings import settings


def provider() -> None:
    """Run the simulated payment provider, a real HTTP service whose outcomes the card decides."""
    run(settings())
