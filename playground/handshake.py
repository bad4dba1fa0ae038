# SPDX-License-Identifier: ISC
"""TLS handshakes as a client that asks for a staple, with the exact octets.

Python's ssl cannot read a staple and `openssl s_client` prints it only as
text, so this calls libssl.  Nothing is verified here.
`python3 -m playground.handshake HOST PORT [-n 20]`: one JSON line each.
"""

import argparse
import base64
import ctypes
import ctypes.util
import json
import socket
import time

# of openssl/ssl.h and openssl/tls1.h
SSL_CTRL_SET_TLSEXT_HOSTNAME = 55
SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE = 65
SSL_CTRL_SET_TLSEXT_STATUS_REQ_EXTS = 67
SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP = 70
SSL_CTRL_SET_MIN_PROTO_VERSION = 123
SSL_CTRL_SET_MAX_PROTO_VERSION = 124
STATUS_TYPE_OCSP = 1
VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}


def load():
    """libssl, with the prototypes of what is used."""
    ssl = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
    pointer, integer, long = ctypes.c_void_p, ctypes.c_int, ctypes.c_long
    for name, result, *arguments in (
            ("TLS_client_method", pointer),
            ("SSL_CTX_new", pointer, pointer),
            ("SSL_CTX_free", None, pointer),
            ("SSL_new", pointer, pointer),
            ("SSL_free", None, pointer),
            ("SSL_ctrl", long, pointer, integer, long, pointer),
            ("SSL_set_fd", integer, pointer, integer),
            ("SSL_connect", integer, pointer),
            ("SSL_get1_peer_certificate", pointer, pointer),
            ("i2d_X509", integer, pointer, ctypes.POINTER(pointer)),
            ("X509_free", None, pointer)):
        function = getattr(ssl, name)
        function.restype, function.argtypes = result, arguments
    return ssl


def staple_of(ssl, session):
    """The stapled octets, or None."""
    octets = ctypes.c_void_p()
    size = ssl.SSL_ctrl(session, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0,
                        ctypes.byref(octets))
    return ctypes.string_at(octets, size) if size > 0 else None


def leaf_of(ssl, session):
    """The DER of the server's certificate."""
    certificate = ssl.SSL_get1_peer_certificate(session)
    size = ssl.i2d_X509(certificate, None)
    buffer = ctypes.create_string_buffer(size)
    end = ctypes.c_void_p(ctypes.addressof(buffer))
    ssl.i2d_X509(certificate, ctypes.byref(end))
    ssl.X509_free(certificate)
    return buffer.raw


def nonce_extensions():
    """The stack of X509 extensions with an OCSP nonce of 32 octets."""
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto")
                         or "libcrypto.so.3")
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    for name, result, *arguments in (
            ("OCSP_REQUEST_new", pointer),
            ("OCSP_REQUEST_free", None, pointer),
            ("OCSP_request_add1_nonce", integer, pointer, pointer, integer),
            ("OCSP_REQUEST_get_ext", pointer, pointer, integer),
            ("X509v3_add_ext", pointer, pointer, pointer, integer)):
        function = getattr(crypto, name)
        function.restype, function.argtypes = result, arguments
    request, stack = crypto.OCSP_REQUEST_new(), pointer()
    crypto.OCSP_request_add1_nonce(request, None, 32)
    crypto.X509v3_add_ext(ctypes.byref(stack),
                          crypto.OCSP_REQUEST_get_ext(request, 0), -1)
    crypto.OCSP_REQUEST_free(request)
    return stack


def handshake(host, port, servername=None, version=None, timeout=25,
              nonce=False):
    """One handshake: {staple, leaf (DER or None), at, ms, error}."""
    ssl = load()
    start = time.monotonic()
    result = {"staple": None, "leaf": None, "at": time.time(), "error": None}
    context = ssl.SSL_CTX_new(ssl.TLS_client_method())
    session = ssl.SSL_new(context)
    try:
        if version:
            for limit in (SSL_CTRL_SET_MIN_PROTO_VERSION,
                          SSL_CTRL_SET_MAX_PROTO_VERSION):
                ssl.SSL_ctrl(session, limit, VERSIONS[version], None)
        ssl.SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE,
                     STATUS_TYPE_OCSP, None)
        if nonce:  # the session frees it
            ssl.SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_STATUS_REQ_EXTS, 0,
                         nonce_extensions())
        ssl.SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0,
                     (servername or host).encode())
        with socket.create_connection((host, port), timeout) as connection:
            connection.setblocking(True)
            ssl.SSL_set_fd(session, connection.fileno())
            if ssl.SSL_connect(session) == 1:
                result["staple"] = staple_of(ssl, session)
                result["leaf"] = leaf_of(ssl, session)
            else:
                result["error"] = "the handshake failed"
    except OSError as error:
        result["error"] = str(error)
    finally:
        ssl.SSL_free(session)
        ssl.SSL_CTX_free(context)
    result["ms"] = round((time.monotonic() - start) * 1000, 1)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--servername", default="localhost")
    parser.add_argument("--tls", choices=VERSIONS)
    parser.add_argument("--nonce", action="store_true",
                        help="ask for a staple with this client's own nonce")
    parser.add_argument("-n", type=int, default=1)
    options = parser.parse_args()
    for _ in range(options.n):
        result = handshake(options.host, options.port, options.servername,
                           options.tls, nonce=options.nonce)
        for name in ("staple", "leaf"):
            if result[name]:
                result[name] = base64.b64encode(result[name]).decode()
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
