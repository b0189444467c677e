"""`python -m tuning.trainer.search`: tries recipes, and keeps the winner if it is better on rows that no trial saw.

A killed search goes on: its trials are kept in a journal, and the running one goes on from its checkpoint.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from tuning.base import digest_of
from tuning.evaluation.statistics import Interval
from tuning.reading import read
from tuning.recipe import TARGETS, Recipe
from tuning.space import Space, trials_of
from tuning.trainer import checkpoints
from tuning.trainer.command import ended, parser
from tuning.trainer.errors import TrainingError
from tuning.trainer.gain import gain_of
from tuning.trainer.output import say
from tuning.trainer.progress import Say
from tuning.trainer.run import LINEAGE, Order, train

RESULT = "search.json"
_JOURNAL = "trials.journal"
_REASON = "reason"  # of a failed trial
_FIRST_RUNG, _FEWER = 9, 4  # per cent of a run after which three of four trials are pruned


@dataclass(frozen=True)
class Budget:
    trials: int
    minutes: float


@dataclass(frozen=True)
class Result:
    """`gain` is the winner's lower loss on the last part of the rows, in nats a token; None where the defaults won, or
    could not be trained. `steps` are the trained ones, of `all_steps` without pruning."""

    recipe: Recipe
    is_better: bool
    gain: Interval | None
    trials: int
    steps: int
    all_steps: int


class Search:
    """Raises TrainingError and OSError, if the folder has a search already, or one of other data."""

    def __init__(self, order: Order, budget: Budget, most_rank: int, say: Say) -> None:
        self._order, self._budget, self._say = order, budget, say
        self._space = Space(order.recipe, most_rank)
        _claim(order)
        storage = JournalStorage(JournalFileBackend(str(order.out / _JOURNAL)))
        pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=_FIRST_RUNG, reduction_factor=_FEWER)
        self._rates = self._study("rates", storage, pruner)
        self._shapes = self._study("shapes", storage, optuna.pruners.NopPruner())

    def _study(self, name: str, storage: JournalStorage, pruner: optuna.pruners.BasePruner) -> optuna.Study:
        """An interrupted trial goes on from its checkpoint."""
        study = optuna.create_study(storage=storage, study_name=name, pruner=pruner, load_if_exists=True)
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params)
        study.sampler = optuna.samplers.TPESampler(seed=self._order.recipe.seed + len(study.trials))
        return study

    def run(self) -> Result:
        """Raises TrainingError, BaseUnreadableError and OSError."""
        rates, shapes = trials_of(self._budget.trials)
        if not self._rates.trials:
            self._rates.enqueue_trial({"rate": self._order.recipe.rate})  # what is to be beaten
        self._try(self._rates, rates, self._rate)
        rate = min(self._complete(self._rates), key=_loss_of).params["rate"]
        self._try(self._shapes, shapes, lambda trial: self._shape(trial, rate))
        return self._checked()

    def _try(self, study: optuna.Study, count: int, suggest: Callable[[Trial], Recipe]) -> None:
        while len(_finished(study)) < count and not self._is_late():
            trial = study.ask()
            recipe = suggest(trial)
            trial.set_user_attr("recipe", asdict(recipe))
            state, loss = self._tried(trial, recipe)
            study.tell(trial, loss, state=state)
            shown = f"rate {recipe.rate:.1e}, rank {recipe.rank}, {recipe.targets}, {recipe.epochs} epochs"
            self._say({"trial": len(self._all_finished()), "of": self._budget.trials, "recipe": shown,
                       "state": state.name.lower(), "held_out_loss": loss})  # fmt: skip

    def _rate(self, trial: Trial) -> Recipe:
        return self._space.with_rate(trial.suggest_float("rate", *self._space.rates, log=True))

    def _shape(self, trial: Trial, rate: float) -> Recipe:
        return self._space.with_shape(
            rate,
            rank=trial.suggest_categorical("rank", self._space.ranks),
            epochs=trial.suggest_categorical("epochs", self._space.epochs),
            targets=trial.suggest_categorical("targets", TARGETS),
        )

    def _tried(self, trial: Trial, recipe: Recipe) -> tuple[TrialState, float | None]:
        out = self._folder(recipe)
        try:
            if not (out / LINEAGE).is_file():
                train(replace(self._order, recipe=recipe, out=out), lambda line: self._reported(trial, line))
        except optuna.TrialPruned:
            shutil.rmtree(out)
            return TrialState.PRUNED, None
        except TrainingError as error:
            trial.set_user_attr(_REASON, str(error))
            shutil.rmtree(out, ignore_errors=True)
            return TrialState.FAIL, None
        return TrialState.COMPLETE, json.loads((out / LINEAGE).read_text())["held_out_loss"]

    def _reported(self, trial: Trial, line: Mapping[str, Any]) -> None:
        self._say({})  # that it goes on
        _reported(trial, line)

    def _folder(self, recipe: Recipe) -> Path:
        return self._order.out / "trials" / recipe.run_id()[:16]

    def _checked(self) -> Result:
        """The winner has the lowest of several noisy losses: rows unseen by all trials decide whether it is better."""
        start, winner = (
            self._order.recipe,
            Recipe(**min(self._complete(self._rates, self._shapes), key=_loss_of).user_attrs["recipe"]),
        )
        gain = (
            gain_of(self._order, self._folder(start), self._folder(winner))
            if winner != start and (self._folder(start) / LINEAGE).is_file()
            else None
        )
        is_better = gain.is_above_zero if gain else winner != start
        chosen = winner if is_better else start
        trials = self._all_finished()
        steps = (sum(trial.user_attrs.get(name, 0) for trial in trials) for name in ("step", "of"))
        result = Result(chosen, is_better, gain, len(trials), *steps)
        self._publish(result)
        return result

    def _publish(self, result: Result) -> None:
        """The result is written last."""
        adapter, staged = self._order.out / "adapter", self._order.out / f"{RESULT}~"
        shutil.rmtree(adapter, ignore_errors=True)
        shutil.copytree(self._folder(result.recipe), adapter)
        staged.write_text(json.dumps(asdict(result), indent=2) + "\n")
        staged.replace(self._order.out / RESULT)
        shutil.rmtree(self._order.out / "trials", ignore_errors=True)

    def _complete(self, *studies: optuna.Study) -> list[FrozenTrial]:
        complete = [trial for study in studies for trial in study.get_trials(states=(TrialState.COMPLETE,))]
        if not complete:
            reasons = {trial.user_attrs.get(_REASON, "it was pruned") for trial in self._rates.trials}
            raise TrainingError(f"no trial ended: {'; '.join(sorted(reasons))}")
        return complete

    def _all_finished(self) -> list[FrozenTrial]:
        return [*_finished(self._rates), *_finished(self._shapes)]

    def _is_late(self) -> bool:
        """Of the time of all trials, also of those before the search was killed. The first trial is always made."""
        trials = self._all_finished()
        used = sum(trial.duration.total_seconds() for trial in trials if trial.duration)
        return bool(trials) and used > self._budget.minutes * 60


def _claim(order: Order) -> None:
    """Before the journal is opened: the trials of another search stay as they are."""
    if (order.out / RESULT).is_file():
        raise TrainingError(f"{order.out} has the result of a search already: name another folder")
    checkpoints.claim(order.out, order.recipe.run_id(read(order.data).digest, digest_of(order.base)))


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    """Without killed ones: they are tried again."""
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    return [trial for trial in study.trials if trial.state in ended or _REASON in trial.user_attrs]


def _loss_of(trial: FrozenTrial) -> float:
    return float(trial.value if trial.value is not None else "inf")


def _reported(trial: Trial, line: Mapping[str, Any]) -> None:
    if not line.get("step"):
        return
    trial.set_user_attr("step", line["step"])
    trial.set_user_attr("of", line["of"])
    if "eval_loss" in line:
        trial.report(line["eval_loss"], 100 * line["step"] // line["of"])
        if trial.should_prune():
            raise optuna.TrialPruned


def main() -> int:
    arguments = parser("python -m tuning.trainer.search", __doc__)
    arguments.add_argument("--trials", type=int, required=True)
    arguments.add_argument("--minutes", type=float, required=True)
    arguments.add_argument("--most-rank", type=int, required=True)
    given = arguments.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    order = Order(given.data, given.base, given.out, Recipe(**given.recipe))
    budget = Budget(given.trials, given.minutes)

    def searched() -> Mapping[str, Any]:
        result = Search(order, budget, given.most_rank, say).run()
        return {"adapter": str(given.out / "adapter"), "result": asdict(result)}

    return ended(searched)


if __name__ == "__main__":
    sys.exit(main())
