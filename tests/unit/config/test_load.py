"""A file, the environment and flags become one set of settings."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyloader.config import KEYS, Configuration, Settings, load, written
from pyloader.config.files import SYSTEM, choose
from pyloader.config.toml import value_of
from pyloader.errors import ConfigError
from pyloader.monitors import Transport

FLAGS: dict[str, tuple[object, object, object]] = {
    "monitors": (["process"], ["memory"], ["network", "process"]),
    "interfaces": (["eth0"], ["eth1", "eth2"], ["lo"]),
    "min_score": (10.0, 20, 30.5),
    "alert_budget": ("1/day", "2/day", "3/day"),
    "score": (False, True, False),
    "workers": (2, 3, 4),
    "state_dir": ("/a", "/b", "/c"),
    "state": (False, True, False),
    "instance": ("a", "b", "c"),
    "duration": (1.0, 2.0, 3.0),
    "hooks": ("a", "b", "c"),
    "transport": ("ring", "perf", "ring"),
    "ring_bytes": (65_536, 131_072, 262_144),
    "btf": ("/a", "/b", "/c"),
    "output.format": ("text", "json", "text"),
    "output.events": (False, True, False),
    "output.record": ("/a", "/b", "/c"),
    "nats.url": ("nats://a", "nats://b", "nats://c"),
    "nats.subject": ("a", "b", "c"),
    "nats.publish": (["alerts"], ["records", "alerts"], ["assessments"]),
    "nats.min_score": (1.0, 2.0, 3.0),
    "nats.stream": ("a", "b", "c"),
    "nats.credentials": ("/a", "/b", "/c"),
    "nats.nkey": ("/a", "/b", "/c"),
    "nats.user": ("a", "b", "c"),
    "nats.password_file": ("/a", "/b", "/c"),
    "nats.token_file": ("/a", "/b", "/c"),
    "nats.tls_ca": ("/a", "/b", "/c"),
    "nats.tls_certificate": ("/a", "/b", "/c"),
    "nats.tls_key": ("/a", "/b", "/c"),
    "nats.spool": ("/a", "/b", "/c"),
    "nats.spool_bytes": (65_536, 65_537, 65_538),
    "nats.spool_seconds": (1.0, 2.0, 3.0),
}
"""Three values of each key: of a file, of a variable, of a flag."""


def _file(folder: Path, values: Mapping[str, object]) -> Path:
    """Return a file that says this."""
    path = folder / "settings.toml"
    path.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in values.items()))
    return path


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else repr(value)


def _variable(value: object) -> str:
    """Return a value as a variable holds it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def _load(
    folder: Path,
    file: Mapping[str, object] | None = None,
    variables: Mapping[str, object] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Configuration:
    environment = {KEYS[key].variable: _variable(value) for key, value in (variables or {}).items()}
    return load(flags or {}, environment, 0, _file(folder, file or {}))


def _outcome(
    flags: Mapping[str, object], environment: Mapping[str, str] | None = None, file: Path = Path("/dev/null")
) -> Configuration | str:
    """Return what comes of it: settings, or the text of an error."""
    try:
        return load(flags, environment or {}, 0, file)
    except ConfigError as error:
        return str(error)


def _shown(configuration: Configuration, key: str) -> object:
    value = value_of(configuration.settings, KEYS[key])
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


def test_every_key_has_values_here() -> None:
    """The tests below cover every key that there is."""
    assert list(FLAGS) == list(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_stronger_source_wins(tmp_path: Path, key: str) -> None:
    """A flag beats a variable, and a variable beats the file, for every key; and it is told which it was."""
    in_file, in_variable, in_flag = FLAGS[key]
    file, variable, flag = {key: in_file}, {key: in_variable}, {key: in_flag}

    by_file = _load(tmp_path, file)
    by_variable = _load(tmp_path, file, variable)
    by_flag = _load(tmp_path, file, variable, flag)

    assert [in_file, in_variable, in_flag] == [_shown(one, key) for one in (by_file, by_variable, by_flag)]
    assert by_file.origins[key] == str(tmp_path / "settings.toml")
    assert by_variable.origins[key] == KEYS[key].variable
    assert by_flag.origins[key] == "flag"
    assert {origin for other, origin in by_flag.origins.items() if other != key} == {"default"}


def test_nothing_said() -> None:
    """Without a file, variables and flags, everything has its default."""
    configuration = load({}, {}, 0, Path("/dev/null"))

    assert configuration.settings == Settings()
    assert set(configuration.origins.values()) == {"default"}


@pytest.mark.parametrize("key", KEYS)
def test_every_key_can_be_written_down_and_read_again(tmp_path: Path, key: str) -> None:
    """What is shown of the settings is a file that says the same."""
    first = _load(tmp_path, flags={key: FLAGS[key][2]})
    path = tmp_path / "shown.toml"
    path.write_text(written(first.settings, first.origins))

    assert load({}, {}, 0, path).settings == first.settings


@given(text=st.text(st.characters(codec="utf-8"), min_size=1), number=st.floats(0, 100))
@example(text='"\\\n\x00\x7f\U0001f600', number=1e-300)
def test_any_text_can_be_written_down_and_read_again(text: str, number: float) -> None:
    """Whatever characters a text has, what is shown is TOML that holds the same."""
    settings = Settings(hooks=text, min_score=number)
    shown = tomllib.loads(written(settings, dict.fromkeys(KEYS, f"a file {text}")))

    assert (shown["hooks"], shown["min_score"]) == (text, number)


def test_secrets_are_not_written_down() -> None:
    """An address is shown without the password in it."""
    configuration = load({"nats.url": "nats://me:secret@host"}, {}, 0, Path("/dev/null"))

    assert configuration.settings.nats.url == "nats://me:secret@host"
    assert 'url = "nats://***@host"' in written(configuration.settings, configuration.origins)


_VALUES = st.recursive(
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from([10**400, "1/day", "process", "/a", "ring", "nats://me:secret@host"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(key=st.sampled_from(list(KEYS)), value=_VALUES)
def test_any_value_of_any_key(key: str, value: Any) -> None:  # noqa: ANN401 -- each key has a type of its own.
    """Whatever a key is given, there are settings, or an error that names the key and hides secrets."""
    outcome = _outcome({key: value})
    if isinstance(outcome, str):
        assert outcome.startswith(f"flag: {key}: ")
        assert "secret" not in outcome
    else:
        # What was taken can be used: the rest of the program asks no more.
        assert 0 <= outcome.settings.threshold <= 100
        assert outcome.settings.watching


@given(st.dictionaries(st.sampled_from(list(KEYS)), st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_any_variables(variables: dict[str, str]) -> None:
    """Whatever the variables say, there are settings, or an error that names one of the variables."""
    environment = {KEYS[key].variable: text for key, text in variables.items()}
    outcome = _outcome({}, environment)

    assert not isinstance(outcome, str) or outcome.startswith(tuple(f"{name}: " for name in environment))


@given(st.binary(max_size=60) | st.text("[]{}=.\"'#\n\\a1-:T_", max_size=40).map(str.encode))
@example(b"a = " + b"[" * 100_000)
@example(b"a = " + b"9" * 10_000)
@example(b"[output]\n[output]\n")
@example(b"output = 1")
@example(b"\xff")
def test_any_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever bytes a file holds, there are settings, or an error that names the file."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    outcome = _outcome({}, {}, path)

    assert not isinstance(outcome, str) or (outcome.startswith(f"{path}: ") and len(outcome) < 2_000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_scor = 1", "min_scor: there is no such key; did you mean min_score?"),
        ("[nats]\nurll = 1", "nats.urll: there is no such key; did you mean nats.url?"),
        ("format = 'json'", "format: there is no such key; did you mean output.format?"),
        ("[natz]\nurl = ''", "natz: there is no such key; did you mean nats?"),
        ("'a\\nb' = 1", r"'a\\nb': there is no such key; there are: monitors, interfaces, "),
        ("output = 'json'", "output: expected a table, as in [output]"),
        ("nats.spool_bytes = 'much'", "nats.spool_bytes: expected a whole number, got 'much'"),
        ("min_score = 2024-01-01", "min_score: expected a number, got datetime.date(2024, 1, 1)"),
        ("ring_bytes = 100000", "ring_bytes: 100000 is not a power of two from 65536 to 1073741824"),
        ("min_score = 1\nmin_score = 2", "is not TOML: Cannot overwrite a value"),
        ("min_score = 1\nalert_budget = '1/day'", "alert_budget: contradicts min_score"),
        ("state = false\nstate_dir = 'x'", "state_dir: contradicts state"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, message: str) -> None:
    """What is wrong in a file is told with the file, the key, and what was expected."""
    path = tmp_path / "x.toml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load({}, {}, 0, path)

    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.toml", "No such file or directory"), (".", "Is a directory"), ("a\0b", "embedded null byte")],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    """A file that was named must be there and be readable."""
    with pytest.raises(ConfigError, match=f"cannot be read: {message}"):
        load({}, {}, 0, tmp_path / name)


def test_endless_file() -> None:
    """A file without an end is not read to it."""
    with pytest.raises(ConfigError, match="larger than 262144 bytes"):
        load({}, {}, 0, Path("/dev/zero"))


def test_relative_paths_of_a_file(tmp_path: Path) -> None:
    """A relative path starts at the folder of the file that holds it; those of variables and flags stay as they are."""
    found = _load(tmp_path, {"btf": "x"}, {"state_dir": "y"}, {"output.record": "z"}).settings

    assert (found.btf, found.state_dir, found.output.record) == (tmp_path / "x", Path("y"), Path("z"))


@pytest.mark.parametrize(
    ("weaker", "stronger", "kept"),
    [
        ({"min_score": 10.0}, {"alert_budget": "1/day"}, {"min_score": None, "alert_budget": "1/day"}),
        ({"alert_budget": "1/day"}, {"min_score": 10.0}, {"min_score": 10.0, "alert_budget": None}),
        ({"state": False}, {"state_dir": "/a"}, {"state": True, "state_dir": "/a"}),
        ({"state_dir": "/a"}, {"state": False}, {"state": False, "state_dir": None}),
        ({"state_dir": "/a"}, {"state": True}, {"state": True, "state_dir": "/a"}),
    ],
)
def test_contradictions(
    tmp_path: Path, weaker: dict[str, object], stronger: dict[str, object], kept: dict[str, object]
) -> None:
    """Of two keys that contradict each other, that of the stronger source counts, and the other one is not set."""
    found = _load(tmp_path, weaker, None, stronger)

    assert kept == {key: _shown(found, key) for key in kept}
    assert all(
        found.origins[key] == "default" for key, value in kept.items() if value in {None, True} and key not in stronger
    )


def test_contradictions_of_one_source(tmp_path: Path) -> None:
    """What contradicts itself in one source is an error, whatever a stronger source says."""
    with pytest.raises(ConfigError, match="PYLOADER_ALERT_BUDGET: alert_budget: contradicts min_score"):
        _load(tmp_path, {}, {"min_score": 1.0, "alert_budget": "1/day"}, {"min_score": 2.0})

    assert _load(tmp_path, {"state": True, "state_dir": "/a"}).settings.state_dir == Path("/a")


def test_empty_variables() -> None:
    """An empty variable says nothing."""
    assert load({}, {key.variable: "" for key in KEYS.values()}, 0, Path("/dev/null")).settings == Settings()


def test_lists_of_variables() -> None:
    """A variable holds a list with commas, and blanks after them."""
    found = load({}, {"PYLOADER_MONITORS": "process, memory", "PYLOADER_TRANSPORT": "perf"}, 0, Path("/dev/null"))

    assert (found.settings.monitors, found.settings.transport) == (("process", "memory"), Transport.PERF)


def test_unknown_variables(root: Path) -> None:
    """Variables that look like settings and are none are told, but not those that the checkout uses otherwise."""
    used = {
        name
        for folder in ("pyloader", "bpf", "tests")
        for path in (root / folder).rglob("*.py")
        for name in re.findall(r"[\"'](PYLOADER_[A-Z_]*[A-Z])[\"']", path.read_text())
    }
    environment = dict.fromkeys(sorted(used | {"PYLOADER_MIN_SCOR", "OTHER"}), "")
    unknown = load({}, environment, 0, Path("/dev/null")).unknown

    assert "PYLOADER_CORPUS" in used
    assert unknown == ["PYLOADER_MIN_SCOR"]


def test_which_file(tmp_path: Path) -> None:
    """The named file counts, then that of the variable, then the user's own, then that of the system; root has one."""
    own = tmp_path / "pyloader" / "pyloader.toml"
    own.parent.mkdir()
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    system = SYSTEM if SYSTEM.exists() else None

    assert choose(None, environment, 1000) == system
    own.touch()
    assert choose(None, environment, 1000) == own
    assert choose(None, environment, 0) == system
    assert choose(None, {**environment, "PYLOADER_CONFIG": "/x"}, 1000) == Path("/x")
    assert choose(Path("/y"), {**environment, "PYLOADER_CONFIG": "/x"}, 1000) == Path("/y")


def test_own_file_without_xdg(tmp_path: Path) -> None:
    """Where the XDG variables say nothing, the user's own file is below ~/.config."""
    own = tmp_path / ".config" / "pyloader" / "pyloader.toml"
    own.parent.mkdir(parents=True)
    own.touch()

    assert choose(None, {"HOME": str(tmp_path)}, 1000) == own
    assert choose(None, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative"}, 1000) == own


def test_folder_of_the_state() -> None:
    """Each instance has a folder of its own, unless one is chosen."""
    environment = {**os.environ, "STATE_DIRECTORY": "/known/pyloader"}

    assert Settings().state_folder(environment) == Path("/known/pyloader")
    assert Settings(instance="x").state_folder(environment) == Path("/known/pyloader-x")
    assert Settings(instance="x", state_dir=Path("/mine")).state_folder(environment) == Path("/mine")
