# SPDX-License-Identifier: ISC
"""What keep remembers, and through what: restarts, full and read-only disks,
a database that is damaged or deleted."""

import datetime

import pytest
from disk_of_lab import empty, fill, remount, small_disk
from playground import util

MEMORY = "what changes is kept in memory only"


def seconds_at(text):
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


@pytest.fixture
def kept(lab, tmp_path):
    """A keep of one certificate, with its state on a small disk of its own."""
    class Kept:
        state = tmp_path / "state"
        leaf = lab.leaf(tmp_path, "www")
        logs = 0

        def start(self):
            self.logs += 1
            self.keep = lab.keep(tmp_path / f"log{self.logs}",
                                 "--state-dir", self.state, self.leaf.path)
            return self.keep

        def row(self):
            """What the store knows while no keep runs."""
            result = lab.oclasp("status", "--json", "--state-dir", self.state)
            assert result.json["running"] is False, result
            row, = result.json["targets"]
            return row

        def files(self, folder="."):
            return lab.run("ls", self.state / folder).stdout.split()
    found = Kept()
    small_disk(lab, found.state, 1024)
    yield found
    lab.run("umount", "-l", found.state)


def test_full_disk_while_it_runs(lab, kept):
    """A13: what comes while the disk is full is not lost, said once, and on
    the disk when there is room again."""
    lab.respond("good", lifetime_s=7200, age_s=3000)
    kept.start().wait_line("usable for")
    lab.oclasp("status", "--state-dir", kept.state)
    fill(lab, kept.state)
    lab.respond("good", lifetime_s=7200, age_s=100)
    refreshed = lab.oclasp("refresh", "--all", "--state-dir", kept.state)
    assert refreshed.code == 0, refreshed
    kept.keep.wait_line(MEMORY, seconds=30)
    kept.keep.wait_line("cannot publish, again in", seconds=30)
    empty(lab, kept.state)
    kept.keep.wait_line("the store is written again", seconds=60)
    kept.keep.wait_line("published, as it could not be before", seconds=60)
    assert kept.keep.text.count(MEMORY) == 1
    lab.stop_responder()
    kept.keep.kill()
    row = kept.row()
    assert row["state"] == "fresh"
    age = seconds_at(row["last_attempt"]) - \
        seconds_at(row["response"]["this_update"])
    assert age < 1000, "the older one is in the store"


@pytest.mark.parametrize("how", ["read-only", "full"])
def test_start_on_a_sick_disk(lab, kept, how):
    """A1, A13: a restart on a disk that cannot be written serves what was
    there, says so, and goes on when it can be."""
    kept.start().wait_line("usable for")
    assert kept.keep.stop() == 0
    lab.stop_responder()
    if how == "full":
        fill(lab, kept.state)
    else:
        remount(lab, kept.state, "ro")
    keep = kept.start()
    keep.wait_line("1 of them has a usable staple", seconds=30)
    keep.wait_line(MEMORY, seconds=30)
    # nobody else begins beside it
    second = lab.oclasp("keep", "--state-dir", kept.state, kept.leaf.path)
    assert second.code == 2 and "another oclasp" in second.err, second
    if how == "full":
        empty(lab, kept.state)
    else:
        remount(lab, kept.state, "rw")
    keep.wait_line("the store is written again", seconds=60)
    assert keep.stop() == 0
    assert kept.row()["state"] == "fresh"
    assert not [name for name in kept.files() if "damaged" in name]


def test_read_only_from_the_beginning(lab, kept):
    """Nothing was ever kept there: it works from memory, under a lock."""
    remount(lab, kept.state, "ro")
    keep = kept.start()
    keep.wait_line(MEMORY, seconds=30)
    keep.wait_line("usable for", seconds=30)
    second = lab.oclasp("keep", "--state-dir", kept.state, kept.leaf.path)
    assert second.code == 2 and "another oclasp" in second.err, second
    remount(lab, kept.state, "rw")
    # the lock is the folder's, and holds also for who finds it writable
    third = lab.oclasp("keep", "--state-dir", kept.state, kept.leaf.path)
    assert third.code == 2 and "another oclasp" in third.err, third
    keep.wait_line("the store is written again", seconds=60)
    lab.stop_responder()
    assert keep.stop() == 0
    assert kept.row()["state"] == "fresh"


def test_revoked_is_not_forgotten(lab, kept):
    """C15: neither by a restart nor by a failure after it; and who said so
    is not asked again because of the restart."""
    kept.start().wait_line("usable for")
    lab.respond("revoked")
    assert lab.oclasp("refresh", "--all", "--state-dir",
                      kept.state).code == 1
    assert kept.keep.stop() == 0
    row = kept.row()
    assert row["state"] == "revoked"
    requests = len(lab.requests())
    lab.respond("good", age_s=3000)
    kept.start().wait_line("revoked")
    again = lab.oclasp("status", "--json", "--state-dir", kept.state)
    target, = again.json["targets"]
    assert target["state"] == "revoked"
    assert target["next_refresh"] == row["next_refresh"]
    assert len(lab.requests()) == requests
    assert kept.keep.stop() == 0


def test_deleted_beneath_it(lab, kept):
    """I7: all that was in it is there again."""
    kept.start().wait_line("usable for")
    before = lab.oclasp("status", "--json", "--state-dir",
                        kept.state).json["targets"]
    lab.run("sh", "-c", f"rm {kept.state}/oclasp.db*")
    util.wait_for("a new database", lambda: "oclasp.db" in kept.files())
    # a flush is behind what was put before it
    assert kept.keep.stop() == 0
    lab.stop_responder()
    lab.run("sh", "-c", f"rm {kept.state}/staples/*.der")
    row = kept.row()
    assert row["state"] == "fresh"
    assert row["response"] == before[0]["response"]
    assert row["last_attempt"] == before[0]["last_attempt"]


def test_damaged_at_a_start(lab, kept):
    """It is set aside, and what was published is taken instead."""
    kept.start().wait_line("usable for")
    util.wait_for("the staple's file", lambda: (
        f"{kept.leaf.fingerprint}.der" in kept.files("staples")))
    assert kept.keep.stop() == 0
    lab.stop_responder()
    lab.run("dd", "if=/dev/urandom", f"of={kept.state}/oclasp.db", "bs=4096",
            "seek=1", "count=9", "conv=notrunc")
    keep = kept.start()
    keep.wait_line("the store was damaged: it is now")
    keep.wait_line("1 of them has a usable staple")
    assert keep.stop() == 0
    damaged = [name for name in kept.files() if "damaged" in name]
    assert len([name for name in damaged
                if not name.endswith(("-wal", "-shm"))]) == 1, damaged
    lab.run("sh", "-c", f"rm {kept.state}/staples/*.der")
    assert kept.row()["state"] == "fresh"
