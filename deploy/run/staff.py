"""`ecommerce staff`: accounts that may change stock, products and orders."""

import asyncio
from typing import Annotated

import asyncpg
import typer

from api.auth.users import make_staff
from api.problems import Problem
from deploy.errors import CommandError
from deploy.output import JsonOption, console, print_json
from topics.credentials import Role
from topics.redaction import redacted, shown
from topics.settings import settings


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
    as_json: JsonOption = False,
) -> None:
    """Make an account a staff account: promote a customer's, or create one."""
    chosen = settings().logged_in_as(Role.API)
    try:
        user = asyncio.run(make_staff(chosen, email, password))
    except (ValueError, Problem) as error:
        raise CommandError(str(error), 2) from error
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"PostgreSQL at {shown(chosen.postgres_dsn)}: {redacted(str(error))}") from error
    if as_json:
        print_json({"user_id": user.user_id, "email": user.email, "role": user.role.value})
    else:
        console().print(f"[green]{user.email} is staff[/green]")
