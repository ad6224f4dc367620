"""Running the gateway and the simulated provider as processes.

Each function loads only its own process's half: the gateway has no HTTP server, the provider no Kafka client.
"""

from topics.settings import Settings


def run_gateway(settings: Settings) -> None:
    """Run the payment gateway until SIGINT or SIGTERM; then finish what is under way.

    Raises aiokafka's errors where the broker cannot be reached.
    """
    from connectors.payments.serve import serve  # noqa: PLC0415 - see above

    serve(settings)


def run_simulator(settings: Settings) -> None:
    """Serve the simulated provider at its port until SIGINT or SIGTERM.

    Raises SystemExit where the port is taken.
    """
    from connectors.payments.simulator.serve import serve  # noqa: PLC0415 - see above

    serve(settings)
