"""The alerting rules name metrics that exist, and say what the ops page says."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

from api.ops.service import ALERT_LETTERS, ALERT_MINUTES
from streams.kernel.meters import Meters

RULES = Path(__file__).parents[4] / "deploy" / "monitoring" / "alerts.yml"


@pytest.fixture
def rules() -> dict[str, Any]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_every_metric_of_a_rule_is_one_that_the_processes_have(rules: dict[str, Any]) -> None:
    streams = CollectorRegistry()
    Meters(streams)
    importlib.import_module("connectors.runtime.metrics")
    known = {
        f"{family.name}{'_total' if family.type == 'counter' else ''}"
        for registry in (streams, REGISTRY)
        for family in registry.collect()
    }
    named = {name for rule in rules.values() for name in re.findall(r"ecommerce_\w+", rule["expr"])}
    assert named
    assert named <= known


def test_the_ops_page_and_the_rule_agree_on_what_is_alarming(rules: dict[str, Any]) -> None:
    rule = rules["DeadLettersRising"]["expr"]
    assert set(re.findall(r"\[(\d+)m\]", rule)) == {str(ALERT_MINUTES)}
    assert rule.endswith(f"> {ALERT_LETTERS}")
