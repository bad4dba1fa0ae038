# SPDX-License-Identifier: ISC
"""The forged DNS answer of an injector on the path, octet for octet.

The published injector copies the ID and the question, sets flags 0x8180 (or
0x8400 for a question without RD) and appends exactly one record owned by the
QNAME: an AAAA if one was asked for, an A for every other type, TXT included.
Never an OPT, never a CNAME, never an authority section.
"""

import socket
import struct

TYPE_A, TYPE_AAAA = 1, 28


def question_of(query):
    """(name, type, end) of the first question of QUERY, or None if QUERY is
    no question.  The name is in lower case and without the last dot."""
    if len(query) < 17 or query[2] & 0x80:
        return None
    labels, at = [], 12
    while at < len(query) and query[at]:
        length = query[at]
        if length > 63 or at + 1 + length > len(query):
            return None
        labels.append(query[at + 1:at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    if at + 5 > len(query):
        return None
    return ".".join(labels), struct.unpack_from("!H", query, at + 1)[0], at + 5


def forge(query, address4, address6, ttl=120):
    """The forged answer to QUERY; None for AAAA without ADDRESS6."""
    _, kind, end = question_of(query)
    if kind == TYPE_AAAA and address6 is None:
        return None
    flags = 0x8180 if query[2] & 1 else 0x8400
    if kind == TYPE_AAAA:
        data = socket.inet_pton(socket.AF_INET6, address6)
    else:
        kind, data = TYPE_A, socket.inet_pton(socket.AF_INET, address4)
    return (query[:2] + struct.pack("!HHHHH", flags, 1, 1, 0, 0)
            + query[12:end]
            + struct.pack("!HHHIH", 0xC00C, kind, 1, ttl, len(data)) + data)


RCODES = {"formerr": 1, "servfail": 2, "nxdomain": 3, "refused": 5}


def deny(query, rcode):
    """A forged answer that denies: no record at all, RCODE one of RCODES."""
    _, _, end = question_of(query)
    return (query[:2] + struct.pack("!HHHHH", 0x8180 | RCODES[rcode],
                                    1, 0, 0, 0) + query[12:end])
