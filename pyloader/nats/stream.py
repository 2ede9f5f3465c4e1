"""The JetStream stream that keeps what is published: made if it is missing, checked if it is there, never changed."""

from typing import TYPE_CHECKING, Any, Final

from pyloader.errors import NatsError, NatsUnreachableError
from pyloader.nats.subjects import covers

if TYPE_CHECKING:
    from nats.aio.client import Client

_KEPT_FOR: Final = 7 * 86_400.0
"""Seconds for which a stream that is made here keeps messages. Who wants it otherwise makes it beforehand."""

_TIMEOUT: Final = 5.0

_NOT_FOUND: Final = 10_059
"""`JSStreamNotFoundErr` (server/errors.json of nats-server)."""
_NO_JETSTREAM: Final = (10_039, 10_076)
"""JetStream is not enabled for the account, or not at all."""


async def ensure(client: "Client", name: str, pattern: str) -> None:
    """Make the stream, or make sure that it takes and acknowledges all subjects of a pattern.

    Raises `NatsError` if it cannot be used, and `NatsUnreachableError` if the server does not answer.
    """
    from nats.js import errors  # noqa: PLC0415 -- it is imported when it is used.

    manager = client.jsm(timeout=_TIMEOUT)
    try:
        try:
            config = (await manager.stream_info(name)).config
        except errors.NotFoundError as error:
            if error.err_code != _NOT_FOUND:
                raise
            # Two that make the same stream at the same time both succeed.
            config = (await manager.add_stream(name=name, subjects=[pattern], max_age=_KEPT_FOR)).config
    except (errors.ServiceUnavailableError, errors.NoStreamResponseError) as error:
        message = "the server has no JetStream: enable it there, or name no stream"
        raise NatsError(message) from error
    except errors.APIError as error:
        if error.err_code in _NO_JETSTREAM:
            message = "JetStream is not enabled for us on the server: enable it there, or name no stream"
            raise NatsError(message) from error
        message = f"the stream {name} can be neither found nor made: {error.description or error}"
        raise NatsError(message) from error
    except TimeoutError as error:
        message = f"the server says nothing about the stream {name}"
        raise NatsUnreachableError(message) from error
    except Exception as error:
        message = f"the stream {name} can be neither found nor made: {error}"
        raise NatsUnreachableError(message) from error
    _check(name, pattern, config)


def _check(name: str, pattern: str, config: Any) -> None:  # noqa: ANN401 -- nats-py's own, known only when imported.
    subjects = config.subjects or []
    if not any(covers(one, pattern) for one in subjects):
        message = (
            f"the stream {name} is there and takes {', '.join(subjects) or 'nothing'}, not {pattern}: add that to its"
            " subjects, or choose another stream or subject"
        )
        raise NatsError(message)
    if config.no_ack:
        message = f"the stream {name} acknowledges nothing: edit it, or choose another"
        raise NatsError(message)
