# SPDX-License-Identifier: ISC
"""An independent opinion on a staple: nothing of oclasp is used here."""

import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from playground.responder import key_hash


def verifies(key, signature, data, algorithm):
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        else:
            key.verify(signature, data, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def signer_key(response, issuer, now):
    """The key that may sign for ISSUER: its own, or its delegate's."""
    for certificate in response.certificates:
        # byKey is always SHA-1 (RFC 6960, section 4.2.1)
        if (key_hash(certificate, hashes.SHA1())
                != response.responder_key_hash):
            continue
        if not verifies(issuer.public_key(), certificate.signature,
                        certificate.tbs_certificate_bytes,
                        certificate.signature_hash_algorithm):
            return None
        uses = certificate.extensions.get_extension_for_class(
            x509.ExtendedKeyUsage).value
        in_time = (certificate.not_valid_before <= now
                   <= certificate.not_valid_after)
        allowed = ExtendedKeyUsageOID.OCSP_SIGNING in uses and in_time
        return certificate.public_key() if allowed else None
    return issuer.public_key()


def fault_of(der, leaf, issuer, now=None):
    """Why DER is no genuine, good, unexpired staple for LEAF; None if it is
    one."""
    now = now or datetime.datetime.utcnow()
    if not der:
        return "no staple"
    try:
        response = ocsp.load_der_ocsp_response(der)
    except ValueError as error:
        return f"not a response: {error}"
    if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        return str(response.response_status)
    if response.serial_number != leaf.serial_number:
        return "for another serial number"
    if response.issuer_key_hash != key_hash(issuer, response.hash_algorithm):
        return "for another issuer"
    key = signer_key(response, issuer, now)
    if key is None or not verifies(key, response.signature,
                                   response.tbs_response_bytes,
                                   response.signature_hash_algorithm):
        return "the signature does not count"
    if response.certificate_status != ocsp.OCSPCertStatus.GOOD:
        return str(response.certificate_status)
    if response.next_update is None or response.next_update <= now:
        return "expired"
    if response.this_update > now + datetime.timedelta(seconds=300):
        return "of the future"
    return None
