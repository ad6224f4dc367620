"""`ecommerce provider`: the simulated payment provider."""

from connectors.payments.run import run_simulator
from topics.settings import settings


def provider() -> None:
    """Run the simulated payment provider, a real HTTP service whose outcomes the card decides."""
    run_simulator(settings())
