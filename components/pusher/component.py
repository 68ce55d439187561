"""The stock Pusher with an executor that publishes whole versions only."""

from tfx.components.pusher import component as stock
from tfx.dsl.components.base import executor_spec

from components.pusher.executor import Executor


class Pusher(stock.Pusher):
    """Takes what the stock Pusher takes, and `custom_config={"keep": n}`."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
