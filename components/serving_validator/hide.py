"""Makes folders unreadable to this process and its children, for good.

Linux's Landlock (from 5.13) only knows what may be read, so everything else is
listed: the neighbours of the folders and of what they lie in. It needs no
privilege. Runs in the clean process, so it imports nothing of ours.
"""

import ctypes
import os
from collections.abc import Iterator, Sequence

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE = 1 << 2
_PATH_BENEATH = 1
_SET_NO_NEW_PRIVILEGES = 38


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def hide(folders: Sequence[str]) -> bool:
    """Hides folders and all that is in them; new files beside them are hidden too.

    Threads that are there already would go on reading: importing TensorFlow
    leaves some that read no files, those that run a model come later.

    Args:
        folders: Absolute paths, without symbolic links; others need not exist.

    Returns:
        False where the system has no Landlock, or a folder above cannot be
        listed; then everything stays readable.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    ruleset = _Ruleset(_READ_FILE)
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    if rules < 0:
        return False
    try:
        for path in _others("/", folders):
            _allow(libc, rules, path)
        if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        return not libc.syscall(_RESTRICT_SELF, rules, 0)
    except PermissionError:
        return False
    finally:
        os.close(rules)


def _others(folder: str, hidden: Sequence[str]) -> Iterator[str]:
    """Everything but the hidden, as high up as can be."""
    for entry in os.scandir(folder):
        # What a link points to is listed where it lies.
        if entry.path in hidden or entry.is_symlink():
            continue
        if any(one.startswith(entry.path + "/") for one in hidden):
            yield from _others(entry.path, hidden)
        else:
            yield entry.path


def _allow(libc: ctypes.CDLL, rules: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # Gone meanwhile.
    rule = _PathBeneath(_READ_FILE, descriptor)
    libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(descriptor)
