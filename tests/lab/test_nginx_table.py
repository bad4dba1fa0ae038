# SPDX-License-Identifier: ISC
"""The table of handshakes that carry a staple: nginx with oclasp beside it.

Alone, nginx has no staple in the first handshake after any start, in none
after a start or reload while its responder is down or wrong, and none for
ever behind a forged name.  With oclasp: 20 of 20, wherever a genuine staple
was ever had.  Each row is judged on the very octets by an independent judge.
"""

import pytest

from playground.lab import HOST, PROVEN, TARPIT, TARPIT6

# A staple that is past half of its life, so that a refresh is due at once,
# and good for a long while still.
DUE = {"lifetime_s": 3600, "age_s": 1900}

FAULTS = ["down", "http500", "html", "tryLater", "unauthorized",
          "internalError", "garbage", "empty", "foreign", "wrongsigner",
          "badsig", "expired", "revoked-elsewhere", "hang", "drip", "big",
          "redirect", "forged"]


def break_responder(lab, fault):
    """From now on the responder has this FAULT."""
    if fault == "down":
        lab.stop_responder()
    elif fault == "forged":
        lab.censor({HOST: {"a": TARPIT, "aaaa": TARPIT6}})
        lab.stop_responder()
    elif fault == "revoked-elsewhere":
        lab.respond("foreign", signer="issuer")
    else:
        lab.respond(fault, hang_s=10)


@pytest.mark.parametrize("workers", [1, 4])
def test_up_cold_start(sites, workers):
    """A11: the first handshake after a cold start carries the staple; nginx
    alone has none in it, and none in the first of each worker."""
    site = sites(workers=workers)
    site.had_staple()
    site.nginx.restart()
    site.must_staple("up, cold start")


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(site, fault):
    """A1, A3, A5, I2: oclasp is at work on a refresh that is due, the
    responder fails; reload and cold restart: 20 of 20 each."""
    lab = site.lab
    staple = site.had_staple(**DUE)
    break_responder(lab, fault)
    seen = len(lab.requests())
    keep = site.keep("--timeout", "5")
    if fault in ("down", "forged"):
        keep.wait_line("connect-refused|http-timeout|connect-timeout")
    else:
        # the attempt is under way, or has failed: it was tried in earnest
        lab.wait_requests(seen + 1)
    site.must_staple(f"{fault}, running")
    site.nginx.reload()
    site.must_staple(f"{fault}, reload")
    site.nginx.restart()
    site.must_staple(f"{fault}, restart, state kept")
    assert site.staple() == staple, f"I2: {fault} changed the staple's file"
    assert keep.stop() == 0
    site.nginx.restart()
    site.must_staple(f"{fault}, restart without a keeper", 3)


@pytest.mark.parametrize("fault", ["down", "http500", "tryLater", "hang"])
def test_keep_restarts_during_the_fault(site, fault):
    """SL1: what was fetched before a restart is served after it, without
    network; oclasp itself restarts, too."""
    lab = site.lab
    site.had_staple(**DUE)
    break_responder(lab, fault)
    site.nginx.stop()
    keep = site.keep("--timeout", "3")
    keep.wait_line("keeping 1")
    site.nginx.start()
    site.must_staple(f"{fault}, both restarted")
    assert keep.stop() == 0
    site.must_staple(f"{fault}, and the keeper gone", 3)


@pytest.mark.parametrize("fault", ["http500", "tryLater", "html"])
def test_recovery(site, fault):
    """BASELINES D: after the responder is mended nginx takes 299 s, haproxy
    114 s; oclasp's first tries come quicker.  Nothing was ever had here."""
    lab = site.lab
    lab.respond(fault)
    site.installed()
    keep = site.keep()
    lab.wait_requests(1)
    assert site.shakes(1)[0][0] is None, "nothing to staple yet"
    lab.respond("good")
    keep.wait_line(PROVEN, seconds=60)
    site.must_staple("after recovery")
