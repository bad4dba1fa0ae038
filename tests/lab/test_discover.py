# SPDX-License-Identifier: ISC
"""`discover`: a real nginx's certificates, and what ACME clients left."""

import json
import os
import pathlib
import shutil
import signal

import pytest
from playground import util


def place(folder, *parts):
    path = pathlib.Path(folder, *parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def machine(site, tmp_path):
    """Another system's disk: one certificate with certbot, one with lego."""
    root = tmp_path / "root"
    copy = place(root, "etc/letsencrypt/archive/one.test/fullchain1.pem")
    shutil.copy(site.leaf.path, copy)
    link = place(root, "etc/letsencrypt/live/one.test/fullchain.pem")
    link.symlink_to("../../archive/one.test/fullchain1.pem")
    # a key that nobody can read to its end: it must not be opened (I4)
    os.mkfifo(link.parent / "privkey.pem")
    plain = site.lab.leaf(tmp_path / "plain", urls=())
    crt = place(root, "root/.lego/certificates/plain.test.crt")
    shutil.copy(plain.leaf_path, crt)
    shutil.copy(site.lab.authority.path,
                crt.parent / "plain.test.issuer.crt")
    place(root, "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n",
                                         encoding="utf-8")
    site.root, site.plain = root, plain
    return site


def discover(site, *words):
    result = site.lab.oclasp("discover", "--root", site.root,
                             "--server-command", site.nginx.command, *words)
    assert result.code == 0, result
    return result


def test_each_once(machine):
    """One certificate in nginx and in certbot's live/ is one entry, by
    nginx's path; links stay links."""
    found = discover(machine, "--json").json["certificates"]
    assert [entry["fingerprint"] for entry in found] == [
        machine.leaf.fingerprint, machine.plain.fingerprint]
    first, second = found
    assert first["path"] == str(machine.leaf.path)
    assert first["found_in"] == ["nginx", "certbot"]
    live = machine.root / "etc/letsencrypt/live/one.test/fullchain.pem"
    assert {"path": str(live), "found_in": "certbot"} in first["paths"]
    assert first["ocsp_urls"] and first["reason"] is None
    assert second["found_in"] == ["lego"] and second["ocsp_urls"] == []
    assert second["path"].startswith(str(machine.root / "root/.lego"))


def test_table(machine):
    text = discover(machine).out
    assert "no OCSP URL: nothing to staple" in text, text
    assert "nginx, certbot" in text and str(machine.leaf.path) in text, text
    assert "2 certificates, 1 with something to staple" in text, text


def test_unreadable_hinders_nothing(machine):
    """I8: what is broken is named, the others are found."""
    broken = place(machine.root, "etc/letsencrypt/live/two.test/fullchain.pem")
    broken.write_text("nothing\n", encoding="utf-8")
    machine.nginx.conf.write_text("no configuration", encoding="utf-8")
    result = discover(machine, "--json")
    assert len(result.json["certificates"]) == 2
    assert [(entry["found_in"], entry["reason"])
            for entry in result.json["unreadable"]] == [
        ("nginx", "server-config"), ("certbot", "certificate-unreadable")]
    text = discover(machine)
    assert str(broken) in text.err and str(broken) not in text.out


def test_bad_arguments(lab, tmp_path):
    for words in (["x"], ["--place", "lego"], ["--place", "lego=x"],
                  ["--root", tmp_path / "none"], ["--wrong"]):
        result = lab.oclasp("discover", *words, "--json")
        assert result.code == 2 and result.out == "" and result.err, result


def test_json_is_one_document(machine):
    json.loads(discover(machine, "--json").out)


# --- keep --discover

@pytest.fixture
def found(site, tmp_path):
    """nginx with one certificate, and certbot's folder with another."""
    live = place(tmp_path, "le/live/two.test/fullchain.pem")
    site.live, site.two = live, site.lab.leaf(tmp_path / "two", name="two")
    shutil.copy(site.two.path, live)
    site.words = ["--discover", "--place", f"certbot={tmp_path / 'le'}"]
    return site


def test_keep_what_is_found(found):
    """Beside nginx's own, what an ACME client has is kept too."""
    result = found.installed().once(*found.words)
    assert result.code == 0, result
    assert "keeping 2 certificates" in result.err, result
    assert found.fault(found.staple()) is None
    path = found.staple_path(found.two)
    assert found.fault(path.read_bytes(), found.two) is None


def test_keep_by_the_servers_path(found, tmp_path):
    """One certificate by two names is kept once."""
    shutil.copy(found.leaf.path,
                place(tmp_path, "le/live/one.test/fullchain.pem"))
    result = found.installed().once(*found.words)
    assert "keeping 2 certificates" in result.err, result
    # requests may be more: where one is slow another road is tried beside it
    assert result.err.count("a good response") == 2, "each is fetched once"


def test_looks_again(found, tmp_path):
    """A reload finds what has come; what is gone is missed twice before it
    counts as gone; a restart withdraws nothing."""
    keep = found.installed().keep(*found.words)
    keep.wait_line("keeping 2 certificates")
    util.wait_for("its staple", found.staple_path(found.two).exists)
    three = found.lab.leaf(tmp_path / "three", name="three")
    path = place(tmp_path, "le/live/three.test/fullchain.pem")
    shutil.copy(three.path, path)
    keep.signal(signal.SIGHUP)
    keep.wait_line("keeping 3 certificates")
    util.wait_for("its staple", found.staple_path(three).exists)
    assert keep.stop() == 0
    keep = found.keep(*found.words)
    keep.wait_line("keeping 3 certificates")
    keep.wait_line("proven")
    assert found.staple_path(three).exists()
    os.unlink(path)
    keep.signal(signal.SIGHUP)
    keep.wait_line("not kept any more", seconds=20)
    util.wait_for("the end of its staple",
                  lambda: not found.staple_path(three).exists())
    assert found.staple_path(found.two).exists()


def test_unreadable_is_named(found):
    """I8: named once, and it stops nothing."""
    keep = found.installed().keep(*found.words)
    keep.wait_line("keeping 2 certificates")
    util.wait_for("its staple", found.staple_path(found.two).exists)
    found.live.write_text("torn", encoding="utf-8")
    keep.signal(signal.SIGHUP)
    keep.wait_line("certbot: .*two.test/fullchain.pem")
    assert found.staple_path(found.two).exists(), "I2"
    shutil.copy(found.two.path, found.live)
    keep.signal(signal.SIGHUP)
    keep.wait_line("reading configuration", count=2)
    assert "not kept any more" not in keep.text


def test_by_configuration(found, tmp_path):
    config = tmp_path / "oclasp.conf"
    config.write_text(
        "discover {\n\tplaces = {\"certbot=%s\"}\n}\n" % (tmp_path / "le"),
        encoding="utf-8")
    result = found.lab.oclasp("keep", "--once", "--config", config,
                              "--state-dir", found.state)
    assert result.code == 0, result
    assert found.staple_path(found.two).exists()
