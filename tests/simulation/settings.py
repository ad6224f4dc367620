"""What a simulated world is made of. The defaults are the real thing; a planted bug replaces a part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from streams.kernel.flow import Flow
from streams.kernel.task import PartitionTask
from tests.simulation.cluster import Cluster
from tests.simulation.durable import Changelog
from tests.simulation.gateway import GatewayMoves
from tests.simulation.sink import SinkMember
from tests.simulation.small import FLOWS


@dataclass(frozen=True)
class Parts:
    """The parts of a world, and its size."""

    flows: Sequence[Flow[Any]] = FLOWS
    task: Callable[..., PartitionTask[Any]] = PartitionTask
    changelog: type[Changelog] = Changelog
    cluster: type[Cluster] = Cluster
    gateway: type[GatewayMoves] = GatewayMoves
    sink: type[SinkMember] = SinkMember
    partitions: int = 3
    workers: int = 3
