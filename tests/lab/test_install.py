# SPDX-License-Identifier: ISC
"""`install nginx`: a plan first, applied when asked, undone when wrong."""

import hashlib


def digest(site):
    """All of nginx's configuration as one hash."""
    files = sorted((site.nginx.prefix / "sites").iterdir())
    return hashlib.sha256(b"".join(
        path.read_bytes() for path in [site.nginx.conf, *files])).hexdigest()


def site_file(site):
    return (site.nginx.prefix / "sites" / "site.conf").read_text()


def test_plan_changes_nothing(site):
    """Without --apply: a unified diff, and not a byte is touched."""
    before = digest(site)
    result = site.install()
    assert result.code == 0, result
    assert "--- " in result.out and "+++ " in result.out, result
    assert any(line.startswith("+") and "include" in line
               for line in result.out.splitlines()), result
    assert digest(site) == before


def test_apply_and_again(site):
    """Applied once, nothing left to do the second time."""
    site.installed()
    assert site.nginx.test().returncode == 0
    assert "include" in site_file(site)
    before, reloads = digest(site), site.nginx.reloads()
    result = site.install("--apply")
    assert result.code == 0, result
    assert digest(site) == before and site.nginx.reloads() == reloads
    assert "+++ " not in site.install().out


def test_slash_behind_the_folder(site):
    """What a shell completes is the same folder, for `keep` and for the next
    `install`."""
    result = site.install("--apply", "--state-dir", f"{site.state}/")
    assert result.code == 0, result
    site.nginx.settle()
    assert "+++ " not in site.install().out
    result = site.once()
    assert result.code == 0 and site.staple(), result
    site.must_staple("a slash behind --state-dir", 1)


def test_own_stapling_lines_are_put_aside(sites):
    """nginx refuses a directive that is given twice."""
    site = sites(lines=["ssl_stapling on;", "ssl_stapling_verify off;",
                        "resolver 10.77.2.53;"])
    site.had_staple()
    site.nginx.restart()
    site.must_staple("instead of nginx's own stapling")
    assert "# oclasp: " in site_file(site)


def test_two_certificates_in_one_block(sites, lab, tmp_path):
    """plinss/acmebot#31: one staple file would serve both certificates, so
    the block is left alone, and that is said."""
    other = lab.leaf(tmp_path, "other")
    site = sites(lines=[f"ssl_certificate {other.path};",
                        f"ssl_certificate_key {other.key_path};"])
    before = digest(site)
    result = site.install("--apply")
    assert digest(site) == before, result
    assert "left alone" in result.out + result.err, result


def test_broken_configuration_is_left_alone(site):
    """A fault that was there before: told with nginx's own words, exit 2 or
    1, not a byte changed."""
    path = site.nginx.prefix / "sites" / "broken.conf"
    path.write_text("server { listen 127.0.0.1:1 ssl; nonsense on; }\n")
    before = digest(site)
    result = site.install("--apply")
    assert result.code in (1, 2), result
    assert "server-config" in result.err and "nonsense" in result.err, result
    assert digest(site) == before


def test_no_such_server_command(site):
    result = site.lab.oclasp("install", "nginx", "--state-dir", site.state,
                             "--server-command", "/no/such/nginx")
    assert result.code in (1, 2), result
    assert "/no/such/nginx" in result.err


def test_unknown_server(site):
    assert site.lab.oclasp("install", "gopherd").code == 2


def test_snippet_is_emptied_not_removed(site):
    """With no staple nginx starts all the same: it refuses a configuration
    that names a missing staple file."""
    site.had_staple()
    snippets = list((site.state / "nginx").iterdir())
    assert any("ssl_stapling_file" in path.read_text() for path in snippets)
    site.lab.respond("revoked")
    site.nginx.restart()
    assert site.nginx.test().returncode == 0
