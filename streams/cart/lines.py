"""The arithmetic of a cart's lines: adding, changing and removing within the limits."""

import msgspec

from schemas.cart import CartLine
from schemas.refusal import Refusal
from schemas.sku import SKU_MAX_LENGTH, well_formed
from streams.breach import Breach
from streams.cart.policy import CartPolicy

Lines = tuple[CartLine, ...]


def added(policy: CartPolicy, lines: Lines, more: Lines) -> Lines | Breach:
    """Return the lines with `more` in them, all or none; an existing line's quantity is raised."""
    if not more:
        return Breach(Refusal.NO_LINES, "lines", "at least one line is needed")
    by_id = {line.line_id: line for line in lines}
    for line in more:
        result = _joined(policy, by_id, line)
        if isinstance(result, Breach):
            return result
        by_id[line.line_id] = result
    return tuple(by_id.values())


def absorbed(policy: CartPolicy, lines: Lines, more: Lines) -> tuple[Lines, tuple[Breach, ...]]:
    """Return the lines with what fits of `more` in them, and why the rest does not.

    Of a line that is too large only what is above the limit is left out: it was chosen, piece by piece.
    """
    by_id = {line.line_id: line for line in lines}
    breaches = []
    for line in more:
        result = _joined(policy, by_id, line)
        if isinstance(result, Breach):
            breaches.append(result)
            capped = _capped(policy, by_id, line)
            if capped is not None:
                by_id[line.line_id] = capped
        else:
            by_id[line.line_id] = result
    return tuple(by_id.values()), tuple(breaches)


def changed(policy: CartPolicy, lines: Lines, line_id: str, quantity: int) -> Lines | Breach:
    """Return the lines with one line's quantity set."""
    if not 0 < quantity <= policy.max_quantity:
        return _quantity_breach(policy, "quantity", quantity)
    if all(line.line_id != line_id for line in lines):
        return _unknown_line(line_id)
    return tuple(_with_quantity(line, quantity) if line.line_id == line_id else line for line in lines)


def removed(lines: Lines, line_id: str) -> Lines | Breach:
    """Return the lines without one."""
    left = tuple(line for line in lines if line.line_id != line_id)
    return _unknown_line(line_id) if len(left) == len(lines) else left


def _joined(policy: CartPolicy, by_id: dict[str, CartLine], line: CartLine) -> CartLine | Breach:
    """Return what stands under the line's id once it is added."""
    present = by_id.get(line.line_id)
    if present is None:
        if len(by_id) >= policy.max_lines:
            return Breach(Refusal.TOO_MANY_LINES, "lines", f"a cart has at most {policy.max_lines} lines")
        return _breach(policy, line) or line
    if (present.sku, present.agreed_price) != (line.sku, line.agreed_price):
        return Breach(
            Refusal.LINE_CONFLICT,
            "lines.line_id",
            f"line {line.line_id} stands for another SKU or agreed price",
        )
    if None not in (present.incarnation, line.incarnation) and present.incarnation != line.incarnation:
        return _renewed(policy, present, line)
    breach = _breach(policy, line, present.quantity)
    if breach is not None:
        return breach
    known = line if line.incarnation is not None else present
    return _with_quantity(known, present.quantity + line.quantity)


def _capped(policy: CartPolicy, by_id: dict[str, CartLine], line: CartLine) -> CartLine | None:
    """Return what stands under the line's id with as much of it as there is room for, None where none is."""
    present = by_id.get(line.line_id)
    room = policy.max_quantity - (0 if present is None else present.quantity)
    if not 0 < room < line.quantity:
        return None
    result = _joined(policy, by_id, _with_quantity(line, room))
    return None if isinstance(result, Breach) else result


def _renewed(policy: CartPolicy, present: CartLine, line: CartLine) -> CartLine | Breach:
    """Return the newer product's line: pieces of the older one, which is gone, are not turned into it."""
    assert present.incarnation is not None, "two that are known differ"
    assert line.incarnation is not None, "two that are known differ"
    if line.incarnation < present.incarnation:
        gone = f"the {line.sku} that was shown is gone; another product has its SKU"
        return Breach(Refusal.PRODUCT_REPLACED, "lines.sku", gone)
    return _breach(policy, line) or line


def _breach(policy: CartPolicy, line: CartLine, present: int = 0) -> Breach | None:
    if not 0 < len(line.line_id) <= policy.max_line_id:
        return Breach(
            Refusal.INVALID_LINE_ID, "lines.line_id", f"a line id has 1 to {policy.max_line_id} characters"
        )
    if not well_formed(line.sku):
        return Breach(
            Refusal.INVALID_SKU,
            "lines.sku",
            f"a SKU is 1 to {SKU_MAX_LENGTH} letters, digits, spaces or ._-/ , not {line.sku!r}",
        )
    if line.quantity <= 0 or present + line.quantity > policy.max_quantity:
        return _quantity_breach(policy, "lines.quantity", line.quantity, present)
    if line.agreed_price is not None and not 0 <= line.agreed_price <= policy.max_agreed_price:
        return Breach(
            Refusal.INVALID_PRICE,
            "lines.agreed_price",
            f"an agreed price is 0 to {policy.max_agreed_price} minor units, not {line.agreed_price}",
        )
    return None


def _quantity_breach(policy: CartPolicy, field: str, quantity: int, present: int = 0) -> Breach:
    asked = f"{quantity} more than {present}" if present else str(quantity)
    return Breach(
        Refusal.INVALID_QUANTITY, field, f"a line has 1 to {policy.max_quantity} pieces, not {asked}"
    )


def _unknown_line(line_id: str) -> Breach:
    return Breach(Refusal.UNKNOWN_LINE, "line_id", f"the cart has no line {line_id}")


def _with_quantity(line: CartLine, quantity: int) -> CartLine:
    return msgspec.structs.replace(line, quantity=quantity)
