"""The containers' topology is the embedded one: the same steps, in the same order, with the same commands."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.processes.process import External, Process, Task
from deploy.processes.table import platform
from topics.settings import Settings

ROOT = Path(__file__).parents[3]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
STEPS = {name.removesuffix("-0"): step for name, step in platform(Settings(archive="/archive")).items()}


def test_the_containers_are_the_steps_and_the_search_peer() -> None:
    assert set(SERVICES) - {"elasticsearch"} == set(STEPS)


def test_what_runs_only_where_it_is_asked_for_has_a_profile() -> None:
    always = {name.removesuffix("-0") for name in platform(Settings(archive=None))}
    optional = {name for name, service in SERVICES.items() if "profiles" in service}
    assert optional - {"elasticsearch"} == set(STEPS) - always


@pytest.mark.parametrize("name", sorted(STEPS.keys() - {"kafka", "postgres", "redis"}))
def test_a_container_runs_the_same_command_after_the_same_steps(name: str) -> None:
    step = STEPS[name]
    assert not isinstance(step, External)
    expected = [part for part in step.command[1:] if name != "worker" or part == "worker"]
    assert SERVICES[name]["command"] == expected
    assert set(SERVICES[name].get("depends_on", {})) == set(step.after)
    assert (SERVICES[name]["restart"] == "no") == isinstance(step, Task)


@pytest.mark.parametrize("name", ["kafka", "postgres", "worker"])
def test_a_container_gets_as_long_to_stop(name: str) -> None:
    step = STEPS[name]
    assert isinstance(step, Process)
    assert {"1m": 60, "30s": 30}[SERVICES[name]["stop_grace_period"]] == step.stop_seconds


def test_every_name_in_the_environment_is_a_setting() -> None:
    fields = {f"ECOMMERCE_{field.upper()}" for field in Settings.model_fields}
    given = {name for name in SERVICES["api"]["environment"] if not name.startswith("AWS_")}
    assert given <= fields


def test_the_shops_port_is_the_one_that_it_listens_on() -> None:
    port = Settings().api_url.rsplit(":", 1)[1]
    assert SERVICES["api"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert SERVICES["provider"]["environment"]["ECOMMERCE_PAYMENT_PROVIDER"].endswith(":19004")
