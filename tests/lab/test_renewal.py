# SPDX-License-Identifier: ISC
"""A renewed certificate: it comes into service together with its staple.

nginx reads certificate and staple at a reload, so between the renewal of the
file and the first staple nobody may reload it, if that can be helped."""

import pytest
from playground import util
from playground.lab import PROVEN, RESPONDERS
from renewals import Watch, renew

OLD, NEW = 0, 1


def kept(site, **script):
    """A keeper whose nginx serves a good staple."""
    site.lab.respond("good", **script)
    keep = site.installed().keep()
    keep.wait_line(PROVEN)
    site.must_staple("before the renewal", 1)
    return keep


def test_old_pair_until_the_first_staple(site):
    """D2: while the responder fails, nginx goes on with the old certificate
    and its staple; the new one's first handshake is stapled."""
    keep = kept(site)
    watch = Watch(site)
    site.lab.respond("http500")
    old = renew(site)
    keep.wait_line("nginx goes on with the certificate of before")
    keep.wait_line("http-status", count=2)
    watch.wait_more()
    site.lab.respond()
    keep.wait_line(PROVEN, count=2, seconds=60)
    site.nginx.settle()
    watch.wait_more()
    assert watch.look(old, site.leaf) == [(OLD, None), (NEW, None)]


def test_somebody_else_reloads(site):
    """A reload that comes too early shows the new certificate without a
    staple, never with the old one's."""
    keep = kept(site)
    site.lab.respond("http500")
    old = renew(site)
    keep.wait_line("nginx goes on with the certificate of before")
    snippet = next((site.state / "nginx").glob("*.conf"))
    util.wait_for("the empty snippet",
                  lambda: "no usable staple" in snippet.read_text())
    watch = Watch(site)
    site.nginx.reload()
    watch.wait_more()
    site.lab.respond()
    keep.wait_line(PROVEN, count=2, seconds=60)
    site.nginx.settle()
    watch.wait_more()
    assert watch.look(old, site.leaf) == [
        (OLD, None), (NEW, "no staple"), (NEW, None)]


def test_no_longer_than_the_old_staple_lives(site):
    """I3: when the old staple ends, nginx is reloaded all the same."""
    # it ends in fifteen seconds, and workers of before have ten to go (I3)
    keep = kept(site, lifetime_s=100, age_s=75)
    site.lab.respond("http500")
    old = renew(site)
    keep.wait_line("nginx goes on with the certificate of before")
    watch = Watch(site)
    keep.wait_line("nginx has been reloaded", count=2, seconds=40)
    site.nginx.settle()
    watch.wait_more()
    assert watch.look(old, site.leaf) == [(OLD, None), (NEW, "no staple")]


def test_without_a_responder_it_is_no_matter(site):
    """A renewed certificate that has nothing to staple is not held."""
    keep = kept(site)
    watch = Watch(site)
    old = renew(site, urls=())
    keep.wait_line("nginx has been reloaded", count=2)
    site.nginx.settle()
    watch.wait_more()
    assert watch.look(old, site.leaf) == [(OLD, None), (NEW, "no staple")]


class Second:
    """One more certificate in the nginx of SITE, with a responder of its
    own."""

    def __init__(self, site):
        self.lab, self.folder = site.lab, site.folder / "second"
        self.url = f"http://{RESPONDERS[1]}/"
        self.leaf = self.lab.leaf(self.folder, urls=(self.url,))
        self.port = site.nginx.add_site(self.leaf, file="second")


@pytest.mark.parametrize("must_staple", [False, True])
def test_beside_others(sites, must_staple):
    """I5, D2: another certificate's first staple is published meanwhile; but
    no must-staple one comes into service without a staple, as long as all that
    is served is good."""
    site = sites(start=False)
    second = Second(site)
    site.nginx.start()
    keep = site.installed().keep()
    keep.wait_line(PROVEN, count=2)
    site.nginx.settle()
    watch, other_watch = Watch(site), Watch(second)
    site.lab.respond("http500", addresses={RESPONDERS[1]: {"mode": "good"}})
    old = renew(site, must_staple=must_staple)
    keep.wait_line("nginx goes on with the certificate of before")
    seen = len(site.lab.requests(RESPONDERS[1]))
    other_old = renew(second, urls=(second.url,))
    util.wait_for("the second one's staple",
                  lambda: len(site.lab.requests(RESPONDERS[1])) > seen)
    if must_staple:
        keep.wait_line("http-status", count=2)
        watch.wait_more()
        site.lab.respond()
        keep.wait_line(PROVEN, count=4, seconds=60)
    else:
        keep.wait_line(PROVEN, count=3, seconds=60)
    site.nginx.settle()
    watch.wait_more()
    other_watch.wait_more()
    assert other_watch.look(other_old, second.leaf) == [
        (OLD, None), (NEW, None)]
    assert watch.look(old, site.leaf) == [
        (OLD, None), (NEW, None if must_staple else "no staple")]
