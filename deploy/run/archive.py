"""`ecommerce archive`: every topic as Parquet files."""

from deploy.errors import CommandError
from topics.login import refuse_wrong_login
from topics.settings import settings


def archive() -> None:
    """Keep every topic as Parquet files in the folder or bucket that ECOMMERCE_ARCHIVE names."""
    from sinks.archive import run  # noqa: PLC0415 -- a process of its own loads what it needs

    where = settings().archive_url
    if where is None:
        raise CommandError("ECOMMERCE_ARCHIVE is not set: name a folder or s3://bucket/prefix", 2)
    refuse_wrong_login(settings())
    run(settings(), where)
