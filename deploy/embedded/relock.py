"""Write `kafka.lock` anew: resolve the dependencies, download them, record their digests.

Run `python -m deploy.embedded.relock` after a change of `ROOTS`, look at the difference, commit it.
"""

from deploy.embedded.artifacts import maven, sha256
from deploy.embedded.kafka import LOCK, VERSION

# `!` keeps each root from managing the other's versions: without it an older client was chosen silently.
ROOTS = (f"org.apache.kafka:kafka_2.13:{VERSION}!", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!")

_HEADER = f"""\
# The jars of Apache Kafka {VERSION}, as sha256, size in bytes, coordinate.
# Written by `python -m deploy.embedded.relock`, which resolves the coordinates in that module.
"""


def main() -> None:
    """Resolve, download and write the lock file."""
    context = maven()
    roots = [context.create_dependency(root) for root in ROOTS]
    inputs, transitive = context.resolver.resolve(roots)
    rows = []
    for dependency in {str(d.artifact): d for d in [*inputs, *transitive]}.values():
        path = dependency.artifact.resolve()
        coordinate = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
        rows.append(f"{sha256(path)} {path.stat().st_size:>9} {coordinate}\n")
    rows.sort(key=lambda row: row.split()[-1])
    LOCK.write_text(_HEADER + "".join(rows))
    print(f"{LOCK.name}: {len(rows)} artifacts")


if __name__ == "__main__":
    main()
