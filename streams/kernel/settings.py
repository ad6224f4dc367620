"""How a worker behaves in its group and towards itself, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """Every field is read from `ECOMMERCE_WORKER_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_WORKER_", extra="ignore")

    # A rebalance waits up to 60 s for a member that does not answer: that is nobody's standstill.
    standstill_seconds: float = Field(
        default=90.0,
        gt=0,
        description="How long nothing may move in a worker that has something to do, before it ends itself.",
    )
    standbys: int = Field(
        default=0,
        ge=0,
        description="How many other workers follow each partition's state, so that one of them can take over "
        "without restoring it; the same for all workers. Never more than there are others.",
    )
    leaves_group: bool = Field(
        default=True,
        description="Whether a worker that is stopped gives its partitions to the others at once. Where not, "
        "they wait for it until its session times out: for restarts, one by one, on the same disks.",
    )
