"""What every test needs before it imports anything."""

import os

# As every entry point does: hub layers and TFT are Keras 2, and TensorFlow
# decides which Keras it offers from this, in subprocesses too.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
