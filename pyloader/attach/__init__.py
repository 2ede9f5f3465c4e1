"""XDP on interfaces, by netlink.

`xdp` attaches and detaches one program, `events` tells when interfaces change, `interfaces` keeps a program on the
chosen ones while they come and go. What is attached by netlink outlives the process that did it, so whoever starts next
looks for programs of ours that were left behind.
"""

from pyloader.attach.interfaces import Changes, Interfaces, OpenStale, sweep_all
from pyloader.attach.xdp import Attachment, Mode

__all__ = ["Attachment", "Changes", "Interfaces", "Mode", "OpenStale", "sweep_all"]
