"""The simulator's own RSA key and certificate, against which a SecurityCredential is made and read.

RSA with PKCS#1 v1.5 padding over the password bytes, then base64 (Daraja portal, December 2025). The certificate has
long expired, as the real ones in circulation have, so that a client that checks dates is found out.
"""

import base64
import binascii
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID


@cache
def _fresh_key() -> rsa.RSAPrivateKey:
    """One key a process: simulators in the same test run need not each wait for their own."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Keys:
    """The key pair of one state directory; both files are written there once."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._key_file = state_dir / "key.pem"
        self.certificate_file = state_dir / "certificate.pem"
        self._key = self._load() or self._make()
        self.certificate_pem = self.certificate_file.read_text()

    def _load(self) -> rsa.RSAPrivateKey | None:
        if not (self._key_file.exists() and self.certificate_file.exists()):
            return None
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        return key if isinstance(key, rsa.RSAPrivateKey) else None

    def _make(self) -> rsa.RSAPrivateKey:
        key = _fresh_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox.mpesa.invalid")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(2015, 8, 6, tzinfo=UTC))
            .not_valid_after(datetime(2016, 8, 5, tzinfo=UTC))
            .sign(key, hashes.SHA256())
        )
        self.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._key_file.touch(mode=0o600)
        self._key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return key

    def password_in(self, credential: str) -> str | None:
        """The password inside a SecurityCredential; None if it is not one of ours."""
        try:
            sealed = base64.b64decode(credential, validate=True)
            return self._key.decrypt(sealed, padding.PKCS1v15()).decode()
        except (binascii.Error, ValueError):
            return None

    def seal(self, password: str) -> str:
        """A SecurityCredential for a password, as a client makes it from the certificate."""
        sealed = self._key.public_key().encrypt(password.encode(), padding.PKCS1v15())
        return base64.b64encode(sealed).decode()
