from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from connectors.retail.cells import RetailFileError
from connectors.retail.reading import read_rows
from connectors.retail.row import Row
from tests.unit.connectors.retail.rows import DECEMBER, row

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LINE = "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"


def csv(tmp_path: Path, text: str, encoding: str = "utf-8") -> list[Row]:
    path = tmp_path / "sales.csv"
    path.write_bytes(text.encode(encoding))
    return list(read_rows(path))


def test_csv(tmp_path: Path) -> None:
    assert csv(tmp_path, HEADER + LINE) == [row()]


@pytest.mark.parametrize("when", ["12/1/2010 8:26", "2010-12-01T08:26:00Z", "2010-12-01 08:26"])
def test_csv_times_as_exports_write_them(tmp_path: Path, when: str) -> None:
    (read,) = csv(tmp_path, HEADER + LINE.replace("2010-12-01 08:26:00", when))
    assert read.at == DECEMBER


def test_empty_cells_are_missing_values(tmp_path: Path) -> None:
    (read,) = csv(tmp_path, HEADER + "536365,85123A,,6,,NA,17850.0, \n")
    assert (read.description, read.at, read.unit_price, read.customer_id, read.country) == (
        None,
        None,
        None,
        "17850",
        None,
    )


def test_csv_that_is_not_utf8_is_windows_1252(tmp_path: Path) -> None:
    (read,) = csv(tmp_path, HEADER + LINE.replace("WHITE", "£10"), encoding="cp1252")
    assert read.description == "£10 HANGING HEART T-LIGHT HOLDER"


def test_columns_in_another_order_and_foreign_columns_are_fine(tmp_path: Path) -> None:
    header = "Note," + ",".join(reversed(HEADER.strip().split(","))) + "\n"
    line = "x," + ",".join(reversed(LINE.strip().split(","))) + "\n"
    assert csv(tmp_path, header + line) == [row()]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(RetailFileError, match="missing column UnitPrice, Country"):
        csv(tmp_path, "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,CustomerID\n")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("536365,1,x,six,2010-12-01,1,1,UK\n", "row 2: Quantity 'six' cannot be read"),
        ("536365,1,x,1.5,2010-12-01,1,1,UK\n", "row 2: Quantity '1.5' cannot be read: a whole number"),
        ("536365,1,x,1,yesterday,1,1,UK\n", "row 2: InvoiceDate 'yesterday' cannot be read: a date"),
        ("536365,1,x,1,2010-12-01,cheap,1,UK\n", "row 2: UnitPrice 'cheap' cannot be read"),
        ("536365,1,x,1,2010-12-01,inf,1,UK\n", "row 2: UnitPrice 'inf' cannot be read: it must lie"),
        ("536365,1,x,999999999999,2010-12-01,1,1,UK\n", "row 2: Quantity '999999999999' cannot be read: it"),
        ("536365,1,x\n", "Expected 8 columns, got 3"),
    ],
)
def test_a_bad_value_is_named_with_its_row(tmp_path: Path, bad: str, message: str) -> None:
    with pytest.raises(RetailFileError, match=message):
        csv(tmp_path, HEADER + LINE + bad)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RetailFileError, match=r"nowhere\.csv: no such file"):
        list(read_rows(tmp_path / "nowhere.csv"))


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(RetailFileError, match=r"sales\.parquet"):
        list(read_rows(path))


def parquet(tmp_path: Path, **columns: pa.Array) -> list[Row]:
    path = tmp_path / "sales.parquet"
    plain = {
        "InvoiceNo": pa.array(["536365"]),
        "StockCode": pa.array(["85123A"]),
        "Description": pa.array(["WHITE HANGING HEART T-LIGHT HOLDER"]),
        "Quantity": pa.array([6]),
        "InvoiceDate": pa.array([DECEMBER * 1000], pa.timestamp("us")),
        "UnitPrice": pa.array([2.55]),
        "CustomerID": pa.array([17850]),
        "Country": pa.array(["United Kingdom"]),
    }
    pa.parquet.write_table(pa.table(plain | columns), path)
    return list(read_rows(path))


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"InvoiceNo": pa.array([536365])},
        {"CustomerID": pa.array([17850.0])},
        {"Quantity": pa.array([6.0])},
        {"UnitPrice": pa.array([2.55], pa.float32())},
        {"UnitPrice": pa.array([Decimal("2.55")])},
        {"InvoiceDate": pa.array([DECEMBER], pa.timestamp("ms", tz="UTC"))},
        {"InvoiceDate": pa.array(["2010-12-01 08:26"])},
    ],
)
def test_parquet_whatever_the_columns_types(tmp_path: Path, columns: dict[str, pa.Array]) -> None:
    assert parquet(tmp_path, **columns) == [row()]


def test_not_a_number_is_a_missing_value(tmp_path: Path) -> None:
    nan = pa.array([float("nan")])
    (read,) = parquet(tmp_path, CustomerID=nan, UnitPrice=nan)
    assert (read.customer_id, read.unit_price) == (None, None)


def test_a_date_without_time_is_its_midnight(tmp_path: Path) -> None:
    (read,) = parquet(tmp_path, InvoiceDate=pa.array([DECEMBER // 86_400_000], pa.date32()))
    assert read.at == 1_291_161_600_000


def test_a_column_of_a_type_without_meaning_is_named(tmp_path: Path) -> None:
    with pytest.raises(RetailFileError, match="row 1: InvoiceDate 5 cannot be read"):
        parquet(tmp_path, InvoiceDate=pa.array([5]))
