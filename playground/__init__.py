# SPDX-License-Identifier: ISC
"""The building blocks of the demo, the lab and the benchmarks.

A private CA (pki), its responder, a resolver that can lie, a censor that
injects forged answers, a real nginx, and network namespaces to put them in.
Only the standard library, python3-cryptography and python3-dnspython.
"""
