"""What was made so far, and what was begun? A file beside the manifest.

An object is noted before the call that makes it and again after, with its id: so whatever a crash
leaves between the two is looked for by its name, and known to be ours. There are no secrets in it.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from agent.config.document import read_document
from agent.config.fields import Moment, Text
from agent.config.problems import Problem, explain
from agent.config.quantities import Whole
from agent.config.section import Section, names, setting
from agent.config.showing import shown
from agent.config.validating import Invalid, validated
from agent.errors import ConfigError, StoreError
from agent.provision.placing import put
from agent.store.lock import Lock, hold

VERSION = 1
_MEND = (
    "restore the file from a backup; or move it away: what is on the platform is then found by"
    " its name, and taken for somebody else's"
)


class Key(Text):
    """What an object is in the manifest."""

    def read(self, value: object) -> str:
        key = super().read(value)
        if key not in _KEYS and not key.startswith(IDENTITY):
            raise ValueError("not the key of an object")
        return key


class Place(Section):
    """Where the objects are."""

    url: Annotated[str, Text("the platform's URL")]
    org_id: Annotated[str, Text("an organisation id")]
    sandbox: Annotated[str, Text("the name of a sandbox")]

    def __str__(self) -> str:
        return f"sandbox {self.sandbox} of {self.org_id} at {self.url}"


_KEYS = (
    "base_connection",
    "source_connection",
    "field_group",
    "schema",
    "profile",
    "dataset",
    "target_connection",
    "mapping",
    "flow",
)
IDENTITY = "identity:"  # and its path


class Object(Section):
    """One object: found or made, or perhaps made."""

    key: Annotated[str, Key(f"one of {', '.join(_KEYS)}, or {IDENTITY} and a path")]
    name: Annotated[str, Text("its name")]
    id: Annotated[str | None, Text("its id on the platform", optional=True)] = None
    made: bool = setting(default=False, description="Whether it is ours to take away.")
    begun: Annotated[datetime | None, Moment()] = setting(
        default=None, description="When the call was begun that makes it, and not known to end."
    )


class WrittenConfig(Section):
    """The agent's configuration as it was written."""

    file: Annotated[str, Text("the path of a file")]
    sha256: Annotated[str, Text("a hash in hexadecimal digits")]


class State(Section):
    """Everything that is known of what a manifest has on the platform."""

    version: Annotated[int, Whole("0", "1000000")]
    place: Place
    objects: tuple[Object, ...] = ()
    ready_at: Annotated[datetime | None, Moment()] = setting(
        default=None, description="When the flow takes records."
    )
    config: WrittenConfig | None = None


class StateFile:
    """The state, locked against others while it is open; each change is on disk once it returns."""

    def __init__(self, path: Path, place: Place, state: State, lock: Lock) -> None:
        self.path = path
        self.state = state
        self._lock = lock
        self._place = place

    @classmethod
    def open(cls, path: Path, place: Place) -> "StateFile":
        """Take the state of a manifest, or begin one. Raises StoreLocked, ConfigError."""
        does = f"works on this manifest, whose state is {path}; wait until it has ended"
        try:
            lock = hold(path.with_name(f"{path.name}.lock"), does)
        except StoreError as error:
            if not isinstance(reason := error.__cause__, OSError):
                raise
            raise StoreError(
                f"{path}: the state cannot be written: {reason.strerror}; give this user access to"
                " its directory, or take manifest and state to another one"
            ) from error
        try:
            return cls(path, place, read(path, place), lock)
        except BaseException:
            lock.close()
            raise

    def close(self) -> None:
        """Let others have it."""
        self._lock.close()

    def __enter__(self) -> "StateFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def object(self, key: str) -> Object | None:
        """What is noted of an object."""
        return next((each for each in self.state.objects if each.key == key), None)

    def begin(self, key: str, name: str) -> None:
        """A call that makes this object is about to be made."""
        self._put(Object(key=key, name=name, made=True, begun=datetime.now(UTC)))

    def note(self, key: str, name: str, id: str, *, made: bool) -> None:
        """An object is there, *made* by us or found."""
        noted = Object(key=key, name=name, id=id, made=made)
        if noted != self.object(key):
            self._put(noted)

    def forget(self, key: str) -> None:
        """An object is not there any more."""
        objects = tuple(each for each in self.state.objects if each.key != key)
        self.write(self.state.replaced(objects=objects))

    def ready_at(self, moment: datetime | None) -> None:
        """When the flow takes records."""
        if moment != self.state.ready_at:
            self.write(self.state.replaced(ready_at=moment))

    def config(self, written: WrittenConfig | None) -> None:
        """The agent's configuration was written, or taken away."""
        if written != self.state.config:
            self.write(self.state.replaced(config=written))

    def remove(self) -> None:
        """There is nothing left to know."""
        self.path.unlink(missing_ok=True)
        self.state = State(version=VERSION, place=self._place)

    def _put(self, noted: Object) -> None:
        others = [each for each in self.state.objects if each.key != noted.key]
        self.write(self.state.replaced(objects=(*others, noted)))

    def write(self, state: State) -> None:
        """Put the state on disk, whole or not at all. Raises StoreError."""
        text = json.dumps(shown(state), indent=2, ensure_ascii=False)
        try:
            put(self.path, f"{text}\n".encode())
        except OSError as error:
            raise StoreError(
                f"{self.path}: the state cannot be written: {error.strerror}; nothing more is done"
                " on the platform until it can"
            ) from error
        self.state = state


def path_beside(manifest: Path) -> Path:
    """Where the state of a manifest is."""
    return manifest.with_name(f"{manifest.stem}.state.json")


def read(path: Path, place: Place | None = None) -> State:
    """The state in a file; a new one of this *place* where there is no file.

    Raises ConfigError where it is damaged, of a newer version, or of another place.
    """
    if place and not path.exists():
        return State(version=VERSION, place=place)
    state = _parsed(path)
    if state.version > VERSION:
        raise _wrong(path, None, f"it was written by a newer version ({state.version}); use that")
    if place and state.place != place:
        raise _wrong(
            path,
            None,
            f"it is about {state.place}, the manifest about {place}; destroy what is there first,"
            " with the manifest as it was, or give this manifest another file name",
        )
    return state


def _parsed(path: Path) -> State:
    _check_json(path)
    document = read_document(path, {}, names(State))
    problems = list(document.problems)
    try:
        state = validated(State, document.tree)
    except Invalid as error:
        for details in error.mistakes:
            place, text = explain(details, State)
            problems.append(Problem(str(path), document.line_of(place), place, text))
    else:
        keys = [each.key for each in state.objects]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                place = ("objects", index, "key")
                text = f"found {key} twice; keep the one that is on the platform"
                problems.append(Problem(str(path), document.line_of(place), place, text))
    if problems:
        raise ConfigError("\n".join([*map(str, problems), f"{path}: it was changed; {_MEND}"]))
    return state


def _check_json(path: Path) -> None:
    try:
        json.loads(path.read_bytes())
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; check its permissions"
        raise _wrong(path, None, reason) from None
    except UnicodeDecodeError:
        raise _wrong(path, None, f"it is not UTF-8; {_MEND}") from None
    except json.JSONDecodeError as error:
        reason = f"not valid JSON at column {error.colno}: {error.msg}; {_MEND}"
        raise _wrong(path, error.lineno, reason) from None
    except RecursionError:
        raise _wrong(path, None, f"nested too deeply; {_MEND}") from None


def _wrong(path: Path, line: int | None, text: str) -> ConfigError:
    return ConfigError(str(Problem(str(path), line, (), text)))
