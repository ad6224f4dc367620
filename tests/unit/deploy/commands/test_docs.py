import pytest

from deploy.docs import documents
from tests.unit.deploy.commands.conftest import Ecommerce


def test_every_generated_document_is_current(ecommerce: Ecommerce) -> None:
    done = ecommerce("docs", "check", "--json")
    assert (done.code, done.json) == (0, {"documents": len(documents.DOCUMENTS), "stale": []})
    assert "written" not in ecommerce("docs", "generate").out


def test_names_what_is_stale(ecommerce: Ecommerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "DOCUMENTS", {"events.md": lambda: "another text"})
    done = ecommerce("docs", "check")
    assert done.code == 1
    assert "stale docs/events.md: run `ecommerce docs generate`" in done.out
