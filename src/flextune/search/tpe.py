"""TPE by Optuna: it proposes, and the caller's trials are the record.

Optuna's storage is a copy that can be lost or shared. Whatever it knows that the record does not is taken
over or refused; whatever the record knows that it does not is told to it before it proposes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError, one_line
from flextune.extras import need
from flextune.search.base import Axis, Proposal, Settings, Trial

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

#: The attribute of a study that says which sweep it belongs to.
SWEEP = "flextune_sweep"
#: Trials that are drawn before anything is proposed.
STARTUP = 10


class Tpe:
    """A study of Optuna.

    Args:
        url: Of its storage, as SQLAlchemy takes it.
        name: Of the study.
        sweep: What stands for the axes and the objective.
        axes: What is varied.
        seed: Of the proposals.
        lowest: Whether the lowest value is the best.
        trials: How many at most.

    Raises:
        FlextuneError: The storage cannot be opened, or its study is of another sweep.
    """

    in_turn = False

    def __init__(
        self, url: str, name: str, sweep: str, axes: Sequence[Axis], *, seed: int, lowest: bool, trials: int
    ) -> None:
        need("optuna", what="search: tpe")
        if url.startswith("postgres"):
            need("psycopg", what="a PostgreSQL storage")
        self._axes, self._seed, self._most = axes, seed, trials
        self._shown = shown_url(url)
        self._storage = _storage(url, self._shown)
        self._study = self._opened(name, sweep, "minimize" if lowest else "maximize")

    def propose(self, trials: Sequence[Trial]) -> Proposal | None:
        """What Optuna proposes after all of ``trials``."""
        with self._naming_errors():
            mine = self._told(trials)
            if len(trials) >= self._most:
                return None
            orphan = next((t for t in self._running() if t.number not in mine), None)
            if orphan is not None:
                # Asked for by a worker that was killed before it could note it.
                return Proposal(self._settings(orphan), orphan.number)
            self._study.sampler = _sampler(self._seed, len(trials))
            asked = self._study.ask(self._distributions())
            return Proposal(self._settings(asked), asked.number)

    def close(self) -> None:
        """Close the connections."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _opened(self, name: str, sweep: str, direction: Any) -> optuna.Study:
        import optuna

        with self._naming_errors():
            study = optuna.create_study(
                storage=self._storage, study_name=name, direction=direction, load_if_exists=True
            )
            attributes = study.user_attrs
            if SWEEP not in attributes and not study.get_trials(deepcopy=False):
                study.set_user_attr(SWEEP, sweep)
            elif attributes.get(SWEEP) != sweep:
                raise FlextuneError(
                    f"{self._shown}: its study {name!r} was made by another sweep (other keys, objective or"
                    " experiment); choose another storage or another name"
                )
        return study

    def _told(self, trials: Sequence[Trial]) -> set[int]:
        """Tell Optuna how trials ended; the numbers of its trials that are ours.

        Raises:
            FlextuneError: It has finished trials that are not among ours.
        """
        theirs = {trial.number: trial for trial in self._study.get_trials(deepcopy=False)}
        if not theirs and trials:
            # A new storage: what was found is told to it, whatever its numbers were.
            for trial in trials:
                if trial.state != "running":
                    self._study.add_trial(self._as_optuna(trial))
            return set()
        mine = {trial.proposal: trial for trial in trials if trial.proposal is not None}
        foreign = [n for n, trial in theirs.items() if trial.state.is_finished() and n not in mine]
        if foreign and len(theirs) > len(trials):
            raise FlextuneError(
                f"{self._shown}: it holds {len(foreign)} finished trials that the run's folder does not; the"
                " folder is the record: bring it back, or choose another storage"
            )
        for number, trial in mine.items():
            known = theirs.get(number)
            if known is not None and not known.state.is_finished() and trial.state != "running":
                self._tell(known, trial)
        return set(mine)

    def _tell(self, known: FrozenTrial, trial: Trial) -> None:
        value, state = _ended(trial)
        if trial.state == "pruned" and trial.value is not None:
            self._storage.set_trial_intermediate_value(known._trial_id, 0, trial.value)
        self._study.tell(known.number, value, state=state, skip_if_finished=True)

    def _running(self) -> list[FrozenTrial]:
        from optuna.trial import TrialState

        return self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def _as_optuna(self, trial: Trial) -> FrozenTrial:
        import optuna

        value, state = _ended(trial)
        pruned = {0: trial.value} if trial.state == "pruned" and trial.value is not None else None
        return optuna.create_trial(
            state=state,
            value=value,
            params={axis.key: _encoded(axis, trial.settings[axis.key]) for axis in self._axes},
            distributions=self._distributions(),
            intermediate_values=pruned,
        )

    def _distributions(self) -> dict[str, BaseDistribution]:
        from optuna import distributions as d

        found: dict[str, BaseDistribution] = {}
        for axis in self._axes:
            if axis.values:
                found[axis.key] = d.CategoricalDistribution([_encoded(axis, v) for v in axis.values])
            elif axis.whole:
                found[axis.key] = d.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
            else:
                found[axis.key] = d.FloatDistribution(axis.low, axis.high, log=axis.log)
        return found

    def _settings(self, trial: optuna.Trial | FrozenTrial) -> Settings:
        """Its parameters as they are written in an experiment."""
        settings: Settings = {}
        for axis in self._axes:
            value = trial.params[axis.key]
            settings[axis.key] = json.loads(value) if axis.values else axis.rounded(value)
        return settings

    def _naming_errors(self) -> _NamingErrors:
        return _NamingErrors(self._shown)


class _NamingErrors:
    """An error of the database in one line that names it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, FlextuneError):
            return
        from optuna.exceptions import OptunaError
        from sqlalchemy.exc import SQLAlchemyError

        if isinstance(error, (OptunaError, SQLAlchemyError)):
            cause = error.__cause__ or error
            raise FlextuneError(f"{self._url}: the storage failed ({one_line(cause)})") from None


def shown_url(url: str) -> str:
    """A storage's address without its password."""
    scheme, separator, rest = url.partition("://")
    credentials, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{credentials.partition(':')[0]}{at}{host}" if at else url


def _ended(trial: Trial) -> tuple[float | None, Any]:
    """The value and the state that Optuna has for how a trial ended."""
    from optuna.trial import TrialState

    if trial.state == "done" and trial.value is not None:
        return trial.value, TrialState.COMPLETE
    return None, TrialState.PRUNED if trial.state == "pruned" else TrialState.FAIL


def _encoded(axis: Axis, value: Any) -> Any:
    """A value as Optuna's storages keep it: categories are JSON texts."""
    return json.dumps(value, sort_keys=True) if axis.values else value


def _storage(url: str, shown: str) -> Any:
    """The storage behind an address.

    Raises:
        FlextuneError: It is no database, or cannot be reached.
    """
    import optuna
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    optuna.logging.set_verbosity(logging.WARNING)
    # Of the drivers of PostgreSQL, psycopg is the one that the extra brings.
    scheme, separator, rest = url.partition("://")
    if scheme in ("postgres", "postgresql"):
        url = f"postgresql+psycopg{separator}{rest}"
    try:
        return optuna.storages.RDBStorage(url)
    except (ArgumentError, ImportError, ModuleNotFoundError) as error:
        raise FlextuneError(
            f"sweep.storage: {shown} is no address of a database ({one_line(error)});"
            " one is sqlite:///sweep.db or postgresql://user@host/name"
        ) from None
    except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        raise FlextuneError(f"sweep.storage: {shown} cannot be opened ({one_line(error)})") from None


def _sampler(seed: int, number: int) -> Any:
    """A sampler whose draws depend on the trial alone, so that a killed sweep goes on as it would have."""
    import optuna

    mixed = (seed * 1_000_003 + number) % 2**32
    return optuna.samplers.TPESampler(seed=mixed, n_startup_trials=STARTUP)
