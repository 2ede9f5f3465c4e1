"""Where packets come from: who is remembered, and what of it."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.host import Host, Source
from pyloader.host.sources import SourceTable
from pyloader.records import AnyRecord, NetworkFlow, Outcome
from tests.unit.examples import HOME, PEER, datagram_record, listening_record, opened_record
from tests.unit.strategies import any_records
from tests.unit.traffic import Wire, probes, raw


def flow(source: bytes) -> NetworkFlow:
    """Return a SYN of this source."""
    return NetworkFlow(1, 2, source, HOME, 5, 80, 6, 2, 0, 0, 60, 16, 0)


def test_names() -> None:
    """A source is named by its address, a network with the length that its family has."""
    named = [(raw("192.0.2.9"), 128), (raw("192.0.2.0"), 120), (PEER, 128), (PEER[:8] + bytes(8), 64)]

    assert [str(Source(address, prefix)) for address, prefix in named] == [
        "192.0.2.9",
        "192.0.2.0/24",
        "2001:db8::9",
        "2001:db8::/64",
    ]


def test_labels_are_told_apart() -> None:
    """What a source does is labelled by source and kind, with nothing in it that needs care."""
    source = Source(raw("192.0.2.0"), 120)

    assert source.activity("udp-flood").label == "192.0.2.0-24-udp-flood"
    assert source.activity("udp-flood") is source.activity("udp-flood")


def test_bare_flows_push_out_only_each_other() -> None:
    """A thousand forged sources do not make a table forget one that connected."""
    table = SourceTable(fresh=10)
    table.connected(opened_record(direction=1))
    for number in range(1_000):
        table.appeared(flow(number.to_bytes(16, "big")))

    known = table.get(PEER)
    assert known is not None
    assert known.accepted == 1
    assert len(table) == 11
    assert table.evicted == 990


def test_connections_make_known() -> None:
    """Who was let in, was connected to, or was sent to is known; who refused is not."""
    table = SourceTable()
    table.connected(opened_record(remote_address=raw("192.0.2.11"), direction=1, local_port=22))
    table.connected(opened_record(remote_address=raw("192.0.2.12"), direction=2))
    table.sent(datagram_record(remote_address=raw("192.0.2.13")))
    table.connected(opened_record(remote_address=raw("192.0.2.14"), outcome=Outcome.REFUSED))

    sources = [table.get(raw(f"192.0.2.{number}")) for number in (11, 12, 13, 14)]

    assert [source is not None and source.known for source in sources] == [True, True, True, False]


def test_ports_that_serve() -> None:
    """A port serves from when a process waits at it, or has taken up a connection."""
    table = SourceTable()
    assert not table.serves(22)

    table.listening(listening_record(local_port=8080))
    table.connected(opened_record(direction=1, local_port=22))

    assert [table.serves(port) for port in (22, 8080, 443)] == [True, True, False]


def test_summaries_are_kept_with_the_one_before() -> None:
    """Of a source the last two summaries are known, and its network is found by it."""
    host = Host()
    for record in Wire().records(probes("198.51.100.7", range(1, 40))):
        host.apply(record)

    source = host.sources.get(raw("198.51.100.7"))
    assert source is not None
    assert source.summary is not None
    assert source.before is not None
    assert source.before.ports < source.summary.ports
    assert str(host.sources.network_of(source)) == "198.51.100.0/24"


@given(st.lists(any_records, max_size=60))
def test_tables_are_bounded(records: list[AnyRecord]) -> None:
    """Whatever records come, the tables hold what they have room for."""
    host = Host()
    host.sources.capacity = host.sources.fresh = 3
    for record in records:
        host.apply(record)

    assert len(host.sources) <= 6
