# SPDX-License-Identifier: ISC
"""Small disks that get full, or read-only, in the client's namespace."""


def small_disk(lab, folder, kilobytes):
    """A file system of that size at FOLDER, which only the client sees."""
    folder.mkdir(parents=True)
    lab.spaces.must("client", "mount", "-t", "tmpfs", "-o",
                    f"size={kilobytes}k", "tmpfs", folder)


def fill(lab, folder):
    lab.run("dd", "if=/dev/zero", f"of={folder}/filler", "bs=4k")


def read(lab, path):
    result = lab.run("cat", path, text=False)
    return result.stdout if result.returncode == 0 else None


def empty(lab, folder):
    """Room again, after fill()."""
    lab.spaces.must("client", "rm", f"{folder}/filler")


def remount(lab, folder, how):
    """HOW: "ro" or "rw"."""
    lab.spaces.must("client", "mount", "-o", f"remount,{how}", folder)
