"""`ecommerce staff`: accounts that may change stock, products and orders."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import asyncpg
import typer

from api.auth.staff import AccountError, Promoted, make_staff, revoke_staff
from api.problems import Problem
from deploy.errors import CommandError
from deploy.output import JsonOption, console, print_json
from topics.credentials import Role
from topics.redaction import redacted, shown
from topics.settings import Settings, settings

_T = TypeVar("_T")


def staff(
    email: Annotated[str, typer.Argument(help="The account's address.")],
    *,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="ECOMMERCE_STAFF_PASSWORD",
            help="Password of a new account, or a new one of a known account; better given by the variable.",
        ),
    ] = None,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make it a customer's account again, and end its sessions.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make an account a staff account: promote a customer's, or create one.

    An account whose address nobody has verified gets a new password, printed this once: whoever registered it
    may be anybody. Its sessions end within a second.
    """
    if revoke:
        if password is not None:
            raise CommandError("--revoke sets no password", 2)
        user = _run(revoke_staff(_accounts(), email))
        _tell(Promoted(user), f"{user.email} is a customer; all sessions have ended", as_json=as_json)
        return
    promoted = _run(make_staff(_accounts(), email, password))
    _tell(promoted, f"{promoted.user.email} is staff", as_json=as_json)


def _accounts() -> Settings:
    return settings().logged_in_as(Role.API)


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    """Do the work; no failure's text has the database's address, which may hold a password."""
    try:
        return asyncio.run(work)
    except (AccountError, Problem) as error:
        raise CommandError(str(error), 2) from error
    except (OSError, asyncpg.PostgresError) as error:
        where, reason = shown(_accounts().postgres_dsn), redacted(str(error)) or type(error).__name__
        raise CommandError(f"PostgreSQL at {where}: {reason}") from error
    except (asyncpg.InterfaceError, ValueError) as error:
        raise CommandError("ECOMMERCE_POSTGRES is no address of a PostgreSQL", 2) from error


def _tell(promoted: Promoted, sentence: str, *, as_json: bool) -> None:
    user = promoted.user
    if as_json:
        told = {"user_id": user.user_id, "email": user.email, "role": user.role.value}
        print_json(told if promoted.password is None else {**told, "password": promoted.password})
        return
    console().print(sentence, style="green", markup=False)
    if promoted.password is not None:
        console().print(
            "Nobody has verified this address, so the account has a new password, shown only now:",
            markup=False,
        )
        console().print(f"  {promoted.password}", markup=False, highlight=False)
        console().print("Hand it to its owner, who changes it at /account.", markup=False)
