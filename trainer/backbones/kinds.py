"""Which module answers for which kind of handle.

A new kind is one module with these four functions and one line here (and what
`graft backbones` shows of it, in handles.py).
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from preprocessing.config import BackboneConfig
from trainer.backbones import hf, hub, keras
from trainer.backbones.handles import Handle
from trainer.backbones.module import BackboneModule
from trainer.backbones.record import Backbone, Interface


class Kind(NamedTuple):
    """What a kind of backbone can do.

    Attributes:
        source: Names what a handle stands for, local content by its digest.
        stage: Puts the content, checked, into an empty folder.
        describe: Reads the interface from the vendored content.
        load: Loads the vendored content, offline, for arithmetic of a dtype.
    """

    source: Callable[[BackboneConfig, Handle, Path], str]
    stage: Callable[[BackboneConfig, Handle, Path, Path], None]
    describe: Callable[[BackboneConfig, Handle, Path], Interface]
    load: Callable[[Backbone, str], BackboneModule]


KINDS: dict[str, Kind] = {
    "hub": Kind(hub.source, hub.stage, hub.describe, hub.load),
    "keras": Kind(keras.source, keras.stage, keras.describe, keras.load),
    "hf": Kind(hf.source, hf.stage, hf.describe, hf.load),
}
