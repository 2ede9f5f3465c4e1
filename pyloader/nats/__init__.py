"""Publishing to NATS and reading from it; needs the extra `pyloader-ebpf[nats]`, which is imported only when used."""

from pyloader.nats.publisher import Publisher, PublisherStats

__all__ = ["Publisher", "PublisherStats"]
