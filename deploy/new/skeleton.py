"""The skeleton of a domain: its files, from `deploy/new/skeleton/`, and the lines that name it in others."""

import keyword
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from types import MappingProxyType

from deploy.errors import CommandError

ROOT = Path(__file__).parents[2]
_SKELETON = Path(__file__).parent / "skeleton"
_SUFFIX = ".txt"
_NAME = re.compile("[a-z]{2,20}")
_MANIFEST, _WALLS = Path("schemas/domains.py"), Path("pyproject.toml")
_REVISIONS = Path("sinks/migrations/versions")
_DOMAINS = re.compile(r"(?ms)^DOMAINS = \(\n.*?(?=^\)$)")
_LISTS = re.compile(r'(?s)((?:source_)?modules = \[)("streams\.cart",.*?)(\])')


def write_domain(name: str, root: Path = ROOT) -> list[Path]:
    """Write a domain's files under `root`, and its name into the manifest and the walls; return the files.

    Raises CommandError, and writes nothing, where the name will not do or one of the files is there.
    """
    named = {path: _named(name, path, root) for path in (_MANIFEST, _WALLS)}
    return written(dict(_files(name, root)), root, named)


def written(
    new: Mapping[Path, str], root: Path, changed: Mapping[Path, str] = MappingProxyType({})
) -> list[Path]:
    """Write files that are new under `root`, and those that are changed; return their paths.

    Raises CommandError, and writes nothing, where one that is to be new is there.
    """
    for path in new:
        if (root / path).exists():
            raise CommandError(f"{path} is there already: take another name", 2)
    for path, text in (*new.items(), *changed.items()):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return sorted((*new, *changed))


def _files(name: str, root: Path) -> Iterator[tuple[Path, str]]:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise CommandError(f"{name!r} cannot be a domain: 2 to 20 letters a to z, and no word of Python", 2)
    revision, down_revision = next_revision(root)
    values = {
        "name": name,
        "Name": name.title(),
        "NAME": name.upper(),
        "table": f"{name}s",
        "TABLE": f"{name.upper()}S",
        "revision": revision,
        "down_revision": down_revision,
    }
    for source in sorted(_SKELETON.rglob(f"*{_SUFFIX}")):
        place = str(source.relative_to(_SKELETON)).removesuffix(_SUFFIX)
        path = Path(place.replace("REVISION", f"v{revision}").replace("NAME", name))
        yield path, Template(source.read_text()).substitute(values)


def next_revision(root: Path) -> tuple[str, str]:
    """Return the number of the views' next migration, and of the one before it."""
    last = max(int(path.name[1:5]) for path in (root / _REVISIONS).glob("v[0-9][0-9][0-9][0-9]_*.py"))
    return f"{last + 1:04}", f"{last:04}"


def _named(name: str, path: Path, root: Path) -> str:
    """Return a file's text with the domain in its lists."""
    text = (root / path).read_text()
    if path == _MANIFEST:
        line = f'    Domain("{name}", flows=("{name}",), rooms=_SEEN),\n'
        changed, found = _DOMAINS.subn(lambda match: match[0] + line, text)
    else:
        changed, found = _LISTS.subn(
            lambda match: f"{match[1]}{_longer(match[2], f'streams.{name}')}{match[3]}", text
        )
    if not found:
        raise CommandError(f"{path} has not the lists that name the domains", 1)
    return changed


def _longer(listed: str, module: str) -> str:
    names = sorted({*re.findall(r'"([\w.]+)"', listed), module})
    return "\n    " + "\n    ".join(f'"{each}",' for each in names) + "\n"
