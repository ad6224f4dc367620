"""What must hold, judged from outside: the load's own journal against topics, views and the provider's books.

Pure: the doctor's own checks run over the same facts (`judge`), and these add what only the load knows.
"""

from collections import Counter
from collections.abc import Callable

from deploy.doctor.check import Breaches, Check, Outcome, examine
from deploy.doctor.facts import Row
from deploy.doctor.gathered import CHECKS as DOCTORS
from schemas.order import OrderKind, OrderStatus
from tests.chaos.evidence import Evidence
from tests.chaos.journal import Journal

SOLD = frozenset({OrderStatus.CONFIRMED, OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED})

LOSSES = frozenset({"commands_answered", "accepted_checkouts_end", "checkouts_end", "carts_bought"})
"""Checks whose violation is something lost."""
DOUBLES = frozenset({"captured_once", "provider_captured_once", "checkouts_end_once", "stock_outside"})
"""Checks whose violation is something that happened twice, or might have."""

Rule = Callable[[Journal, Evidence], Breaches]


def commands_answered(journal: Journal, evidence: Evidence) -> Breaches:
    """Name accepted commands that no outcome answers."""
    for command_id, accepted in journal.commands.items():
        if command_id in evidence.caused:
            continue
        # A checkout may wait for the cart's last line, which is then what caused its start.
        if accepted.kind == "checkout" and _begun(evidence, accepted.key):
            continue
        yield command_id, f"the {accepted.kind} of {accepted.key} was accepted, and nothing came of it"


def accepted_checkouts_end(journal: Journal, evidence: Evidence) -> Breaches:
    """Name accepted checkouts that have not ended, or in more than one way."""
    for order in journal.checkouts:
        ends = evidence.facts.events.ends.get(order)
        found = (len(ends.completed) + len(ends.failed)) if ends else 0
        if found != 1:
            yield order, f"was accepted and has {found or 'no'} ends"


def carts_bought(journal: Journal, evidence: Evidence) -> Breaches:
    """Name orders whose lines are not the pieces that their cart was told to hold."""
    for order, cart in journal.checkouts.items():
        history = evidence.facts.events.orders.get(order)
        if history is None:
            continue
        bought: Counter[str] = Counter()
        for line in history.newest["lines"]:
            bought[line["sku"]] += line["quantity"]
        if dict(bought) != journal.carts[cart]:
            yield order, f"bought {dict(bought)}, the cart was told {journal.carts[cart]}"


def books_match(_journal: Journal, evidence: Evidence) -> Breaches:
    """Name orders whose money at the provider is not what the order says."""
    orders = evidence.facts.events.orders
    for order in evidence.books.keys() - orders.keys():
        yield order, "is in the provider's books, and no order"
    for order, history in orders.items():
        newest = history.newest
        due = _due(newest)
        account = evidence.books.get(order)
        kept = account.kept if account else 0
        if kept != due:
            yield (
                order,
                f"is {newest['status']} over {newest['total']}, the provider keeps {kept}, due is {due}",
            )
        if account and account.holds and not (account.captured or account.voided):
            yield order, f"is {newest['status']} and money is still held"


def books_total(_journal: Journal, evidence: Evidence) -> Breaches:
    """Compare the sums by currency."""
    due: Counter[str] = Counter()
    for history in evidence.facts.events.orders.values():
        due[history.newest["currency"]] += _due(history.newest)
    kept: Counter[str] = Counter()
    for account in evidence.books.values():
        kept[account.currency or "none"] += account.kept
    for currency in due.keys() | kept.keys():
        if due[currency] != kept[currency]:
            yield currency, f"confirmed orders are worth {due[currency]}, the provider keeps {kept[currency]}"


def provider_captured_once(_journal: Journal, evidence: Evidence) -> Breaches:
    """Name orders for which the provider took money, or held it, more than once."""
    for order, account in evidence.books.items():
        if account.captures > 1:
            yield order, f"was captured {account.captures} times at the provider"
        if account.holds > 1:
            yield order, f"was authorised {account.holds} times at the provider"


def stock_outside(journal: Journal, evidence: Evidence) -> Breaches:
    """Compare the stock view with what was received for certain and what confirmed orders took."""
    taken: Counter[str] = Counter()
    for history in evidence.facts.events.orders.values():
        if history.newest["status"] in SOLD:
            for line in history.newest["lines"]:
                taken[line["sku"]] += line["quantity"]
    levels = evidence.facts.views.stock_levels
    for sku, received in journal.received.items():
        level = levels.get(sku, {"on_hand": 0, "reserved": 0})
        least = received - taken[sku]
        most = least + journal.unsure[sku]
        if not least <= level["on_hand"] <= most:
            yield sku, f"received {received}, sold {taken[sku]}, but {level['on_hand']} are on hand"
        if level["reserved"]:
            yield sku, f"{level['reserved']} are reserved though every checkout has ended"


def _letters(_journal: Journal, evidence: Evidence) -> Breaches:
    for letter in evidence.letters:
        yield letter.partition(" ")[0], letter


def _running(_journal: Journal, evidence: Evidence) -> Breaches:
    for name in evidence.stopped:
        yield name, "does not run any more"


def _due(order: Row) -> int:
    """Return what the provider must keep of an order, in minor units; of a return it is negative."""
    if order["kind"] == OrderKind.RETURN:
        return -int(order["total"]) if order["status"] == OrderStatus.REFUNDED else 0
    return int(order["total"]) if order["status"] in SOLD else 0


def _begun(evidence: Evidence, order: str) -> bool:
    return order in evidence.facts.events.started or order in evidence.facts.events.ends


def judge(journal: Journal, evidence: Evidence) -> list[Outcome]:
    """Return the outcome of every check, the doctor's included."""
    facts = evidence.facts

    def check(name: str, title: str, count: int, rule: Rule) -> Check:
        return Check(name, title, lambda _: count, lambda _: rule(journal, evidence))

    checkouts, orders, accounts = len(journal.checkouts), len(facts.events.orders), len(evidence.books)
    ours = (
        check(
            "commands_answered",
            "every accepted command has its outcome",
            len(journal.commands),
            commands_answered,
        ),
        check(
            "accepted_checkouts_end",
            "every accepted checkout ended exactly once",
            checkouts,
            accepted_checkouts_end,
        ),
        check(
            "carts_bought",
            "orders have the pieces that their carts were told to hold, once",
            checkouts,
            carts_bought,
        ),
        check("books_match", "the provider keeps what sold orders cost, and no more", orders, books_match),
        check("books_total", "the provider's books agree to the cent", accounts, books_total),
        check(
            "provider_captured_once",
            "the provider took no payment twice",
            accounts,
            provider_captured_once,
        ),
        check("stock_outside", "received - sold = on hand, per SKU", len(journal.received), stock_outside),
        check("no_dead_letters", "no record of the load was dead-lettered", orders, _letters),
        check("all_running", "every process runs in the end", 1, _running),
    )
    return examine(facts, (*ours, *DOCTORS))
