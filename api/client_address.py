"""Who is at the other end of a connection: the one answer that every limit per client counts by."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from fastapi import FastAPI
from starlette.types import Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

UNKNOWN = "unknown"
# What a provider gives to one customer: who has it can take a new address for every request.
_IPV6_CUSTOMER_BITS = 64


def client_of(scope: Scope) -> str:
    """Return the client to whom a request is counted: its address, of IPv6 the /64 network that it is in.

    It is the address of the connection; behind a trusted proxy, the one that the proxy names.
    """
    client: Any = scope.get("client")
    return counted_as(client[0]) if client else UNKNOWN


def counted_as(host: str) -> str:
    """Return under which name an address is counted; a text that is no address stands for itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:255] or UNKNOWN
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _IPV6_CUSTOMER_BITS), strict=False))


def trust_proxies(app: FastAPI, trusted: Sequence[IPv4Network | IPv6Network]) -> None:
    """Let the proxies in the given networks, and nobody else, say whom they speak for.

    The last address of `X-Forwarded-For` that is no trusted proxy's is the client: what stands before it
    could be the client's own invention. The server itself must not read these headers (`proxy_headers`).
    """
    if trusted:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[str(network) for network in trusted])
