"""The functions of the language, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from agent.dataprep.functions.analytics import ANALYTICS
from agent.dataprep.functions.arrays import ARRAYS
from agent.dataprep.functions.conditions import AGGREGATES, LOGIC
from agent.dataprep.functions.conversions import JSON, TYPES
from agent.dataprep.functions.dates import DATES
from agent.dataprep.functions.hashes import HASHES
from agent.dataprep.functions.identifiers import SPECIAL
from agent.dataprep.functions.maps import MAPS
from agent.dataprep.functions.objects import OBJECTS
from agent.dataprep.functions.regexes import REGEXES
from agent.dataprep.functions.strings import STRINGS
from agent.dataprep.functions.table import Function
from agent.dataprep.functions.urls import URLS
from agent.dataprep.functions.user_agents import USER_AGENTS

TABLE: Mapping[str, Function] = MappingProxyType(
    {
        function.name: function
        for category in (
            STRINGS, REGEXES, HASHES, URLS, DATES, OBJECTS, MAPS, ARRAYS, LOGIC, AGGREGATES,
            TYPES, JSON, SPECIAL, USER_AGENTS, ANALYTICS,
        )
        for function in category.functions
    }
)  # fmt: skip
