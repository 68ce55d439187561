"""What Beam imports first in a worker of another machine (`--beam_plugin`): sets Keras 2."""

import os

from preprocessing.keras_mode import ACCEPTED, VARIABLE

os.environ.setdefault(VARIABLE, ACCEPTED[0])
