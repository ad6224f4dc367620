"""`--where`: a filter as an expression over a record's fields, evaluated without Python's own `eval`."""

import ast
from types import SimpleNamespace
from typing import Any

# simpleeval ships no types.
from simpleeval import (  # type: ignore[import-untyped]
    AttributeDoesNotExist,
    EvalWithCompoundTypes,
    InvalidExpression,
    NameNotDefined,
)

from deploy.errors import CommandError
from deploy.tap.decoding import Row

_FUNCTIONS = {"any": any, "all": all, "len": len, "max": max, "min": min, "sum": sum, "abs": abs}


class Where:
    """A filter such as `data.status == "confirmed" and data.total > 1000`.

    Names are the record's fields: `topic`, `partition`, `offset`, `timestamp`, `key`, `headers["name"]`, the
    envelope's, and `data.…`. A record that lacks a field, or holds null where a number is compared, does not
    match; `lacking` counts those and `missing` names the last such field. Raises CommandError for an
    expression that cannot be parsed or asks for what is not allowed.
    """

    def __init__(self, expression: str) -> None:
        self._expression = expression
        try:
            self._parsed = ast.parse(expression.strip(), mode="eval").body
        except SyntaxError as error:
            raise CommandError(f"--where: {error.msg} at column {error.offset}: {expression}", 2) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise CommandError(
                f"--where: cannot be read: {str(error) or 'it is nested too deeply'}", 2
            ) from error
        self._evaluator = EvalWithCompoundTypes(functions=_FUNCTIONS)
        self.lacking = 0
        self.missing = ""

    def __call__(self, row: Row) -> bool:
        """Tell whether the row matches."""
        self._evaluator.names = {
            name: value if name == "headers" else _with_attributes(value) for name, value in row.items()
        }
        try:
            return bool(self._evaluator.eval(self._expression, previously_parsed=self._parsed))
        except (AttributeDoesNotExist, NameNotDefined, KeyError, IndexError, TypeError) as error:
            if isinstance(error, TypeError) and "NoneType" not in str(error):
                # Every record would say so: a number is compared with a text, or called.
                raise CommandError(f"--where: {error}: {self._expression}", 2) from error
            self.lacking += 1
            self.missing = str(getattr(error, "attr", None) or getattr(error, "name", None) or error)
            return False
        except (InvalidExpression, SyntaxError, ArithmeticError, ValueError) as error:
            raise CommandError(f"--where: {error}", 2) from error


def _with_attributes(value: Any) -> Any:
    """Return nested fields as attributes, so that no dictionary method shadows a field's name."""
    if isinstance(value, dict):
        return SimpleNamespace(**{str(name): _with_attributes(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return [_with_attributes(inner) for inner in value]
    return value
