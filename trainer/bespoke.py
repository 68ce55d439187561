"""A head of the user's own: found by name, called, and checked before anything is trained.

What its own code raises is left as it is, for its author to read.
"""

import difflib
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
import tf_keras

from preprocessing.errors import ConfigError, explain
from trainer.config import HeadConfig
from trainer.head_inputs import HeadInput

_SEE = "examples/heads/gated.py"


def call_function(
    config: HeadConfig, inputs: Mapping[str, HeadInput], units: int, seed: int
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Builds the user's own head.

    Args:
        config: `function` and `arguments`; the function is called as
            `function(inputs, units, **arguments)` and returns a tf_keras.Model
            from `{name: [batch, width]}` to `[batch, units]`. It may leave
            inputs out.
        inputs: What the head gets, by name.
        units: Number of logits.
        seed: Of initial weights that the function draws without one.

    Returns:
        The Keras inputs by name, all of them, and the logits.

    Raises:
        ConfigError: If there is no such function, it does not take the
            arguments, or what it returns does not fit.
    """
    name = str(config.function)
    function = find_function(name)
    _check_arguments(name, function, config.arguments)
    tf_keras.utils.set_random_seed(seed)
    model = function(dict(inputs), units, **config.arguments)
    if not isinstance(model, tf_keras.Model):
        kind = type(model)
        raise _misfit(
            name,
            "must return a tf_keras.Model (of the package tf_keras, not keras or tf.keras)",
            f"{kind.__module__}.{kind.__qualname__}",
        )
    given = {key: tf_keras.Input([one.width], name=key) for key, one in sorted(inputs.items())}
    if model._is_graph_network:
        # Its layers become the head's: a model within a model is slow to trace.
        _check_inputs(name, model.input, inputs)
        given, logits = given | model.input, model.output
    else:
        logits = model(given)
    shape = tuple(logits.shape) if hasattr(logits, "shape") else logits
    if shape != (None, units):
        raise _misfit(name, f"must return a model with an output of (None, {units})", shape)
    return given, logits


def find_function(name: str) -> Callable[..., Any]:
    """Imports `package.module:function`.

    Raises:
        ConfigError: If there is no such module or function.
    """
    path, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        # Another missing module is one that the user's own file imports.
        if error.name is None or not f"{path}.".startswith(f"{error.name}."):
            raise
        package, _, last = error.name.rpartition(".")
        beside = getattr(sys.modules[package], "__path__", []) if package else None
        known = [one.name for one in pkgutil.iter_modules(beside)]
        close = difflib.get_close_matches(last, known, n=1)
        what = (
            "train.head.function: there is no such module, neither beside the config file nor "
            "among the installed packages"
        )
        raise ConfigError(explain(what, error.name, close, _SEE)) from None
    public = [
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == path and not key.startswith("_")
    ]
    function = getattr(module, attribute, None)
    if not callable(function):
        what = f"train.head.function: there is no such function in {module.__file__}"
        raise ConfigError(explain(what, attribute, public, _SEE))
    return function


def _check_arguments(name: str, function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind({}, 1, **arguments)
    except TypeError as error:
        what = f"train.head.arguments do not fit {name}{signature}, called with inputs and units"
        valid = list(signature.parameters)[2:]
        raise ConfigError(explain(f"{what}: {error}", dict(arguments), valid, _SEE)) from None


def _check_inputs(name: str, taken: Any, inputs: Mapping[str, HeadInput]) -> None:
    if not isinstance(taken, dict):
        raise _misfit(name, "must return a model whose inputs are a dict", type(taken).__name__)
    wanted = {key: one.width for key, one in inputs.items()}
    received = {key: one.shape[-1] for key, one in taken.items()}
    if any(wanted.get(key) != width for key, width in received.items()):
        what = f"must return a model with inputs of these names and widths: {wanted}"
        raise _misfit(name, what, received)


def _misfit(name: str, what: str, received: object) -> ConfigError:
    return ConfigError(explain(f"train.head.function {name} {what}", received, see=_SEE))
