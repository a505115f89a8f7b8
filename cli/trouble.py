"""What goes wrong outside of our own code, told to a person in one sentence."""

import errno


class Trouble(Exception):
    """A fault that the person at the keyboard can see to.

    Its text is one sentence (or two) that says what is wrong, where, and what to do. The command
    line prints it without a traceback and ends with `exit_code`.
    """

    exit_code = 1


class NotThere(Trouble):
    """What was named is not there, or is no file."""

    exit_code = 2


def from_os_error(fault: OSError) -> Trouble:
    """Turn what the operating system said about a file into a sentence for a person."""
    where = f" {fault.filename}" if fault.filename else ""
    match fault.errno:
        case errno.ENOENT if where:
            return NotThere(f"There is no file or folder{where}.")
        case errno.EISDIR:
            return NotThere(f"{where.strip()} is a folder where a file is needed; name a file.")
        case errno.ENOSPC | errno.EDQUOT:
            return Trouble(
                f"The disk is full: nothing more can be written to{where or ' it'}; "
                "free some space there, or choose a place on another disk."
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return Trouble(
                f"There is no permission for{where or ' that'}; give yourself the right to it, or "
                "choose another place."
            )
        case errno.ENOTDIR | errno.EEXIST:
            return Trouble(f"{where.strip()} is a file where a folder is needed; choose another.")
        case errno.EMFILE | errno.ENFILE:
            return Trouble("Too many files are open; raise the limit with `ulimit -n 4096`.")
        case _:
            return Trouble(f"{fault.strerror or fault}{':' if where else ''}{where}.")
