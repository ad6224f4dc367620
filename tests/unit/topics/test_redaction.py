import pytest

from topics.redaction import redacted, shown

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://user:{SECRET}@db:5432/shop",
        f"postgresql://user:a@{SECRET}/b@db:5432/shop",
        f"redis://:{SECRET}@cache:6379/0",
        f"https://elastic:{SECRET}@es:9200",
        f"postgresql://db/shop?user=u&password={SECRET}",
        f"postgresql://db/shop?sslmode=require&sslpassword={SECRET}",
        f"host=db user=u password={SECRET}",
        f"host=db password = '{SECRET} with \\' blanks' user=u",
        f"s3://bucket/prefix?secret_access_key={SECRET}",
        f"cannot reach redis://ecommerce:{SECRET}@h:1/0, then REDIS://x:{SECRET}@h",
    ],
)
def test_a_password_is_never_shown(text: str) -> None:
    assert SECRET not in redacted(text)
    assert SECRET not in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "one:9092,two:9092",
        "http://127.0.0.1:19004",
        "redis://127.0.0.1:6379/3",
        "s3://bucket/prefix",
        "host=db user=u",
    ],
)
def test_what_holds_none_stays_as_it_is(text: str) -> None:
    assert redacted(text) == shown(text) == text


def test_the_rest_of_an_address_is_shown() -> None:
    assert shown("postgresql://user:pw@db:5432/shop?sslmode=x") == "postgresql://user:***@db:5432/shop"
