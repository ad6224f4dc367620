"""`ecommerce provider`: the simulated payment provider."""

from connectors.payments.run import run_simulator
from connectors.payments.simulator.serve import KeyMissingError
from deploy.errors import CommandError
from topics.settings import settings


def provider() -> None:
    """Run the simulated payment provider, a real HTTP service whose outcomes the card decides."""
    try:
        run_simulator(settings())
    except KeyMissingError as error:
        raise CommandError(str(error), 2) from error
