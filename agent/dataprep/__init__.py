"""How does a raw record become a record of a schema? The platform's Data Prep, as a rule book.

Pure code: no network, no clock but the one that is handed in. The emulator's data plane and
`preflight` share it, as they share `xdm`: see ARCHITECTURE.md.
"""

from agent.dataprep.catalogue import FUNCTIONS, OPERATORS
from agent.dataprep.expression import Expression, compile_expression
from agent.dataprep.faults import EvaluationError, ExpressionError, MappingError, MappingProblem
from agent.dataprep.judge import Judge, Outcome
from agent.dataprep.mapping_set import Mapped, MappingSet, MappingWarning

__all__ = [
    "FUNCTIONS",
    "OPERATORS",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Judge",
    "Mapped",
    "MappingError",
    "MappingProblem",
    "MappingSet",
    "MappingWarning",
    "Outcome",
    "compile_expression",
]
