"""Ctrl-C ends a run here; what a cluster does by itself is said."""

import logging

import pytest

from pipeline.config import load_config
from tests.pipeline.flowers import GOOD

pytestmark = pytest.mark.slow  # imports TFX

FLINK = (
    'beam: {kind: flink, job_endpoint: "localhost:1", '
    'workers: {kind: external, address: "localhost:1"}}'
)


@pytest.mark.parametrize(("beam", "said"), [("", 0), (FLINK, 1)])
def test_ctrl_c_says_that_a_cluster_may_go_on(beam, said, folder, monkeypatch, caplog):
    from pipeline import local

    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "check_engine", press)
    (folder / "flowers.yaml").write_text(GOOD + beam)
    config = load_config(folder / "flowers.yaml")
    with caplog.at_level(logging.INFO, "graft.progress"), pytest.raises(KeyboardInterrupt):
        local.run(config, cache=True, run_id="1", log=folder / "log")
    note = "the cluster may go on with its job; end it on the cluster's page"
    assert caplog.messages.count(note) == said
