import json
import stat
from pathlib import Path

import pytest

from topics.credentials import ADMIN_FILE, FILE, CredentialsError, Role, make, read


def test_they_are_made_once_random_and_for_their_owner_alone(tmp_path: Path) -> None:
    made, admins = make(tmp_path / "one" / FILE)
    assert (made, admins) == make(tmp_path / "one" / FILE)
    assert made == read(tmp_path / "one" / FILE)
    other, _ = make(tmp_path / "other" / FILE)
    assert not {made.redis, made.kafka, *made.postgres.values()} & {other.redis, *other.postgres.values()}
    for name in (FILE, ADMIN_FILE):
        assert stat.S_IMODE((tmp_path / "one" / name).stat().st_mode) == 0o600


def test_what_may_do_anything_is_in_no_file_that_a_process_reads(tmp_path: Path) -> None:
    _, admins = make(tmp_path / FILE)
    told = (tmp_path / FILE).read_text()
    assert admins.postgres not in told
    assert admins.redis not in told


def test_a_file_of_an_earlier_version_gets_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"redis": "kept", "postgres": {Role.API: "kept too"}}))
    (tmp_path / FILE).chmod(0o644)
    made, _ = make(tmp_path / FILE)
    assert (made.redis, made.postgres[Role.API]) == ("kept", "kept too")
    assert set(made.postgres) == set(Role)
    assert made == read(tmp_path / FILE)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_they_are_never_shown(tmp_path: Path) -> None:
    made, admins = make(tmp_path / FILE)
    assert made.redis not in repr(made)
    assert admins.postgres not in repr(admins)


def test_no_file_is_no_credentials_and_a_broken_one_is_named(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json") is None
    (tmp_path / FILE).write_text("{")
    with pytest.raises(CredentialsError, match=FILE):
        make(tmp_path / FILE)
