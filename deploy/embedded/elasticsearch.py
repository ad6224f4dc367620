"""Elasticsearch runs outside the platform, at the address of a setting; here it is only asked."""

import httpx

from deploy.processes.process import External, NotReadyError
from topics.redaction import redacted, shown


def external(url: str) -> External:
    """Return the Elasticsearch that runs at `url`."""
    return External(
        name="elasticsearch",
        title="Elasticsearch",
        address=shown(url),
        ready=lambda: serves(url),
        setting="ECOMMERCE_ELASTICSEARCH",
    )


def serves(url: str) -> None:
    """Return when the cluster takes reads and writes; raise NotReadyError where not."""
    try:
        health = httpx.get(f"{url}/_cluster/health", timeout=5)
        health.raise_for_status()
    except httpx.HTTPError as error:
        raise NotReadyError(f"no answer from Elasticsearch: {redacted(str(error))}") from error
    status = health.json()["status"]
    if status == "red":
        raise NotReadyError("the Elasticsearch cluster is red")
