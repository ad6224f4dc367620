"""The RSA key pair that signs access tokens: made once, kept under the data directory."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

_BITS = 2048


@dataclass(frozen=True)
class SigningKey:
    """A private key and the id under which its public half is published."""

    private: rsa.RSAPrivateKey
    key_id: str

    @property
    def public(self) -> rsa.RSAPublicKey:
        """Return the public key."""
        return self.private.public_key()

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [{**_jwk(self.public), "kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def secret(self, purpose: str) -> bytes:
        """Return 32 secret bytes for another purpose, the same for every instance that has this key."""
        material = self.private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return hashlib.blake2b(material, digest_size=32, person=purpose.encode()[:16]).digest()


def load_or_create(data_dir: Path) -> SigningKey:
    """Return the key under `data_dir`, made on first use and readable by its owner only.

    Raises ValueError where the file is no private key, TypeError where it is none of RSA.
    """
    path = data_dir / "auth" / "signing-key.pem"
    if not path.exists():
        _create(path)
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError(f"{path}: is not an RSA private key")
    return SigningKey(private, _thumbprint(private.public_key()))


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = rsa.generate_private_key(public_exponent=65537, key_size=_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Two instances may start at once: the first link wins, the other reads what it made.
    own = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def _jwk(public: rsa.RSAPublicKey) -> dict[str, Any]:
    jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    return {name: jwk[name] for name in ("e", "kty", "n")}


def _thumbprint(public: rsa.RSAPublicKey) -> str:
    """Return the key's RFC 7638 thumbprint."""
    canonical = json.dumps(_jwk(public), sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
