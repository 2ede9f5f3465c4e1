"""Who belongs together: the processes of one service, one login session or one container.

A lineage begins with the process that leaves the session or the control group of its parent. Its descendants belong to
it until one of them does the same. What packets of one source do is a lineage of its own.
"""

from typing import Final

UNKNOWN: Final = 0
"""The session or the control group of a process of which only the name was told."""


class Lineage:
    """What belongs together; `label` is that of its first member.

    `case` is what the scorer has against it, and `staged` what it may teach once it is found quiet. A new lineage takes
    over both from the one that it left: leaving a session washes nobody clean.
    """

    __slots__ = ("case", "cgroup", "label", "session", "staged")

    def __init__(self, label: str, session: int = UNKNOWN, cgroup: int = UNKNOWN) -> None:
        self.label = label
        self.session = session
        self.cgroup = cgroup
        self.case: object | None = None
        self.staged: object | None = None

    def __repr__(self) -> str:
        return f"Lineage({self.label!r}, session={self.session}, cgroup={self.cgroup})"

    def left_for(self, label: str, session: int, cgroup: int) -> "Lineage":
        """Return the lineage of a member that now is in this session and control group: this one, or a new one."""
        if session == self.session and cgroup == self.cgroup:
            return self
        if self.label == label or (self.session == UNKNOWN and self.cgroup == UNKNOWN):
            self.session = session
            self.cgroup = cgroup
            return self
        new = Lineage(label, session, cgroup)
        new.case = self.case
        new.staged = self.staged
        return new
