"""The whole config of a pipeline: the packages' records put together, and how it is read.

A new section is a record in the package that uses it and a field of `Config`.
Imports no TensorFlow, so that a mistake is reported at once.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError

from components.embedder.config import CacheConfig
from components.example_gen.config import DataConfig, PredictConfig
from components.example_gen.span_config import find_placeholders
from components.exporter.config import ExportConfig, ExportSection, read_section
from components.gate.config import EvaluateConfig
from components.model_card.config import ModelCardConfig
from components.pusher.config import PushConfig
from components.serving_validator.config import ValidateConfig
from pipeline.beam_config import BeamConfig
from pipeline.config_errors import explain_errors, place_of
from pipeline.cross_checks import find_breaches, given_columns
from pipeline.deploy_config import DeployConfig
from pipeline.engines.local import LocalEngine
from pipeline.metadata_config import MetadataConfig, SqliteMetadata
from pipeline.overrides import apply_overrides
from pipeline.secret_check import check_secrets
from pipeline.yaml_source import Document, read_yaml
from preprocessing.config import EmbeddedFeature, Feature, LabelConfig, Record
from preprocessing.errors import BackboneError, ConfigError, explain
from trainer.backbones.handles import parse_handle
from trainer.config import TrainConfig
from trainer.tune_config import TuneConfig

# Beside the config, where `workdir` does not say.
_LOCAL = ".graft"

FeatureName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", examples=["image"])]


class Config(Record):
    """A pipeline from data to a pushed model."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9_-]{0,62}$",
        examples=["flowers"],
        description="names the pipeline, its runs and its folder",
    )
    data: DataConfig
    features: dict[FeatureName, Feature] = Field(
        min_length=1, description="what the model looks at, by column name"
    )
    label: LabelConfig = LabelConfig()
    train: TrainConfig = TrainConfig()
    tune: TuneConfig | None = Field(None, description="null: `train` holds the values to take")
    evaluate: EvaluateConfig = EvaluateConfig()
    # pydantic keeps `validate` for itself.
    validation: ValidateConfig = Field(
        ValidateConfig(),
        alias="validate",
        description="how the model is tried as a server would, before the push",
    )
    export: ExportSection | None = Field(
        None, description="models for phones and browsers, made beside the SavedModel"
    )
    push: PushConfig | None = Field(None, description="null: the model is judged, not pushed")
    predict: PredictConfig | None = Field(
        None, description="rows that the model predicts in the end; null: none"
    )
    model_card: ModelCardConfig = Field(
        ModelCardConfig(), description="what its makers say of the model"
    )
    cache: CacheConfig = Field(CacheConfig(), description="what is kept for later runs")
    deploy: DeployConfig | None = Field(
        None, description="where `graft compile` has the pipeline run; null: it is only run here"
    )
    beam: BeamConfig = Field(LocalEngine(), description="what runs Beam's jobs")
    metadata: MetadataConfig = Field(
        SqliteMetadata(), description="the database that knows what every run did"
    )
    workdir: str = Field(
        _LOCAL,
        min_length=1,
        description="folder of all runs, or address such as gs://bucket/graft, where artifacts "
        "and feature vectors are then",
    )
    local_workdir: str | None = Field(
        None,
        min_length=1,
        description="folder on this machine for what cannot be at an address: SQLite's metadata, "
        "the lock, logs, what is known of each run, backbones and checkpoints. null means workdir, "
        "and where that is an address .graft",
    )

    _base: Path = PrivateAttr(default_factory=Path.cwd)
    _digest: str = PrivateAttr("")

    @property
    def base(self) -> Path:
        """The folder that relative paths start from: the config file's own."""
        return self._base

    @property
    def digest(self) -> str:
        """`sha256:…` over the effective config, defaults and overrides included.

        Paths count as they were written, so a project may be moved.
        """
        return self._digest or _digest(self)

    @property
    def exports(self) -> ExportConfig | None:
        """`export` in its long form."""
        return read_section(self.export)

    @property
    def local_folder(self) -> Path:
        """The folder on this machine; see `local_workdir`."""
        here = _LOCAL if "://" in self.workdir else self.workdir
        return self.base / (self.local_workdir or here)

    @property
    def feature_store(self) -> str:
        """Folder or address where feature vectors are kept."""
        return self.cache.features or os.path.join(self.workdir, "features")

    @property
    def carried_columns(self) -> tuple[str, ...]:
        """Columns of the user's own data that slices group by, each once."""
        known = {*given_columns(self), *self.features}
        columns = [column for group in self.evaluate.slices for column in group]
        return tuple(dict.fromkeys(column for column in columns if column not in known))


def load_config(
    path: str | Path, overrides: Sequence[str] = (), *, must_exist: bool = True
) -> Config:
    """Reads a config file.

    Args:
        path: The YAML file.
        overrides: `key.path=value` from the command line.
        must_exist: Whether the data that the config names has to be there.

    Returns:
        The config, with absolute paths in `data`, `push`, `workdir` and `local_workdir`.
        Backbone handles stay as written: they are relative to `config.base`.

    Raises:
        ConfigError: The file cannot be read or holds bad values; all of them
            are listed, each with its key, line, what was received and what is
            valid.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        beside = sorted(str(other) for other in path.parent.glob("*.y*ml"))
        raise ConfigError(explain("There is no such config file", str(path), beside)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(explain(f"The config file cannot be read: {error}", str(path))) from None
    document = read_yaml(text, path.name)
    if not isinstance(document.data, dict):
        what = f"{path.name}: a config is a mapping with the keys that are valid here"
        keys = [field.alias or name for name, field in Config.model_fields.items()]
        raise ConfigError(explain(what, str(document.data or ""), keys))
    return parse_config(apply_overrides(document, overrides), path.resolve().parent, must_exist)


def parse_config(document: Document, base: Path, must_exist: bool = True) -> Config:
    """Checks a config that was read already; see `load_config`."""
    check_secrets(document)
    try:
        # JSON's strict mode takes lists for tuples but no "5" and no true for 5.
        config = Config.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        raise explain_errors(error, document, Config.model_json_schema()) from None
    resolved = _with_absolute_paths(config, document, base, must_exist)
    resolved._base = base
    resolved._digest = _digest(config)
    return resolved


def _digest(config: Config) -> str:
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _with_absolute_paths(
    config: Config, document: Document, base: Path, must_exist: bool
) -> Config:
    errors: list[str] = []

    def absolute(written: str, key: tuple[str, ...], exists: bool = False) -> str:
        try:
            path = _absolute(written, base)
            if key[0] == "local_workdir" and "://" in path:
                raise ConfigError(explain("must be a folder on this machine", written))
            if key[0] in ("cache", "push", "workdir") and path.startswith(("http://", "https://")):
                what = "must be a folder, or an address that is written to, such as gs://bucket"
                raise ConfigError(explain(what, written))
            if exists and must_exist:
                _check_exists(written, path)
        except ConfigError as error:
            place = document.places.get(key)
            where = ".".join(key)
            errors.append(f"{place}: {where} {error}" if place else f"{where} {error}")
            return written
        return path

    source = config.data.source
    keys = ("data", "source", "path")
    paths = _each(source.path, lambda text, key: absolute(text, key, True), keys)
    push = config.push and config.push.model_copy(
        update={"path": absolute(config.push.path, ("push", "path"))}
    )
    predict = config.predict and _predicting(config.predict, absolute)
    workdir = absolute(config.workdir, ("workdir",))
    kept = {
        key: written and absolute(written, ("cache", key))
        for key, written in (("features", config.cache.features), ("spans", config.cache.spans))
    }
    local = config.local_workdir and absolute(config.local_workdir, ("local_workdir",))
    if push and not errors and any(_is_inside(push.path, path) for path in _paths_of(paths)):
        place = document.places.get(("push", "path"))
        what = "push.path lies in the data, where a server would take folders for versions"
        errors.append(f"{place}: {what}" if place else what)
    errors += [
        f"{place_of(key, document)}{'.'.join(map(str, key))}: {what}"
        for key, what in find_breaches(config, base)
    ]
    errors += _handle_errors(config, document)
    if errors:
        raise ConfigError("\n\n".join(errors))
    data = config.data.model_copy(update={"source": source.model_copy(update={"path": paths})})
    return config.model_copy(
        update={
            "data": data,
            "push": push,
            "predict": predict,
            "cache": config.cache.model_copy(update=kept),
            "workdir": workdir,
            "local_workdir": local,
        }
    )


def _predicting(predict: PredictConfig, absolute: Callable[..., str]) -> PredictConfig:
    path = absolute(str(predict.source.path), ("predict", "source", "path"), True)
    return predict.model_copy(update={"source": predict.source.model_copy(update={"path": path})})


def _paths_of(paths: str | dict[Any, str]) -> list[str]:
    return [paths] if isinstance(paths, str) else list(paths.values())


def _is_inside(path: str, folder: str) -> bool:
    if "://" in path or "://" in folder:
        return f"{path}/".startswith(f"{folder}/")
    return os.path.commonpath([path, folder]) == folder if os.path.isabs(folder) else False


def _handle_errors(config: Config, document: Document) -> list[str]:
    errors = []
    for name, feature in config.features.items():
        if not isinstance(feature, EmbeddedFeature):
            continue
        try:
            parse_handle(feature.backbone, feature.kind)
        except BackboneError as error:
            key = ("features", name, "backbone")
            place = document.places.get((*key, "handle"), document.places.get(key))
            where = ".".join(key)
            errors.append(f"{place}: {where}: {error}" if place else f"{where}: {error}")
    return errors


def _each(
    paths: str | dict[Any, str], change: Callable[[str, tuple[str, ...]], str], key: tuple[str, ...]
) -> str | dict[Any, str]:
    if isinstance(paths, str):
        return change(paths, key)
    return {split: change(path, (*key, split)) for split, path in paths.items()}


def _absolute(written: str, base: Path) -> str:
    """Expands ~ and ${VARIABLE}; an address such as gs://bucket stays as it is."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigError(explain("refers to a variable that is not set", match[0]))
        return os.environ[match[1]]

    expanded = re.sub(r"\$\{(\w+)\}", value, written)
    if "://" in expanded:
        return expanded
    return os.path.normpath(base / os.path.expanduser(expanded))


def _check_exists(written: str, path: str) -> None:
    # Whether there are spans is asked when they are looked for.
    pattern = any(sign in path for sign in "*?[") or find_placeholders(path)
    if "://" in path or pattern or os.path.exists(path):
        return
    parent = Path(path).parent
    try:
        siblings = sorted(os.listdir(parent))[:20]
    except OSError:
        siblings = []
    raise ConfigError(explain(f"does not exist: {path}", os.path.basename(written), siblings))
