"""`ecommerce demo` as a newcomer runs it: the whole platform, a window of the shop, the report."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack import free_port_base

ECOMMERCE = str(Path(sys.executable).with_name("ecommerce"))
SECONDS = 280

CSV = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
700001,22423,REGENCY CAKESTAND 3 TIER,2,12/1/2011 9:00,10.95,12345,France
700001,22423,REGENCY CAKESTAND 3 TIER,1,12/1/2011 9:00,9.95,12345,France
700001,POST,POSTAGE,1,12/1/2011 9:00,18,12345,France
700001,PADS,PADS TO MATCH ALL CUSHIONS,3,12/1/2011 9:00,0.001,12345,France
700002,M,Manual,1,12/1/2011 9:05,4.4449,,United Kingdom
C700003,22423,REGENCY CAKESTAND 3 TIER,-1,12/2/2011 10:00,10.95,12345,France
700004,22423,damaged,-5,12/2/2011 11:00,0,,United Kingdom
"""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give one platform to the module's tests, and stop it at the end."""
    chosen = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ECOMMERCE_")},
        "ECOMMERCE_DATA_DIR": str(tmp_path_factory.mktemp("demo")),
        "ECOMMERCE_PORT_BASE": str(free_port_base()),
    }
    yield chosen
    subprocess.run([ECOMMERCE, "down"], env=chosen, check=False, capture_output=True, timeout=SECONDS)


def demo(environment: dict[str, str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run the command and return its figures."""
    done = subprocess.run(
        [ECOMMERCE, "demo", "--json", *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == code, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(figures, dict)
    return figures


def test_a_window_is_replayed_and_reconciled(environment: dict[str, str]) -> None:
    figures = demo(environment, "--from", "2010-12-01", "--to", "2010-12-02", "--limit", "60")
    assert figures["reconciled"] is True
    assert (figures["violations"], figures["failed"], figures["lag"]) == ([], {}, 0)
    (month,) = figures["months"]
    assert month["file"]["received_rows"] == month["postgres"]["received_rows"] > 0
    assert month["file"]["net"] == month["postgres"]["net"]
    assert figures["sent"] > 40
    assert {"kafka", "postgres", "worker-0", "sink", "api"} <= figures["memory_bytes"].keys()


def test_a_rerun_doubles_nothing_and_a_wider_window_goes_on(environment: dict[str, str]) -> None:
    again = demo(environment, "--limit", "60")
    assert again["reconciled"] is True
    assert (again["sent"], again["skipped"]) == (0, again["skipped"])
    wider = demo(environment, "--limit", "80")
    assert wider["reconciled"] is True
    assert wider["skipped"] == again["skipped"]
    assert wider["sent"] > 0


def test_the_shop_can_be_bought_in_afterwards(environment: dict[str, str]) -> None:
    before = demo(environment, "--limit", "80")
    assert before["beside"]["in_stock"] >= 0.95 * before["beside"]["products"] > 3_000


def test_another_file_with_the_same_columns_works_as_well(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "december.csv"
    file.write_text(CSV)
    figures = demo(environment, "--file", str(file), "--dates", "month-first")
    assert figures["reconciled"] is True
    (month,) = figures["months"]
    shown = month["postgres"]
    assert (shown["accepted_rows"], shown["rejected_rows"]) == (5, 2)
    assert shown["rejected_by_reason"] == {"price_rounds_to_zero": 1, "zero_price": 1}
    assert (shown["gross"], shown["returned"], shown["charges"]) == (2190 + 995 + 1800 + 444, 1095, 2244)
    assert month["file"]["rounding"] == "-0.0079"


def test_what_is_beyond_the_platform_s_limits_is_rejected_and_reconciled(
    environment: dict[str, str], tmp_path: Path
) -> None:
    head = CSV.splitlines()[0]
    row = "{0},22423,CAKESTAND,{1},12/3/2011 9:00,{2},12345,France"
    rows = [
        *(row.format(700100, 1, 1) for _ in range(3_000)),
        row.format(700101, 1, "99999999.99"),
        row.format(700102, 200_000, 1),
        row.format(700103, 2, 1),
    ]
    file = tmp_path / "beyond.csv"
    file.write_text("\n".join([head, *rows]))
    figures = demo(environment, "--file", str(file), "--dates", "month-first")
    assert (figures["reconciled"], figures["failed"]) == (True, {})
    (month,) = figures["months"]
    assert month["postgres"]["rejected_by_reason"] == {
        "price_too_high": 1,
        "too_many_lines": 3_000,
        "too_many_pieces": 1,
    }
    assert month["postgres"]["accepted_rows"] == 1


def test_ctrl_c_ends_at_an_invoice_and_a_rerun_goes_on(environment: dict[str, str]) -> None:
    window = ("--from", "2011-03-01", "--to", "2011-03-02")
    command = [ECOMMERCE, "demo", "--json", *window, "--speed", "600"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        deadline = time.monotonic() + SECONDS
        for line in running.stderr:
            assert time.monotonic() < deadline
            if "replay: " in line:
                break
        running.send_signal(signal.SIGINT)
        out, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 130, errors
    partial = json.loads(out.splitlines()[-1])
    assert partial["interrupted"] is True
    assert partial["reconciled"] is True
    rest = demo(environment, *window)
    assert rest["reconciled"] is True
    assert rest["skipped"] == partial["sent"]


def test_bad_input_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(CSV.replace("10.95,12345", "cheap,12345", 1))
    for arguments, message in (
        (("--file", str(file)), "say --dates day-first or --dates month-first"),
        (("--file", str(file), "--dates", "month-first"), "row 1: UnitPrice 'cheap' cannot be read"),
        (("--from", "2011-01-02", "--to", "2011-01-01"), "must be after"),
        (("--file", str(tmp_path / "none.csv")), "no such file"),
    ):
        done = subprocess.run(
            [ECOMMERCE, "demo", *arguments],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 2
        assert message in done.stderr
