"""What this kernel and this user may do.

`findings` looks at everything, `require` at what is cheap to see before monitors are loaded, and `explained` says what
was in the way when the kernel refused one. Whatever a trial can tell is found out by trying, never from the kernel's
version; each answer says what is missing and the way out.
"""

from pyloader.kernel.finding import Finding, Level
from pyloader.kernel.host import Host
from pyloader.kernel.refusal import explained
from pyloader.kernel.survey import findings, require
from pyloader.kernel.types import BTF_PATH

__all__ = ["BTF_PATH", "Finding", "Host", "Level", "explained", "findings", "require"]
