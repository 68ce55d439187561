"""How a glyph becomes a hand-drawn looking picture of very few pixels.

Everything is a seeded TensorFlow graph over batches: warp, pen, framing, then
the way to 8x8 pixels and back that scans of that size have gone.
"""

import math

import tensorflow as tf
from letters import CANVAS, Glyphs

SIDE = 32  # of the finished pictures, in pixels
GRID = 4  # points along a side at which the elastic warp is drawn


def make_pictures(glyphs: Glyphs, batch_size: int, seed: int) -> tf.data.Dataset:
    """Draws batches without end; the same seed draws the same pictures.

    Args:
        glyphs: What to draw, each letter class as often as any other.
        batch_size: Pictures in a batch.
        seed: Of everything random here.

    Returns:
        Pairs of [batch, SIDE, SIDE, 3] float32 pictures in [0, 1] and
        [batch] int64 labels.
    """
    fields, labels = tf.constant(glyphs.fields), tf.constant(glyphs.labels)
    members = tf.ragged.constant(
        [(glyphs.labels == label).nonzero()[0].tolist() for label in range(glyphs.classes)]
    )
    sizes = members.row_lengths()

    def draw_batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        dice = Dice(tf.stack([tf.constant(seed, tf.int64), step]))
        label = tf.cast(dice.uniform([batch_size]) * float(members.shape[0]), tf.int32)
        size = tf.cast(tf.gather(sizes, label), tf.float32)
        member = tf.cast(dice.uniform([batch_size]) * size, tf.int32)
        chosen = tf.gather_nd(members.to_tensor(), tf.stack([label, member], axis=-1))
        return degrade(draw(tf.gather(fields, chosen), dice), dice), tf.gather(labels, chosen)

    return tf.data.Dataset.counter().map(draw_batch, num_parallel_calls=2).prefetch(2)


class Dice:
    """Random numbers from one seed, each draw different from the last."""

    def __init__(self, seed: tf.Tensor) -> None:
        self._seed = seed
        self._draws = 0

    def _next_seed(self) -> tf.Tensor:
        self._draws += 1
        return self._seed + tf.constant([self._draws << 32, 0], tf.int64)

    def uniform(self, shape: list[int], low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """Draws float32 of a shape, evenly from [low, high)."""
        return tf.random.stateless_uniform(shape, self._next_seed(), low, high)

    def normal(self, shape: list[int], deviation: float) -> tf.Tensor:
        """Draws float32 of a shape around 0."""
        return tf.random.stateless_normal(shape, self._next_seed(), stddev=deviation)

    def chance(self, count: int, share: float) -> tf.Tensor:
        """Draws [count, 1, 1] bool, true for about `share` of them."""
        return self.uniform([count, 1, 1]) < share


def draw(fields: tf.Tensor, dice: Dice) -> tf.Tensor:
    """Warps glyphs and draws them with a pen, or with the font's own strokes.

    Args:
        fields: [batch, CANVAS, CANVAS, 2] float32, see `Glyphs`.
        dice: Where the warp and the pen come from.

    Returns:
        [batch, CANVAS, CANVAS] float32 ink in [0, 1].
    """
    batch = fields.shape[0]
    pen = fields[..., 0] - dice.uniform([batch, 1, 1], 1.5, 4.2)
    font = fields[..., 1] - dice.uniform([batch, 1, 1], -0.8, 1.5)
    drawn = tf.where(dice.chance(batch, 0.8), pen, font)
    warped = sample(drawn, warp(batch, dice))
    return tf.clip_by_value(0.5 - warped, 0.0, 1.0)


def warp(batch: int, dice: Dice) -> tf.Tensor:
    """Draws where each canvas pixel looks: slant, turn, stretch and elastic.

    Returns:
        [batch, CANVAS, CANVAS, 2] float32 positions (x, y) in canvas pixels.
    """
    axis = tf.range(CANVAS, dtype=tf.float32) - (CANVAS - 1) / 2
    x, y = tf.meshgrid(axis, axis)
    turn = dice.normal([batch, 1, 1], math.radians(9))
    slant = dice.normal([batch, 1, 1], 0.18)
    stretch = tf.exp(dice.normal([batch, 1, 1], 0.1))
    x = (x + slant * y) * stretch
    turned = tf.stack(
        [tf.cos(turn) * x - tf.sin(turn) * y, tf.sin(turn) * x + tf.cos(turn) * y], -1
    )
    bend = tf.image.resize(dice.normal([batch, GRID, GRID, 2], 2.6), [CANVAS, CANVAS], "bicubic")
    return turned + bend + (CANVAS - 1) / 2


def sample(field: tf.Tensor, where: tf.Tensor) -> tf.Tensor:
    """Reads a field between its pixels, bilinearly; the border goes on outside.

    Args:
        field: [batch, side, side] float32.
        where: [batch, side, side, 2] float32 positions (x, y).

    Returns:
        [batch, side, side] float32.
    """
    batch, side = field.shape[0], field.shape[1]
    where = tf.clip_by_value(where, 0.0, side - 1.001)
    corner = tf.floor(where)
    right, down = tf.unstack(where - corner, axis=-1)
    x, y = tf.unstack(tf.cast(corner, tf.int32), axis=-1)
    flat = tf.reshape(field, [-1])
    index = x + side * y + side * side * tf.range(batch)[:, None, None]
    above = tf.gather(flat, index) * (1 - right) + tf.gather(flat, index + 1) * right
    index += side
    below = tf.gather(flat, index) * (1 - right) + tf.gather(flat, index + 1) * right
    return above * (1 - down) + below * down


def degrade(ink: tf.Tensor, dice: Dice) -> tf.Tensor:
    """Frames ink, scans it to 8x8 grey levels and resizes it as a pipeline does.

    Args:
        ink: [batch, CANVAS, CANVAS] float32 in [0, 1].
        dice: Where framing, contrast and noise come from.

    Returns:
        [batch, SIDE, SIDE, 3] float32 in [0, 1], grey.
    """
    batch = ink.shape[0]
    framed = tf.image.crop_and_resize(
        ink[..., None], frames(ink, dice), tf.range(batch), [SIDE, SIDE]
    )
    scanned = tf.nn.avg_pool2d(tf.cast(framed > 0.5, tf.float32), 4, 4, "VALID")
    blurred = tf.nn.avg_pool2d(scanned, 3, 1, "SAME")
    softness = dice.uniform([batch, 1, 1, 1], -0.1, 0.25)
    seen = scanned + softness * (blurred - scanned)
    seen += dice.normal([batch, 8, 8, 1], 1.0) * dice.uniform([batch, 1, 1, 1], 0.0, 0.06)
    seen = tf.clip_by_value(seen * dice.uniform([batch, 1, 1, 1], 0.85, 1.25), 0.0, 1.0)
    grey = tf.image.resize(seen, [SIDE, SIDE], "bilinear")
    return tf.repeat(grey, 3, axis=-1)


def frames(ink: tf.Tensor, dice: Dice) -> tf.Tensor:
    """Finds the box around each glyph and widens it to a jittered frame.

    The glyph fills the frame's height and about two thirds of its width.

    Returns:
        [batch, 4] float32 boxes as `tf.image.crop_and_resize` takes them.
    """
    batch, side = ink.shape[0], ink.shape[1]

    def span(axis: int) -> tuple[tf.Tensor, tf.Tensor]:
        used = tf.cast(tf.reduce_max(ink, axis=axis) > 0.5, tf.int32)
        first = tf.argmax(used, axis=1)
        last = side - 1 - tf.argmax(used[:, ::-1], axis=1)
        return tf.cast(first, tf.float32) - 0.5, tf.cast(last, tf.float32) + 0.5

    left, right = span(1)
    top, bottom = span(2)
    height = (bottom - top) * dice.uniform([batch], 0.98, 1.12)
    # A narrow letter stays narrow, a wide one is squeezed.
    share = tf.clip_by_value((right - left) / (bottom - top), 0.15, 1.0)
    share = (0.35 + 0.4 * share) * tf.exp(dice.normal([batch], 0.12))
    width = tf.maximum((right - left) / share, (right - left) * 1.02)
    x = (left + right) / 2 + dice.normal([batch], 0.04) * width
    y = (top + bottom) / 2 + dice.normal([batch], 0.015) * height
    box = tf.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], axis=1)
    return box / (side - 1)
