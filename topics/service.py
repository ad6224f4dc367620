"""Service health: one asks, every running process answers."""

from schemas import service
from topics.topic import DAY_MS, Kind, Topic

SERVICE_PING = Topic(
    "ecommerce.service.ping", service.ServicePing, "ping_id", Kind.HEALTH, "service", DAY_MS, partitions=1
)
SERVICE_PONG = Topic(
    "ecommerce.service.pong", service.ServicePong, "ping_id", Kind.HEALTH, "service", DAY_MS, partitions=1
)
