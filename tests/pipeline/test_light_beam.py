import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import core
from apache_beam.transforms.userstate import BagStateSpec, is_stateful_dofn

from pipeline.light_beam import lighten_beam


@pytest.fixture(autouse=True)
def beams_own():
    """What is replaced is Beam's own again afterwards."""
    kept = (worker_handlers.STATE_CACHE_SIZE_MB, PipelineOptions.view_as, core.get_signature)
    yield kept
    worker_handlers.STATE_CACHE_SIZE_MB, PipelineOptions.view_as, core.get_signature = kept


class Counting(beam.DoFn):
    STATE = BagStateSpec("seen", VarIntCoder())
    SEEN = beam.DoFn.StateParam(STATE)

    def process(self, pair, seen=SEEN):
        seen.add(1)
        yield pair[0], sum(seen.read())


class Adding(beam.DoFn):
    def process(self, number, to=1, others=()):
        yield number + to + sum(others)


def test_a_view_is_parsed_once_and_shares_its_values_with_the_options():
    lighten_beam()
    options = PipelineOptions(["--runner=FnApiRunner", "--save_main_session"])
    view = options.view_as(SetupOptions)
    assert view is options.view_as(SetupOptions)
    assert view.save_main_session
    view.save_main_session = False
    assert not options.view_as(SetupOptions).save_main_session
    assert options.view_as(StandardOptions).runner == "FnApiRunner"


def test_other_options_have_views_of_their_own():
    lighten_beam()
    first = PipelineOptions(["--runner=FnApiRunner"]).view_as(StandardOptions)
    second = PipelineOptions(["--runner=PrismRunner"]).view_as(StandardOptions)
    assert (first.runner, second.runner) == ("FnApiRunner", "PrismRunner")


def test_remembered_signatures_are_what_beam_finds(beams_own):
    _, _, get_signature = beams_own
    lighten_beam()
    callables = [
        Counting().process,
        Adding().process,
        Adding().setup,
        Adding,
        len,
        str.strip,
        print,
    ]
    for one in callables * 2:
        assert core.get_signature(one) == get_signature(one)


def test_a_step_with_state_is_known_as_one():
    lighten_beam()
    assert is_stateful_dofn(Counting())
    assert not is_stateful_dofn(Adding())


def test_jobs_give_what_they_gave(beams_own):
    lighten_beam()
    with beam.Pipeline("FnApiRunner") as job:
        numbers = job | "numbers" >> beam.Create([1, 2, 3])
        others = beam.pvalue.AsList(job | "others" >> beam.Create([10, 20]))
        added = numbers | beam.ParDo(Adding(), 2, others=others)
        assert_that(added, equal_to([33, 34, 35]), label="side inputs")
        pairs = job | "pairs" >> beam.Create([("a", 1), ("a", 1), ("b", 1)])
        counted = pairs | beam.ParDo(Counting())
        assert_that(counted, equal_to([("a", 1), ("a", 2), ("b", 1)]), label="state")


def test_beam_is_changed_once_however_often_it_is_asked():
    lighten_beam()
    once = (PipelineOptions.view_as, core.get_signature)
    lighten_beam()
    assert (PipelineOptions.view_as, core.get_signature) == once
    assert worker_handlers.STATE_CACHE_SIZE_MB == 0
