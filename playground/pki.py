# SPDX-License-Identifier: ISC
"""A private CA in a folder: root, issuing CA, OCSP delegate, leaves.

Everything is EC P-256 and made in milliseconds.  A folder holds root.pem,
ca.pem and ca.key (the issuer of leaves; the root itself when there is no
intermediate), signer.pem and signer.key (the delegate), issued/SERIAL.pem.
"""

import argparse
import datetime
import hashlib
import ipaddress
import os
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import (AuthorityInformationAccessOID as Aia,
                                   ExtendedKeyUsageOID, NameOID)


def utc_now():
    """Now, as cryptography wants it: UTC without a zone, whole seconds."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(tzinfo=None, microsecond=0)


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def name_of(common_name):
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "oclasp playground"),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def alt_name(name):
    """NAME as a server's certificate has it: a DNS name or an address."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pem_of(*certificates):
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM)
                    for certificate in certificates)


def key_pem_of(key):
    return key.private_bytes(serialization.Encoding.PEM,
                             serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def write_key(path, key):
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(key_pem_of(key))


def load_certificate(path):
    return x509.load_pem_x509_certificate(pathlib.Path(path).read_bytes())


def load_key(path):
    return serialization.load_pem_private_key(
        pathlib.Path(path).read_bytes(), None)


def sign(subject, key, issuer_name, issuer_key, extensions, days=(1, 90)):
    """One certificate; EXTENSIONS are (extension, critical) pairs."""
    now = utc_now()
    builder = (x509.CertificateBuilder()
               .subject_name(subject).issuer_name(issuer_name)
               .public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(days=days[0]))
               .not_valid_after(now + datetime.timedelta(days=days[1])))
    keys = [
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(
            issuer_key.public_key()), False)]
    for extension, critical in keys + extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def usage(**on):
    flags = dict.fromkeys((
        "digital_signature", "content_commitment", "key_encipherment",
        "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
        "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**{**flags, **on})


class Leaf:
    """A server's certificate with its key and the chain to send."""

    def __init__(self, certificate, key, chain):
        self.certificate, self.key, self.chain = certificate, key, chain

    @property
    def fingerprint(self):
        """SHA-256 hex of the DER: the name of its staple's file."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return hashlib.sha256(der).hexdigest()

    @property
    def serial(self):
        return f"{self.certificate.serial_number:x}"

    def write(self, folder, name="server"):
        """Write NAME.pem (leaf and chain), NAME.leaf.pem and NAME.key."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.pem"
        self.leaf_path = folder / f"{name}.leaf.pem"
        self.key_path = folder / f"{name}.key"
        write_key(self.key_path, self.key)
        self.leaf_path.write_bytes(pem_of(self.certificate))
        self.path.write_bytes(pem_of(self.certificate, *self.chain))
        return self


class Authority:
    """A CA that issues leaves and delegates the signing of responses."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.root = load_certificate(self.folder / "root.pem")
        self.certificate = load_certificate(self.folder / "ca.pem")
        self.key = load_key(self.folder / "ca.key")
        self.signer = load_certificate(self.folder / "signer.pem")
        self.signer_key = load_key(self.folder / "signer.key")

    root_path = property(lambda self: self.folder / "root.pem")
    path = property(lambda self: self.folder / "ca.pem")

    @classmethod
    def create(cls, folder, name="Playground CA", intermediate=True):
        """Make a CA in FOLDER.  Two CAs of one NAME differ in their keys
        alone: that is what an impostor looks like."""
        folder = pathlib.Path(folder)
        (folder / "issued").mkdir(parents=True)
        ca_extensions = [(x509.BasicConstraints(True, None), True),
                         (usage(key_cert_sign=True, crl_sign=True,
                                digital_signature=True), True)]
        root_key = new_key()
        root_name = name_of(f"{name} Root" if intermediate else name)
        root = sign(root_name, root_key, root_name, root_key, ca_extensions,
                    (30, 3650))
        key, certificate = root_key, root
        if intermediate:
            key = new_key()
            certificate = sign(name_of(name), key, root_name, root_key,
                               ca_extensions, (30, 3600))
        (folder / "root.pem").write_bytes(pem_of(root))
        (folder / "ca.pem").write_bytes(pem_of(certificate))
        write_key(folder / "ca.key", key)
        signer_key = new_key()
        signer = sign(name_of(f"{name} OCSP signer"), signer_key,
                      certificate.subject, key, [
                          (x509.BasicConstraints(False, None), True),
                          (usage(digital_signature=True), True),
                          (x509.ExtendedKeyUsage(
                              [ExtendedKeyUsageOID.OCSP_SIGNING]), False),
                          (x509.OCSPNoCheck(), False)])
        (folder / "signer.pem").write_bytes(pem_of(signer))
        write_key(folder / "signer.key", signer_key)
        return cls(folder)

    def issue(self, names, urls=(), ca_issuers=None, must_staple=False,
              days=(1, 90), key=None, crl=None):
        """A leaf for NAMES whose AIA names the OCSP URLS."""
        key = key or new_key()
        access = [(Aia.OCSP, url) for url in urls]
        access += [(Aia.CA_ISSUERS, ca_issuers)] if ca_issuers else []
        extensions = [
            (x509.BasicConstraints(False, None), True),
            (usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName([alt_name(n) for n in names]),
             False)]
        if access:
            extensions.append((x509.AuthorityInformationAccess([
                x509.AccessDescription(
                    method, x509.UniformResourceIdentifier(url))
                for method, url in access]), False))
        if crl:
            extensions.append((x509.CRLDistributionPoints([
                x509.DistributionPoint([x509.UniformResourceIdentifier(crl)],
                                       None, None, None)]), False))
        if must_staple:
            extensions.append((x509.TLSFeature(
                [x509.TLSFeatureType.status_request]), False))
        certificate = sign(name_of(names[0]), key, self.certificate.subject,
                           self.key, extensions, days)
        issued = self.folder / "issued" / f"{certificate.serial_number:x}.pem"
        issued.write_bytes(pem_of(certificate))
        return Leaf(certificate, key, [self.certificate])

    def find(self, serial):
        """The certificate of that serial number if this CA issued it."""
        path = self.folder / "issued" / f"{serial:x}.pem"
        return load_certificate(path) if path.exists() else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--name", default="localhost")
    parser.add_argument("--url", action="append", default=[])
    parser.add_argument("--must-staple", action="store_true")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    exists = (folder / "ca.pem").exists()
    authority = Authority(folder) if exists else Authority.create(folder)
    leaf = authority.issue([options.name], options.url,
                           must_staple=options.must_staple)
    print(leaf.write(folder, options.name).path)


if __name__ == "__main__":
    main()
