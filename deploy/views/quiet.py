"""What rebuilds and comparisons log, as a person at a terminal wants it: warnings, beside the figures."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def warnings_only() -> Iterator[None]:
    """Let only warnings be logged, and to stderr, within the block."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)
