"""How does one round go? Lives on one store, each ended; then calm, and the account is drawn up."""

import json
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.record import Position
from torture import autopsy
from torture.configuring import Doors, configuration, free_port
from torture.disk import SmallDisk
from torture.faults import accepts
from torture.feeding import Upstream
from torture.living import Running
from torture.minting import NAME, Mint
from torture.script import BAD_DISK, SMALL_DISK, Life, Round
from torture.stage import Stage
from torture.verdict import Doubles, Evidence, Verdict, judge

_PATIENCE = 60.0  # seconds after the faults end within which the agent must end by itself
_RECOVERED = 6.0  # seconds within which the first record must be accepted after that
_STARTING = 3.0  # seconds until an agent certainly listens to signals, on a busy machine too
_SENT_TWICE = 2  # times max_in_flight: what awaits its answer, and what awaits its commit
_IN_LOGS_ONLY_OF_BUGS = (b"Traceback", b"this is a bug", b"never retrieved", b"never awaited")
_MAY_STAY = {"store.db", "store.reserve", "store.lock", "agent.lock"}  # in the data directory
_DRAINED = (0, 3)


@dataclass(frozen=True, slots=True)
class Result:
    """One round that was run."""

    written: Round
    verdict: Verdict
    kills: int
    endings: Counter[str]
    faults: Counter[str]
    recovery_seconds: float  # from calm to the first record that is accepted
    drain_seconds: float  # from calm to the last
    seconds: float


class Player:
    """Plays one round in a directory of its own, which is made."""

    def __init__(
        self,
        written: Round,
        directory: Path,
        told: Callable[[str], None] = lambda line: None,
        patience: float = _PATIENCE,
    ) -> None:
        self._written = written
        self._directory = directory
        self._data_dir = directory / "data"
        self._told = told
        self._patience = patience
        self._findings: list[str] = []
        self._endings: Counter[str] = Counter()
        self._kills = self._unwritten = 0
        self._last = autopsy.Autopsy()
        directory.mkdir(parents=True)
        self._upstream = Upstream(Mint(written.seed, written.number), directory / "input")
        self._disk: SmallDisk | None = None

    def play(self) -> Result:
        """Live all lives, calm down, drain, and judge."""
        begun = time.monotonic()
        with ExitStack() as stack:
            self._stack = stack
            self._log = stack.enter_context((self._directory / "agent.log").open("ab"))
            if self._written.ill == SMALL_DISK:
                self._disk = stack.enter_context(SmallDisk(self._data_dir))
            landed = self._directory / "landed"
            self._stage = stack.enter_context(Stage(self._written, landed, self._log))
            self._configure()
            for life in self._written.lives:
                self._live(life)
            recovery, drain = self._recover()
            evidence = self._evidence()
            if self._disk:  # its file system goes, and with it what could be looked into
                shutil.copytree(self._data_dir, self._directory / "data-kept")
        seconds = time.monotonic() - begun
        verdict, fired = judge(evidence), self._stage.fired
        return Result(
            self._written, verdict, self._kills, self._endings, fired, recovery, drain, seconds
        )

    def _live(self, life: Life) -> None:
        self._stage.misbehave(*life.rules, fates=life.fates)
        self._upstream.provide(life)
        accepted = self._stage.accepted()
        timers = self._timers(life)
        with self._agent(life) as agent:
            for timer in timers:
                timer.start()
            code = agent.end(life.ending)
        for timer in timers:
            timer.join()
        if self._disk:
            self._disk.free()
        if life.full or life.refusals:
            self._unwritten += max(0, self._stage.accepted() - accepted)
        self._note_end(life, agent, code)
        self._take_stock(agent, stopped="stop" in life.ending.kind or bool(life.ending.points))

    def _timers(self, life: Life) -> list[threading.Timer]:
        """What happens while the agent lives."""
        timers = []
        if life.restart_emulator:
            number = signal.Signals[life.restart_emulator]
            timers.append(threading.Timer(0.5, self._stage.restart, (number,)))
        if life.full and self._disk:
            timers.append(threading.Timer(life.full[0], self._disk.fill))
            timers.append(threading.Timer(life.full[1], self._disk.free))
        return timers

    def _note_end(self, life: Life, agent: Running, code: int) -> None:
        kind = life.ending.kind
        if life.ending.points:
            name, _, when = life.ending.points[0]
            kind = "kill" if agent.was_killed else f"{when}: {name}"
        if code == -signal.SIGKILL:
            self._kills += 1
            if kind in ("stop", "stop twice"):
                self._findings.append(f"it did not end after: {kind}")
        elif code not in self._allowed(life):
            self._findings.append(f"exit code {code} after: {kind}")
        elif "stop" not in kind:
            kind = f"ended by itself, {code}"
        self._endings[kind] += 1
        self._told(f"  {kind}: exit code {code}")
        if agent.left_over():
            self._findings.append(f"a process was left over after: {kind}")

    def _allowed(self, life: Life) -> set[int]:
        """Exit codes of a life that was not killed."""
        allowed = {*_DRAINED}
        if self._written.ill in (SMALL_DISK, BAD_DISK):
            allowed.add(1)
        if life.ending.seconds < _STARTING or life.ending.kind == "stop twice":
            allowed.add(-signal.SIGTERM)  # it did not listen yet, or no longer
        return allowed

    def _take_stock(self, agent: Running, *, stopped: bool) -> None:
        """What is safe needs no feeding again; all else of the pipe is fed to the next agent."""
        self._last, before = autopsy.look(self._data_dir), self._last
        self._findings += self._last.findings
        self._findings += self._upstream.check(self._last.positions)
        self._upstream.expect_again(self._last.ahead)
        for stream in self._upstream.numbered:
            position: Position | None = None
            saved = self._last.positions.get(stream.name)
            if saved and saved != before.positions.get(stream.name):
                position = saved[0]
            told = agent.safe_lines.get(stream.name, 1)
            if told > max(position.line if position else 1, stream.first_line()):
                self._findings.append(
                    f"line {told} of {stream.name} was told to be safe, not {position}"
                )
            written = agent.writers[stream.name].written
            self._findings += stream.note(written, position, stopped=stopped)
            if stream.name in self._last.read:
                stream.number_on(self._last.read[stream.name])
        poster = agent.writers[self._upstream.pushed.name]
        self._upstream.pushed.note_answered(poster.written, poster.answered)

    def _recover(self) -> tuple[float, float]:
        """The faults end while the agent runs; seconds until that is noticed, and until the end."""
        with self._agent() as agent:
            latest = time.monotonic() + self._patience
            while not agent.answers and time.monotonic() < latest and agent.process.poll() is None:
                time.sleep(0.05)
            time.sleep(0.3)
            if self._disk:
                self._disk.fill()
                time.sleep(1.0)
                self._disk.free()
            calm = time.monotonic()
            accepted = self._stage.accepted()
            self._stage.calm()
            agent.finish_writing()
            while (
                agent.process.poll() is None
                and self._stage.accepted() == accepted
                and not self._is_done(agent)
            ):
                if (recovery := time.monotonic() - calm) > _RECOVERED:
                    self._findings.append(f"nothing was accepted for {recovery:.1f} s of calm")
                    break
                time.sleep(0.02)
            recovery = time.monotonic() - calm
            code = agent.finished(self._patience, self._is_done)
            drain = time.monotonic() - calm
        for stream in self._upstream.streams:
            stream.offered.update(stream.pending[: agent.writers[stream.name].written])
        if code not in _DRAINED:
            self._findings.append(
                f"not drained within {self._patience:g} s of calm: exit code {code}"
            )
        return recovery, drain

    def _is_done(self, agent: Running) -> bool:
        """Whether everything that was provided is safe with the agent, or answered for."""
        everything = len(self._upstream.pushed.pending)
        answered = agent.writers[self._upstream.pushed.name].answered
        is_taken = answered == everything and self._upstream.is_safe(agent.safe_lines)
        return is_taken and agent.held == 0

    def _evidence(self) -> Evidence:
        self._check_what_stays()
        kept = autopsy.kept_in(self._data_dir)
        return Evidence(
            minted=self._upstream.mint.minted,
            landed=list(self._stage.remote.records_by_id().items()),
            receipts=kept.receipts,
            letters=kept.letters,
            offered_again=self._upstream.offered_again,
            cut=self._upstream.cut,
            doubles=self._doubles(),
            findings=self._findings,
        )

    def _check_what_stays(self) -> None:
        last = autopsy.look(self._data_dir)
        self._findings += last.findings
        if last.spooled:
            self._findings.append(f"{last.spooled} records are still in the spool")
        names = {path.name for path in self._data_dir.iterdir()}
        if names - _MAY_STAY:
            self._findings.append(f"files were left over: {sorted(names - _MAY_STAY)}")
        log = (self._directory / "agent.log").read_bytes()
        bugs = [words for words in _IN_LOGS_ONLY_OF_BUGS if words in log]
        self._findings += [f"in the log: {words!r}" for words in bugs]
        if NAME.search(log):
            self._findings.append("the bytes of a record are in the log")

    def _doubles(self) -> Doubles:
        settings = self._written.settings
        lost = sum(count for name, count in self._stage.fired.items() if accepts(name))
        ends = self._endings.total() + self._stage.restarts
        return Doubles(
            in_flight=ends * _SENT_TWICE * settings.max_in_flight * settings.max_records,
            answers_lost=(lost + self._stage.harmed()) * settings.max_records,
            fed_again=self._upstream.fed_again,
            read_again=self._upstream.read_again.total(),
            unwritten=self._unwritten,
        )

    def _agent(self, life: Life | None = None) -> Running:
        plan: dict[str, Any] = {}
        if life:
            plan = {"points": life.ending.points, "refusals": life.refusals, "steps": life.steps}
            plan["skips"] = life.skips
        seed = f"feed {self._written.seed} {self._written.number} {self._endings.total()}"
        config = self._directory / "agent.json"
        return Running(config, self._doors, self._log, self._upstream, seed, plan)

    def _configure(self) -> None:
        sockets = tempfile.mkdtemp(prefix="torture")  # the names of sockets may not be long
        self._stack.callback(shutil.rmtree, sockets)
        self._doors = Doors(free_port(), free_port(), Path(sockets, "records.sock"), free_port())
        config = configuration(
            self._written.settings,
            url=self._stage.inlet_url,
            flow_id=self._stage.remote.flow_id,
            files=self._upstream.pattern,
            data_dir=self._data_dir,
            doors=self._doors,
        )
        (self._directory / "agent.json").write_text(json.dumps(config))
        script = json.dumps(asdict(self._written), indent=1)
        (self._directory / "script.json").write_text(script)
