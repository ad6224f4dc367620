"""What shows dead letters: one row a letter, of whatever domain."""

from connectors.runtime.projection import RawProjection
from sinks.dead_letters.projectors import dead_letter_row
from sinks.dead_letters.rows import DEAD_LETTERS
from sinks.declaration import DomainViews
from topics import registry

VIEWS = DomainViews(
    tables=(DEAD_LETTERS,),
    postgres=tuple(
        RawProjection(letters, dead_letter_row, (DEAD_LETTERS.name,))
        for letters in registry.DEAD_LETTERS.values()
    ),
)
