"""Which tests stay in one of a run's processes, where it has several (pytest-xdist)."""

from xdist.scheduler import LoadFileScheduling

# Folders whose tests share one stack of nine processes, which each process would start anew.
TOGETHER = ("tests/outside/",)


class ByFileOrFolder(LoadFileScheduling):
    """A file's tests stay together, and a whole folder's where they share what is dear."""

    def _split_scope(self, nodeid: str) -> str:
        for folder in TOGETHER:
            if nodeid.startswith(folder):
                return folder
        return super()._split_scope(nodeid)
