import zipfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from connectors.retail.cells import RetailFileError
from connectors.retail.notation import DateOrder, DecimalMark, Notation
from connectors.retail.reading import read_rows
from connectors.retail.row import Row
from tests.unit.connectors.retail.rows import DECEMBER, row

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LINE = "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"


def csv(
    tmp_path: Path, text: str, encoding: str = "utf-8", notation: Notation | None = None, digits: int = 2
) -> list[Row]:
    path = tmp_path / "sales.csv"
    path.write_bytes(text.encode(encoding))
    return list(read_rows(path, notation, digits))


def test_csv(tmp_path: Path) -> None:
    assert csv(tmp_path, HEADER + LINE) == [row()]


@pytest.mark.parametrize("when", ["12/1/2010 8:26", "2010-12-01T08:26:00Z", "2010-12-01 08:26"])
def test_csv_times_as_exports_write_them(tmp_path: Path, when: str) -> None:
    notation = Notation(DateOrder.MONTH_FIRST)
    (read,) = csv(tmp_path, HEADER + LINE.replace("2010-12-01 08:26:00", when), notation=notation)
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


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [
        (";", "utf-8"),
        ("\t", "utf-16"),
        ("|", "utf-8-sig"),
        (",", "utf-16"),
        (";", "utf-16"),
        ("\t", "cp1252"),
    ],
)
def test_separators_and_encodings_as_exports_have_them(tmp_path: Path, separator: str, encoding: str) -> None:
    text = (HEADER + LINE).replace(",", separator)
    assert csv(tmp_path, text, encoding) == [row()]


def test_a_comma_before_the_pence(tmp_path: Path) -> None:
    german = (HEADER + LINE).replace(",", ";").replace("2.55", "2,55").replace("2010-12-01", "01.12.2010")
    assert csv(tmp_path, german) == [row()]
    thousands = german.replace("2,55", "1.234,50").replace(";6;", ";1.000;")
    comma = Notation(decimal=DecimalMark.COMMA)
    (read,) = csv(tmp_path, thousands, notation=comma)
    assert (read.unit_price, read.quantity) == (Decimal("1234.50"), 1_000)


def test_a_number_that_means_two_things_is_asked_about(tmp_path: Path) -> None:
    odd = (HEADER + LINE).replace(",", ";").replace("2.55", "1,234")
    with pytest.raises(RetailFileError, match=r"row 1: UnitPrice '1,234' cannot be read.* say --decimal"):
        csv(tmp_path, odd)
    said = {mark: csv(tmp_path, odd, notation=Notation(decimal=mark))[0].unit_price for mark in DecimalMark}
    assert said == {DecimalMark.POINT: Decimal(1234), DecimalMark.COMMA: Decimal("1.234")}


def dated(*dates: str) -> str:
    return HEADER + "".join(LINE.replace("2010-12-01 08:26:00", each) for each in dates)


def test_the_order_of_dates_is_seen_in_the_file_or_asked_for(tmp_path: Path) -> None:
    day = [DECEMBER + days * 86_400_000 for days in (0, 12)]
    assert [each.at for each in csv(tmp_path, dated("12/1/2010 8:26", "12/13/2010 8:26"))] == day
    assert [each.at for each in csv(tmp_path, dated("01/12/2010 08:26", "13/12/2010 08:26"))] == day
    with pytest.raises(RetailFileError, match=r"'01/09/2011'.* --dates day-first or --dates month-first"):
        csv(tmp_path, dated("01/09/2011", "02/09/2011"))
    with pytest.raises(RetailFileError, match="stand in one file"):
        csv(tmp_path, dated("13/09/2011", "09/13/2011"))
    (september,) = csv(tmp_path, dated("01/09/2011"), notation=Notation(DateOrder.DAY_FIRST))
    (january,) = csv(tmp_path, dated("01/09/2011"), notation=Notation(DateOrder.MONTH_FIRST))
    assert (september.at, january.at) == (1_314_835_200_000, 1_294_531_200_000)


def test_na_is_a_country_and_may_be_a_code(tmp_path: Path) -> None:
    (read,) = csv(tmp_path, HEADER + "NA,NA,NA,NA,NA,NA,NA,NA\n")
    assert (read.stock_code, read.country) == ("NA", "NA")
    assert {read.invoice_no, read.description, read.quantity, read.at, read.unit_price, read.customer_id} == {
        None
    }


def test_the_first_day_of_the_calendar_is_a_time(tmp_path: Path) -> None:
    first, last = csv(tmp_path, dated("0001-01-01 00:00:00", "9999-12-31T23:59:59-12:00"))
    assert first.at == -62_135_596_800_000
    assert last.at is not None
    assert last.at > 253_402_300_799_000


def workbook(path: Path, rows: list[list[str]]) -> None:
    """Write the least that is a workbook: inline strings, and numbers where a cell begins with `#`."""

    def cell(text: str) -> str:
        if text.startswith("#"):
            return f"<c><v>{text[1:]}</v></c>"
        return f'<c t="inlineStr"><is><t>{text}</t></is></c>'

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    linked = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = "http://schemas.openxmlformats.org/package/2006"
    sheet = "".join(f"<row>{''.join(map(cell, cells))}</row>" for cells in rows)
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{packed}/content-types">'
            '<Default Extension="xml" ContentType="text/xml"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{packed}/relationships"><Relationship Id="r" Target="xl/workbook.xml" '
            f'Type="{linked}/officeDocument"/></Relationships>',
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{linked}"><sheets><sheet name="Notes" sheetId="1" r:id="r1"/>'
            '<sheet name="Sales" sheetId="2" r:id="r2"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{packed}/relationships">'
            f'<Relationship Id="r1" Target="worksheets/sheet1.xml" Type="{linked}/worksheet"/>'
            f'<Relationship Id="r2" Target="worksheets/sheet2.xml" Type="{linked}/worksheet"/>'
            "</Relationships>",
        )
        book.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData></sheetData></worksheet>'
        )
        book.writestr(
            "xl/worksheets/sheet2.xml",
            f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
        )


def test_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "sales.xlsx"
    cells = LINE.strip().split(",")
    numbers = {0, 3, 5, 6}
    line = [f"#{each}" if place in numbers else each for place, each in enumerate(cells)]
    workbook(path, [HEADER.strip().split(","), line])
    assert list(read_rows(path)) == [row()]
    workbook(path, [["Invoice", "Price"]])
    with pytest.raises(
        RetailFileError, match=r"sales\.xlsx: missing column InvoiceNo.*the file has Invoice, Price"
    ):
        list(read_rows(path))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 100,
        b"PK\x03\x04 and nothing more",
        b"\xd0\xcf\x11\xe0",
        b"\xff\xfe\x00",
        b"PAR1PAR1",
        (HEADER + LINE).encode("utf-16")[:-1],
        (HEADER + '"').encode(),
        (HEADER + LINE.replace("536365", "\udcff")).encode("utf-8", "surrogateescape"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_an_error_and_no_traceback(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    with suppress(RetailFileError):
        list(read_rows(path))
