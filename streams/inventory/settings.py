"""The rules of inventory, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.inventory.policy import AllocationPolicy, StockPolicy

_STOCK = StockPolicy()
_ALLOCATION = AllocationPolicy()


class StockSettings(BaseSettings):
    """Every field is read from `ECOMMERCE_STOCK_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_STOCK_", extra="ignore")

    low_stock_threshold: int = Field(
        default=_STOCK.low_stock_threshold, ge=0, description="Threshold of a SKU without a product, pieces."
    )
    max_level: int = Field(default=_STOCK.max_level, ge=1, description="Most pieces of a SKU.")
    marker_retention_ms: int = Field(
        default=_STOCK.marker_retention_ms,
        ge=1,
        description="How long a SKU recognises late messages of an order it is done with, in ms.",
    )
    marker_sweep_ms: int = Field(
        default=_STOCK.marker_sweep_ms, ge=1, description="Time between two sweeps of a SKU's markers, in ms."
    )
    remembered_movements: int = Field(
        default=_STOCK.remembered_movements,
        ge=256,
        description="Receipts and adjustments that a SKU recognises when they come again.",
    )

    def policy(self) -> StockPolicy:
        """Return the rules as the handlers take them."""
        return StockPolicy(**self.model_dump())


class AllocationSettings(BaseSettings):
    """Every field is read from `ECOMMERCE_ALLOCATION_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_ALLOCATION_", extra="ignore")

    retention_ms: int = Field(
        default=_ALLOCATION.retention_ms, ge=1, description="How long an ended allocation is kept, in ms."
    )
    lower_total_passes: bool = Field(
        default=_ALLOCATION.lower_total_passes,
        description="Whether a total lower than the one shown is charged without asking the buyer again.",
    )

    def policy(self) -> AllocationPolicy:
        """Return the rules as the handlers take them."""
        return AllocationPolicy(**self.model_dump())
