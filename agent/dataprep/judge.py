"""What becomes of one raw record of a flow: does it land, as what, and if not, why?

The emulator's data plane and `preflight` ask this one, so that they agree.
"""

from dataclasses import dataclass
from typing import Any

from agent.dataprep.evaluation import Clock
from agent.dataprep.expression import utc_now
from agent.dataprep.mapping_set import MappingSet, MappingWarning
from agent.xdm.schema import Schema
from agent.xdm.violations import Violation, wrong_type

_NO_IDENTITY = MappingWarning(
    "identityMap",
    "the schema names no primary identity and the record none: Profile leaves it out",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a record.

    Either it lands as `entity`, and there are no violations; or `entity` is None, and they say why.
    `mapped` is what came of the mapping in both cases. Warnings keep no record from landing.
    """

    entity: dict[str, Any] | None
    violations: list[Violation]
    warnings: list[MappingWarning]
    mapped: dict[str, Any] | None = None


class Judge:
    """Judges the records of one flow; as quick as its mappings and its schema are."""

    def __init__(
        self,
        schema: Schema,
        mapping: MappingSet | None,
        *,
        profile: bool = False,
        now: Clock = utc_now,
    ) -> None:
        """*mapping* is None where records are XDM already.

        *profile*: the dataset feeds Profile, which leaves out records without an identity; they
        land all the same, with a warning.
        """
        self._schema = schema
        self._mapping = None if mapping is None else mapping.within(schema)
        # A primary identity that the schema names is a field that it requires.
        self._asks_for_identity = profile and schema.identity is None
        self._now = now

    def judge(self, record: Any) -> Outcome:
        """What becomes of a record, which may be any JSON."""
        if not isinstance(record, dict):
            wrong = Violation("#", "type", wrong_type("object", record), "#")
            return Outcome(None, [wrong], [])
        if self._mapping is None:
            return self._outcome(record, [])
        mapped = self._mapping.apply(record, now=self._now)
        return self._outcome(self._schema.coerce(mapped.entity), mapped.warnings)

    def _outcome(self, entity: dict[str, Any], warnings: list[MappingWarning]) -> Outcome:
        if self._asks_for_identity and not entity.get("identityMap"):
            warnings = [*warnings, _NO_IDENTITY]
        violations = self._schema.violations(entity)
        return Outcome(None if violations else entity, violations, warnings, entity)
