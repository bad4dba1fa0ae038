# SPDX-License-Identifier: ISC
"""`discover`: a real nginx's certificates, and what ACME clients left."""

import json
import os
import pathlib
import shutil

import pytest


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
