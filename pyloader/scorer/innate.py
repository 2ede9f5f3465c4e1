"""What every sensor is born with: twelve units for each population, written by hand and never unlearned.

They stand for combinations that no single rule of the evidence stage judges: each of the literals is ordinary, and
together they are what intrusions often look like. So their weights are small; they tip a balance and raise no alert.
"""

from typing import Final

from pyloader.learners import Conjunction

_INBOUND: Final = (
    Conjunction(("ports=3", "done=0"), 1.0, "a source tried many ports and completed nothing"),
    Conjunction(("ports=2", "done=0", "odd=yes"), 1.0, "a source tried several ports with odd packets"),
    Conjunction(("addresses=2", "done=0"), 0.8, "a source tried several addresses and completed nothing"),
    Conjunction(("udp=yes", "ports=3"), 0.8, "a source sent datagrams to many ports"),
    Conjunction(("peer=public", "ports=2", "done=0"), 0.8, "a public source tried several ports and completed nothing"),
    Conjunction(("peer=loopback", "odd=yes"), 0.8, "odd packets came from this host itself"),
    Conjunction(("anomaly=12", "peer=public"), 0.8, "a public source sent TCP packets without flags"),
    Conjunction(("anomaly=13", "peer=public"), 0.8, "a public source sent TCP packets with senseless flags"),
    Conjunction(("anomaly=9",), 0.8, "a packet claimed to come from where it went"),
    Conjunction(("anomaly=10",), 0.8, "a packet from outside bore an address of this host"),
    Conjunction(("anomaly=6",), 0.8, "fragments overlapped"),
    Conjunction(("anomaly=4",), 0.8, "a packet chose its own route"),
)

_OUTBOUND: Final = (
    Conjunction(("role=shell", "way=out", "peer=public"), 1.2, "a shell connected to a public address"),
    Conjunction(("role=shell", "way=in"), 1.2, "a shell took up a connection"),
    Conjunction(("place=temporary", "way=out", "peer=public"), 1.0, "a program in a temporary place connected outside"),
    Conjunction(("place=memory", "way=out"), 1.2, "a program without a file connected"),
    Conjunction(("by=server", "way=out", "peer=public"), 1.0, "a program that a server started connected outside"),
    Conjunction(("by=server", "port=registered", "way=out"), 0.8, "a server's child connected to an unusual port"),
    Conjunction(("place=temporary", "way=in"), 1.0, "a program in a temporary place took up a connection"),
    Conjunction(("uid=service", "role=shell", "way=out"), 1.2, "a shell of a service account connected"),
    Conjunction(("on=container", "port=22", "way=out"), 0.6, "a container logged in elsewhere"),
    Conjunction(("uid=service", "port=22", "way=out"), 0.8, "a service account logged in elsewhere"),
    Conjunction(("by=server", "port=22", "way=out"), 1.0, "a program that a server started logged in elsewhere"),
    Conjunction(("place=memory", "way=in"), 1.2, "a program without a file took up a connection"),
)

_PROCESS: Final = (
    Conjunction(("by=server", "role=shell", "stdin=inet_socket"), 1.0, "a server gave a shell its connection"),
    Conjunction(("by=server", "place=temporary"), 1.2, "a server started a program in a temporary place"),
    Conjunction(("by=server", "place=memory"), 1.2, "a server started a program without a file"),
    Conjunction(("by=server", "uid=root", "role=shell"), 1.0, "a server started a root shell"),
    Conjunction(("uid=service", "place=temporary"), 1.0, "a service account ran a program in a temporary place"),
    Conjunction(("uid=service", "image=writable"), 1.0, "a service account ran what everyone may change"),
    Conjunction(("uid=service", "role=elevator"), 0.8, "a service account asked for more rights"),
    Conjunction(("uid=root", "image=writable"), 0.8, "root ran what everyone may change"),
    Conjunction(("uid=root", "place=memory"), 1.0, "root ran a program without a file"),
    Conjunction(("on=container", "image=memory"), 0.6, "a container ran a program without a file"),
    Conjunction(("image=deleted", "place=temporary"), 1.0, "a program in a temporary place was deleted while it ran"),
    Conjunction(("role=shell", "stdout=inet_socket"), 1.2, "a shell answered into a connection"),
)

_CREDENTIALS: Final = (
    Conjunction(("uid=service", "to=root"), 1.2, "a service account became root"),
    Conjunction(("by=server", "to=root"), 1.0, "a program that a server started became root"),
    Conjunction(("place=temporary", "to=root"), 1.2, "a program in a temporary place became root"),
    Conjunction(("place=memory", "to=root"), 1.2, "a program without a file became root"),
    Conjunction(("place=temporary", "gained=yes"), 1.0, "a program in a temporary place gained capabilities"),
    Conjunction(("place=memory", "gained=yes"), 1.2, "a program without a file gained capabilities"),
    Conjunction(("place=home", "to=root"), 0.8, "a program in a home became root"),
    Conjunction(("place=home", "gained=yes"), 0.6, "a program in a home gained capabilities"),
    Conjunction(("on=container", "gained=yes", "explanation=3"), 0.6, "a container gained capabilities by a namespace"),
    Conjunction(("by=application", "to=root"), 0.8, "a program that an application started became root"),
    Conjunction(("uid=user", "to=root", "role=program"), 0.4, "a user's program became root"),
    Conjunction(("uid=service", "gained=yes"), 0.8, "a service account gained capabilities"),
)

_MEMORY: Final = (
    Conjunction(("by=server", "technique=2"), 0.8, "a program that a server started ran what it had written"),
    Conjunction(("place=temporary", "technique=1"), 0.8, "a program in a temporary place made writable code"),
    Conjunction(("place=temporary", "technique=2"), 0.8, "a program in a temporary place ran what it had written"),
    Conjunction(("uid=service", "technique=4"), 1.0, "a service made its stack executable"),
    Conjunction(("uid=service", "technique=5"), 1.0, "a service made its heap executable"),
    Conjunction(("role=server", "technique=7"), 0.8, "a server mapped a memory file as code"),
    Conjunction(("role=shell", "method=5"), 1.0, "a shell wrote into another process"),
    Conjunction(("place=temporary", "method=2"), 1.0, "a program in a temporary place wrote into another process"),
    Conjunction(("place=temporary", "method=3"), 1.0, "a program in a temporary place took over another process"),
    Conjunction(("uid=service", "method=1"), 0.8, "a service account attached to another process"),
    Conjunction(("role=server", "signal=4"), 0.8, "a server ran into what is no instruction"),
    Conjunction(("exposure=1", "signal=11", "role=server"), 0.6, "a server that listens crashed"),
)

_SEQUENCE: Final = (
    Conjunction(("code=discovery", "code=secret_read"), 0.8, "a look around, then secrets"),
    Conjunction(("code=temporary_image", "code=history_cleared"), 1.0, "an odd program, then a cleared history"),
    Conjunction(("code=temporary_image", "code=logs_cleared"), 1.0, "an odd program, then cleared logs"),
    Conjunction(("code=run_time_code", "code=rare_destination"), 0.8, "new code, then a new destination"),
    Conjunction(("code=secret_read", "code=rare_destination"), 1.0, "secrets, then a new destination"),
    Conjunction(("code=key_hunt", "code=rare_destination"), 1.0, "a hunt for keys, then a new destination"),
    Conjunction(("code=setuid_hunt", "code=setuid_unusual"), 1.2, "a hunt for set-uid programs, then one"),
    Conjunction(("code=network_scan", "code=rare_destination"), 0.8, "a scan, then a new destination"),
    Conjunction(("code=account_created", "code=ssh_keys_written"), 1.0, "a new account, then its keys"),
    Conjunction(("code=firewall_opened", "code=relay_listens"), 1.2, "an open firewall, then a relay that listens"),
    Conjunction(("code=hardening_lowered", "code=module_loaded"), 1.0, "a protection lowered, then a kernel module"),
    Conjunction(("code=crashed", "code=run_time_code"), 0.8, "a crash, then new code"),
)

INNATE: Final = (_INBOUND, _OUTBOUND, _PROCESS, _CREDENTIALS, _MEMORY, _SEQUENCE)
"""By population, in the order of `pyloader.evidence.Group`."""
