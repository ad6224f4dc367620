"""The catalogue's rules, as settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.bounds import LONG, PRICE
from streams.product.policy import ProductPolicy

_DEFAULTS = ProductPolicy()


class ProductSettings(BaseSettings):
    """Every field is read from `ECOMMERCE_PRODUCT_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_PRODUCT_", extra="ignore")

    max_name: int = Field(
        default=_DEFAULTS.max_name, ge=1, le=LONG.most, description="Longest name, in characters."
    )
    max_description: int = Field(
        default=_DEFAULTS.max_description,
        ge=0,
        le=LONG.most,
        description="Longest description, in characters.",
    )
    max_price: int = Field(
        default=_DEFAULTS.max_price, ge=1, le=PRICE.most, description="Highest price, in minor units."
    )
    max_categories: int = Field(
        default=_DEFAULTS.max_categories, ge=0, description="Most categories of a product."
    )
    max_category_name: int = Field(
        default=_DEFAULTS.max_category_name, ge=1, description="Longest name of a category, in characters."
    )
    max_threshold: int = Field(
        default=_DEFAULTS.max_threshold, ge=0, description="Highest low-stock threshold, in pieces."
    )
    remembered_commands: int = Field(
        default=_DEFAULTS.remembered_commands, ge=1, description="Answered commands kept for recognition."
    )

    def policy(self) -> ProductPolicy:
        """Return the rules as the handlers take them."""
        return ProductPolicy(**self.model_dump())
