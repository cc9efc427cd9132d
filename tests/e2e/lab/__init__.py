"""The laboratory of the end-to-end tests: three namespaces, one link, real programs.

A test imports what it needs from here, writes its scenarios as functions that take a Lab, and ends with
run(...). QIMUX_LAB=direct joins the gateway and the internet by a plain veth instead of by qimuxd: whatever
is not about the module has to pass there as well, which is how the scenarios themselves are proved.
"""

from .checks import Failed, check, equal, note, within
from .lab import Lab
from .payloads import every_byte, pattern, protocol_text, sha256
from .runner import module_only, run
from .waiting import until
from .web import Web

__all__ = [
    "Failed", "Lab", "Web", "check", "equal", "every_byte", "module_only", "note", "pattern",
    "protocol_text", "run", "sha256", "until", "within",
]
