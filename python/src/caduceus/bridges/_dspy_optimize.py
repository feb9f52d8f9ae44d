"""How is a program made better from examples, and how good is it?

Long runs of many requests: they tell how far they are after each example, and end between two of
them when their caller has gone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus.bridges._arguments import Argument, invalid
from caduceus.bridges._dspy_errors import CallerFaultError, code_of
from caduceus.bridges._dspy_programs import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from caduceus.bridges._dspy_programs import Program

EXAMPLES_MAX = 10_000
"""Examples of one run: each is a request at least."""

ERRORS_MAX = 10
"""Examples that may fail before a run is given up: DSPy's own default."""

OPTIMIZERS = ("bootstrap_few_shot", "labeled_few_shot")

_METRIC = {"metric": Argument((str, dict)), "max_errors": Argument((int,), minimum=0)}
OPTIMIZE_PROGRAM = {
    "program_id": Argument((str,), is_required=True),
    "trainset": Argument((list,), is_required=True),
    "optimizer": Argument((str,)),
    **_METRIC,
    "metric_threshold": Argument((float,)),
    "max_bootstrapped_demos": Argument((int,), minimum=0),
    "max_labeled_demos": Argument((int,), minimum=0),
    "max_rounds": Argument((int,), minimum=1),
}
EVALUATE_PROGRAM = {
    "program_id": Argument((str,), is_required=True),
    "devset": Argument((list,), is_required=True),
    **_METRIC,
}
_BOOTSTRAPPED_DEMOS = 4
_LABELED_DEMOS = 16


def optimize(dspy: ModuleType, program: Program, args: Mapping[str, Any]) -> dict[str, Any]:
    """Find demonstrations that make a program better; the program itself stays as it is.

    Parameters
    ----------
    dspy : module
        DSPy, in the context of a model.
    program : Program
        What to start from.
    args : mapping
        The arguments of ``optimize_program``, of the right types.

    Returns
    -------
    dict
        ``module`` (DSPy's), ``errors_count``, and ``bootstrapped_count``.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``. What the model fails with is passed on once `max_errors`
        examples have failed.
    """
    name = args.get("optimizer") or OPTIMIZERS[0]
    if name not in OPTIMIZERS:
        raise invalid(f"optimize_program: optimizer must be one of {', '.join(OPTIMIZERS)}")
    examples = _examples(dspy, program, args["trainset"], "optimize_program: trainset")
    # What was found before is not kept: DSPy starts from a program without demonstrations.
    student = program.module.reset_copy()
    labeled = _or(args.get("max_labeled_demos"), _LABELED_DEMOS)
    if name == "labeled_few_shot":
        module = dspy.LabeledFewShot(k=labeled).compile(student, trainset=examples)
        _tell(len(examples), len(examples), {})
        return {"module": module, "errors_count": 0, "bootstrapped_count": 0}
    optimizer = _bootstrap_class(dspy)(
        metric=_metric(dspy, program, args.get("metric")),
        metric_threshold=args.get("metric_threshold"),
        max_bootstrapped_demos=_or(args.get("max_bootstrapped_demos"), _BOOTSTRAPPED_DEMOS),
        max_labeled_demos=labeled,
        max_rounds=_or(args.get("max_rounds"), 1),
        # DSPy gives up at this many; here so many may fail.
        max_errors=_or(args.get("max_errors"), ERRORS_MAX) + 1,
    )
    module = optimizer.compile(student, trainset=examples)
    return {
        "module": module,
        "errors_count": optimizer.error_count,
        "bootstrapped_count": optimizer.bootstrapped_count,
    }


def evaluate(dspy: ModuleType, program: Program, args: Mapping[str, Any]) -> dict[str, Any]:
    """Run a program on examples, and compare.

    Parameters
    ----------
    dspy : module
        DSPy, in the context of a model.
    program : Program
        The program.
    args : mapping
        The arguments of ``evaluate_program``, of the right types.

    Returns
    -------
    dict
        ``score``, the mean from 0 to 1; ``total_count``; ``errors_count``; and ``results``, in the
        order of the examples, each with its ``score`` and its ``outputs`` or its ``error``.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``. What the model fails with is passed on once more than
        `max_errors` examples have failed.
    """
    examples = _examples(dspy, program, args["devset"], "evaluate_program: devset")
    metric = _metric(dspy, program, args.get("metric"))
    errors_max = _or(args.get("max_errors"), ERRORS_MAX)
    results: list[dict[str, Any]] = []
    errors_count = 0
    for example in examples:
        try:
            prediction = program.module(**example.inputs())
            score = float(metric(example, prediction, None))
            results.append({"score": score, "outputs": plain(prediction.toDict())})
        except Exception as error:
            errors_count += 1
            if errors_count > errors_max:
                raise
            code = error.code if isinstance(error, BridgeError) else code_of(error)
            told = {"code": code or "python_error", "message": str(error)}
            results.append({"score": 0.0, "error": told})
        _tell(len(results), len(examples), {"score": results[-1]["score"]})
    return {
        "score": sum(result["score"] for result in results) / len(results),
        "total_count": len(results),
        "errors_count": errors_count,
        "results": results,
    }


def _bootstrap_class(dspy: ModuleType) -> Any:  # noqa: ANN401 - DSPy's
    class Bootstrap(dspy.BootstrapFewShot):  # type: ignore[misc, name-defined]
        """DSPy's, which tells of its progress."""

        bootstrapped_count = 0
        tried_count = 0

        def _bootstrap_one_example(self, example: object, round_idx: int = 0) -> object:
            has_succeeded = super()._bootstrap_one_example(example, round_idx)
            self.bootstrapped_count += bool(has_succeeded)
            self.tried_count += round_idx == 0
            told = {"bootstrapped": self.bootstrapped_count, "errors": self.error_count}
            _tell(self.tried_count, len(self.trainset), told)
            return has_succeeded

    return Bootstrap


def _tell(done: int, total: int, more: dict[str, Any]) -> None:
    call = current_call()
    if call is not None:
        call.progress({"done": done, "total": total, **more})
        call.raise_if_cancelled()


def _examples(dspy: ModuleType, program: Program, given: list[Any], where: str) -> list[Any]:
    if not given:
        raise invalid(f"{where} must not be empty")
    if len(given) > EXAMPLES_MAX:
        raise invalid(f"{where}: {EXAMPLES_MAX} examples are the most, found {len(given)}")
    inputs, outputs = program.spec.input_names, program.spec.output_names
    for number, example in enumerate(given):
        if not isinstance(example, dict):
            raise invalid(f"{where}[{number}] must be an object")
        missing = [name for name in inputs if name not in example]
        unknown = [name for name in example if name not in (*inputs, *outputs)]
        if missing or unknown:
            finding = f"misses {', '.join(missing)}" if missing else f"has {', '.join(unknown)}"
            raise invalid(f"{where}[{number}] {finding}; it takes {', '.join((*inputs, *outputs))}")
    return [dspy.Example(**example).with_inputs(*inputs) for example in given]


def _metric(
    dspy: ModuleType, program: Program, given: object
) -> Callable[[Any, Any, object], float]:
    if given is None or given == "exact_match":
        return _exact_match(program.spec.output_names)
    if not isinstance(given, dict) or len(given) != 1:
        raise invalid("metric must be 'exact_match', { exact_match: [outputs] } or { callback }")
    fields, name = given.get("exact_match"), given.get("callback")
    if isinstance(fields, list) and fields:
        unknown = [str(each) for each in fields if each not in program.spec.output_names]
        if unknown:
            raise invalid(f"metric: {', '.join(unknown)} is no output of the program")
        return _exact_match(fields)
    if not isinstance(name, str) or not name:
        raise invalid("metric must be 'exact_match', { exact_match: [outputs] } or { callback }")
    return _callback_metric(name)


def _exact_match(fields: list[str]) -> Callable[[Any, Any, object], float]:
    def metric(example: Any, prediction: Any, _trace: object = None) -> float:  # noqa: ANN401
        compared = [name for name in fields if name in example]
        if not compared:
            return 0.0
        equal = [_is_same(example[name], prediction.get(name)) for name in compared]
        return float(all(equal))

    return metric


def _is_same(wanted: object, found: object) -> bool:
    """Compare as DSPy does: texts without case, articles, punctuation and extra spaces."""
    if isinstance(wanted, str) and isinstance(found, str):
        metrics: Any = importlib.import_module("dspy.evaluate.metrics")
        return bool(metrics.normalize_text(wanted) == metrics.normalize_text(found))
    return (type(wanted) is type(found) and wanted == found) or _is_same_number(wanted, found)


def _is_same_number(wanted: object, found: object) -> bool:
    numbers = (int, float)
    if isinstance(wanted, bool) or isinstance(found, bool):
        return False
    return isinstance(wanted, numbers) and isinstance(found, numbers) and wanted == found


def _callback_metric(name: str) -> Callable[[Any, Any, object], float]:
    def metric(example: Any, prediction: Any, _trace: object = None) -> float:  # noqa: ANN401
        call = current_call()
        if call is None:
            raise BridgeError(f"the metric {name!r} needs a caller", code="callback_failed")
        told = {"example": plain(example.toDict()), "outputs": plain(prediction.toDict())}
        try:
            score = call.invoke(name, told)
        except BridgeError as error:
            # What is wrong with the judge is not an example that failed.
            raise CallerFaultError(error) from error
        if isinstance(score, (bool, int, float)):
            return float(score)
        raise CallerFaultError(invalid(f"the metric {name!r} must give a number or a boolean"))

    return metric


def _or(value: Any, default: int) -> int:  # noqa: ANN401 - checked before
    return default if value is None else int(value)
