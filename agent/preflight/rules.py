"""What decides about the records of a flow? Plain values, which travel to other processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.core import encoding
from agent.core.encoding import Envelope
from agent.core.identities import Identities
from agent.dataprep import Judge, MappingError, MappingSet
from agent.errors import ConfigError, SchemaError
from agent.xdm import Library, Schema, compile_schema

PRIMARY = "xdm:descriptorIdentity"
EVENTS = "https://ns.adobe.com/xdm/data/time-series"
_EVENT_CLASS = "https://ns.adobe.com/xdm/context/experienceevent"
# Longer ones land in the dataset, and Profile leaves them out without a word. [platform facts 1.10]
_EVENT_BYTES = 10_000
_PROFILE_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The schema with everything in its place, as `xed-full` has it, and the mapping set."""

    schema: Mapping[str, Any]
    descriptors: Sequence[Mapping[str, Any]] = ()
    mapping: Mapping[str, Any] | None = None
    is_raw: bool = True  # False: the agent puts records into XDM messages
    feeds_profile: bool = False
    record_bytes_max: int = 1_000_000
    ids_by: Literal["position", "content"] | None = None  # what the agent adds ids by
    id_field: str = "_id"

    def identities(self) -> Identities | None:
        """What adds ids to records without one, as the agent does before it sends them."""
        return None if self.ids_by is None else Identities(self.ids_by, self.id_field)

    def compiled(self) -> Schema:
        """The schema, its primary identity among what is required. Raises ConfigError."""
        ref = self.schema.get("$id")
        described = [{**each, "xdm:sourceSchema": ref} for each in self.descriptors]
        try:
            return compile_schema(self.schema, Library(), descriptors=described)
        except SchemaError as error:
            raise ConfigError(f"the schema cannot be used: {error}") from error

    def mapping_set(self) -> MappingSet | None:
        """The mapping set, ready to use. Raises ConfigError with every problem in it."""
        if self.mapping is None:
            return None
        try:
            return MappingSet.from_json(self.mapping)
        except MappingError as error:
            problems = "\n".join(f"the mapping set: {each}" for each in error.problems)
            raise ConfigError(problems) from error

    def judge(self) -> Judge:
        """Who says what becomes of a record. Raises ConfigError."""
        return Judge(self.compiled(), self.mapping_set(), profile=self.feeds_profile)

    def doubts(self) -> list[str]:
        """What of the mapping cannot work for any record, a sentence each. Raises ConfigError."""
        mapping_set = self.mapping_set()
        return [] if mapping_set is None else mapping_set.problems(self.compiled())

    @property
    def profile_bytes_max(self) -> int | None:
        """How long a mapped record may be for Profile; None where that does not matter."""
        if not self.feeds_profile:
            return None
        return _EVENT_BYTES if is_of_events(self.schema) else _PROFILE_BYTES


RAW = encoding.single(encoding.raw())
# What stands round a record whose flow does not exist yet is about as long as this.
XDM = encoding.xdm(
    schema_id="https://ns.adobe.com/tenant/schemas/0123456789abcdef0123456789abcdef0123456789abcdef",
    content_type="application/vnd.adobe.xed-full+json;version=1",
    dataset_id="0123456789abcdef01234567",
    flow_id="01234567-89ab-cdef-0123-456789abcdef",
    ims_org_id="0123456789ABCDEF01234567@AdobeOrg",
    source_name="a name of usual length",
)


def room(envelope: Envelope, request_bytes_max: int) -> int:
    """How long a record may be that is sent alone."""
    return request_bytes_max - encoding.single(envelope).body_bytes(1, 0)


def is_of_events(schema: Mapping[str, Any]) -> bool:
    """Whether a schema, or class, is about what happens at a time."""
    extended = schema.get("meta:extends")
    of_events = isinstance(extended, list) and {EVENTS, _EVENT_CLASS} & set(map(str, extended))
    return bool(of_events) or schema.get("meta:class") == _EVENT_CLASS
