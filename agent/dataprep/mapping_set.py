"""What becomes of a raw record by a mapping set, and what would not fit the schema it is for?

A mapping that fails leaves its field null and a warning behind; the record goes on, and is only
refused where the schema does not want what came of it. Deeper destinations are served after those
above them: so a mapping below an object that is copied overrides what was copied.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.dataprep.copying import Copy, Fitting, each, whole
from agent.dataprep.destinations import Steps, compact, remove
from agent.dataprep.evaluation import Clock
from agent.dataprep.expression import utc_now
from agent.dataprep.faults import EvaluationError, ExpressionError, MappingError, MappingProblem
from agent.dataprep.fitting import problem_of
from agent.dataprep.mappings import ATTRIBUTE, FieldMapping, field_mapping
from agent.dataprep.paths import EVERY
from agent.xdm.schema import Schema

MAPPINGS_MAX = 10_000
_COPIED = frozenset({dict, list})


@dataclass(frozen=True, slots=True)
class MappingWarning:
    """Why a destination stayed empty in a record."""

    destination: str
    message: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """What came of a record."""

    entity: dict[str, Any]
    warnings: list[MappingWarning]


@dataclass(frozen=True, slots=True)
class MappingSet:
    """The mappings of a flow, ready to use; `from_json` makes it."""

    mappings: tuple[FieldMapping, ...]  # those of outer destinations first
    allow_nulls: bool
    _arrays: tuple[Steps, ...]
    _copies: Mapping[int, Copy]

    @classmethod
    def from_json(cls, body: Any) -> "MappingSet":
        """The set of a JSON body, in either vocabulary. Raises MappingError with every problem."""
        listed = body.get("mappings") if isinstance(body, Mapping) else None
        if not isinstance(listed, list) or not listed or len(listed) > MAPPINGS_MAX:
            what = f"a mapping set has a list of mappings, one to {MAPPINGS_MAX}"
            raise MappingError([MappingProblem(None, what)])
        allow_nulls = bool(body.get("allowNullValues"))
        mappings: list[FieldMapping] = []
        problems: list[MappingProblem] = []
        for index, listed_one in enumerate(listed):
            try:
                mappings.append(field_mapping(index, listed_one, nulls=allow_nulls))
            except ExpressionError as error:
                problems.append(MappingProblem(index, str(error)))
        if problems:
            raise MappingError(problems)
        mappings.sort(key=lambda mapping: len(mapping.steps))
        arrays = dict.fromkeys(array for mapping in mappings for array in mapping.arrays)
        return cls(
            tuple(mappings),
            allow_nulls,
            tuple(sorted(arrays, key=len, reverse=True)),
            {},
        )

    def within(self, schema: Schema) -> "MappingSet":
        """The same set, copying of objects only the attributes that the schema has."""
        copies = {
            mapping.index: each(Fitting(schema, mapping.destination), mapping.steps.count(EVERY))
            for mapping in self.mappings
            if mapping.kind == ATTRIBUTE
        }
        return replace(self, _copies=copies)

    def apply(self, record: Any, *, now: Clock = utc_now) -> Mapped:
        """What the record becomes. It is not changed, and shares nothing with what it becomes."""
        entity: dict[str, Any] = {}
        warnings: list[MappingWarning] = []
        allow_nulls, copies = self.allow_nulls, self._copies
        for mapping in self.mappings:
            try:
                value = mapping.read(record, now)
                if value.__class__ in _COPIED and mapping.kind == ATTRIBUTE:
                    value = copies.get(mapping.index, whole)(value)
                if value is not None or (allow_nulls and mapping.is_there(record)):
                    mapping.write(entity, value)
                elif entity:
                    remove(entity, mapping.steps)
            except EvaluationError as error:
                warnings.append(MappingWarning(mapping.destination, str(error)))
                self._empty(entity, mapping)
        if not allow_nulls:
            for array in self._arrays:
                compact(entity, array)
        return Mapped(entity, warnings)

    def problems(self, schema: Schema) -> list[str]:
        """What of the set cannot fit the schema: destinations it lacks, kinds that are others."""
        found = (
            (mapping.index, problem_of(mapping, schema))
            for mapping in sorted(self.mappings, key=lambda mapping: mapping.index)
        )
        return [str(MappingProblem(index, problem)) for index, problem in found if problem]

    def _empty(self, entity: dict[str, Any], mapping: FieldMapping) -> None:
        """The field of a mapping that failed is null, or not there."""
        try:
            if self.allow_nulls:
                mapping.write(entity, None)
            else:
                remove(entity, mapping.steps)
        except EvaluationError:
            return  # something is in its way, which its warning says
