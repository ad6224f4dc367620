"""A problem in the words of whoever uses a page. Pure."""

import re

from api.problems import Problem

_STATUSES = {
    400: "Something in the form or the address could not be read.",
    404: "This page does not exist, or not for you.",
    405: "This page does not exist.",
    413: "This is too much to send at once.",
    429: "Too many attempts: please wait a minute, then try again.",
    503: "The shop cannot answer right now. Nothing was changed; please try again in a moment.",
}
_REASONS = {
    "cart_frozen": "Your cart is being bought right now, so it cannot change.",
    "unknown_sku": "This product is not sold here.",
    "discontinued": "This product is not sold any more.",
    "too_many_lines": "Your cart is full: please buy it, or take something out first.",
}
_FIELDS = {
    "quantity": "The quantity is a whole number, from 1 on.",
    "sku": "This product is not sold here.",
    "note": "Please say why, in a few words.",
    "text": "Please leave a text in the box.",
    "q": "Please search with fewer words.",
}
_LIMIT = re.compile(r"\b1 to (\d+) pieces")


def words(problem: Problem) -> str:
    """Return what went wrong as a sentence without internal names."""
    reason = str(problem.extra.get("reason"))
    if reason == "invalid_quantity" and (limit := _LIMIT.search(problem.detail)):
        return f"At most {int(limit[1]):,} of one product can be ordered at once."
    if reason in _REASONS:
        return _REASONS[reason]
    if problem.kind == "validation" and problem.errors:
        rules = {each.rule for each in problem.errors} & _REASONS.keys()
        if rules:
            return _REASONS[rules.pop()]
        named = [_FIELDS[each.field] for each in problem.errors if each.field in _FIELDS]
        return named[0] if named else "Something in the form or the address could not be read."
    if problem.status in _STATUSES:
        return _STATUSES[problem.status]
    detail = problem.detail.rstrip(".")
    return detail[:1].upper() + detail[1:] + "."
