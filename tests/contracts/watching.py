"""Calls whose answers are held against what Adobe's file says of them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp

from support.contracts import Contract
from support.platform import Answered, Calls


class Watched(Calls):
    """Calls of one service, below `root`; the others' go unwatched."""

    def __init__(
        self, listening: str, session: aiohttp.ClientSession, file: str, root: str
    ) -> None:
        super().__init__(listening, session)
        self.seen: dict[str, set[str]] = defaultdict(set)
        self._contract = Contract(file)
        self._service = root

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answered:
        answer = await super().call(method, path, body, headers)
        if path.startswith(self._service):
            asked = path.removeprefix(self._service).partition("?")[0]
            contract = self._contract
            found = contract.objections_to_answer(method, asked, answer.status, answer.body)
            template = contract.template(method, asked)
            self.seen[f"{method} {template} {answer.status}"].update(found)
        return answer

    def unlisted(self, deviations: Iterable[str]) -> set[str]:
        """Objections that none of these expressions matches."""
        return {each for each in self._objections() if not _is_matched(each, deviations)}

    def unused(self, deviations: Iterable[str]) -> set[str]:
        """Those of these expressions that match no objection."""
        return {
            known
            for known in deviations
            if not any(re.fullmatch(known, each, re.DOTALL) for each in self._objections())
        }

    def _objections(self) -> set[str]:
        return set().union(*self.seen.values())


def _is_matched(objection: str, deviations: Iterable[str]) -> bool:
    return any(re.fullmatch(known, objection, re.DOTALL) for known in deviations)
