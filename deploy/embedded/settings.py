"""Tuning of the embedded servers; where they are is in `topics.settings`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EmbeddedSettings(BaseSettings):
    """Downloads and memory of the servers that `ecommerce up` starts."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_", extra="ignore")

    cache_dir: Path | None = Field(
        default=None, description="Downloads, kept between runs; by default in the user's cache directory."
    )
    kafka_heap: str = Field(
        default="512m", pattern=r"^\d+[mg]$", description="Heap of the embedded Kafka, as Java writes it."
    )
    redis_memory: str = Field(
        default="1gb",
        pattern=r"^\d+(mb|gb)$",
        description="Most memory of the embedded Redis; beyond it, the longest unasked is dropped.",
    )
