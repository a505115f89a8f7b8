"""Becomes another program, once its pid has been noted down. Run as a script, by itself.

    python -I -S launch.py PARENT_PID DEATH_SIGNAL USER COMMAND...

It waits for one byte on standard input, which comes after its pid was recorded: whoever is killed
in between leaves nothing behind, for the end of the pipe ends this process too. DEATH_SIGNAL
(0: none) is what the program gets when its parent dies (Linux only). USER is who the program
believes to be; PostgreSQL refuses to be root:
  -            who we are
  inside:UID   UID, in a user namespace of its own: the files stay ours, and what we may reach it
               may reach
  become:UID   UID in truth, for where root may not make namespaces (most containers); it keeps the
               one right to enter folders of others, so that it reaches a clone in /root

It imports nothing of ours and little of Python's: it stands between every start and its program.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    """Raise OSError when a call into libc failed."""
    if result != 0:
        fault = ctypes.get_errno()
        raise OSError(fault, f"{what}: {os.strerror(fault)}")


def believe(uid: int) -> None:
    """Be `uid` in a user namespace where that is our present user; raises OSError."""
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    checked(libc.unshare(CLONE_NEWUSER), "unshare")
    for name, text in (
        ("setgroups", "deny"),  # must come before the group map (user_namespaces(7))
        ("uid_map", f"{uid} {outside_uid} 1"),
        ("gid_map", f"{uid} {outside_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)


def become(uid: int) -> None:
    """Be `uid`, keeping CAP_DAC_OVERRIDE over the exec (capabilities(7)); raises OSError."""
    checked(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    bit = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable: the lower 32 of each, then the upper
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    checked(libc.capset(header, sets), "capset")
    checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0), "prctl")


def main(arguments: list[str]) -> None:
    """Wait, change what has to be changed, and become the program."""
    parent, death_signal, user = int(arguments[0]), int(arguments[1]), arguments[2]
    command = arguments[3:]
    if not os.read(0, 1):
        sys.exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        how, _, uid = user.partition(":")
        if how == "inside":
            believe(int(uid))
        elif how == "become":
            become(int(uid))
        if death_signal and sys.platform == "linux":
            # Last: a change of credentials takes the setting away (prctl(2)).
            libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
        os.execvp(command[0], command)  # noqa: S606
    except OSError as fault:
        sys.stderr.write(f"{command[0]} can't be started: {fault.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
