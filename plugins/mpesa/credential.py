"""The SecurityCredential: an operator's password under M-Pesa's certificate.

RSA with PKCS#1 v1.5 padding over the password's bytes, then base 64 (Daraja portal, December 2025). The certificates in
circulation have long passed their validity date, so the date isn't looked at.
"""

from __future__ import annotations

from base64 import b64encode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ports.errors import Misconfigured


def seal(password: str, certificate_pem: str) -> str:
    """Encrypt `password`; each run gives other text, and each may be used many times.

    Raises Misconfigured when the certificate can't be read, isn't RSA, or is too small for the password.
    """
    try:
        key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    except ValueError:
        raise Misconfigured("configuration: /certificate_pem: not a PEM certificate") from None
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured("configuration: /certificate_pem: not an RSA certificate")
    try:
        return b64encode(key.encrypt(password.encode(), PKCS1v15())).decode()
    except ValueError:
        raise Misconfigured("configuration: /initiator_password: too long for the certificate") from None
