"""A person reads the outcome of a run in 80 columns."""

import io

from rich.console import Console

from components.gate.config import METRICS
from components.gate.report import Baseline, GateReport, Judgement, ReliabilityBin
from components.serving_validator.report import Latency, Parity, ServingReport
from pipeline.doctor import Check
from pipeline.render import render_checks, render_handles, render_summary
from pipeline.summary import (
    ClassMetrics,
    ComponentRun,
    Confusion,
    Prediction,
    Pushed,
    Quarantined,
    SliceMetrics,
    SpanUse,
    Summary,
    VectorCounts,
)
from trainer.backbones.handles import HANDLE_KINDS

SUMMARY = Summary(
    run_id="20260101-000000-abcd",
    name="flowers",
    config_digest="sha256:0",
    stack={},
    seconds=101.2,
    peak_memory_mb=1830,
    components=(
        ComponentRun(name="ExampleGen", seconds=3.2, state="cached"),
        ComponentRun(name="Trainer", seconds=61.0, state="run"),
    ),
    examples={"train": 1437, "eval": 180, "test": 181},
    metrics={"eval": {"accuracy": 0.98333, "auc": 0.9991}, "test": {"accuracy": 0.5}},
    blessed=True,
    reasons=("accuracy 0.983 is at least 0.95",),
    baseline="the last blessed model, version 3",
    model="/somewhere/model",
    pushed=Pushed(path="/somewhere/serving/flowers", version=4),
    tensorboard="/somewhere/logs",
    log="/somewhere/run.log",
)


def shown(width=80, components=True, **changes):
    stream = io.StringIO()
    summary = SUMMARY.model_copy(update=changes)
    render_summary(summary, Console(file=stream, width=width), components=components)
    return stream.getvalue()


def lines(text, *starts):
    return [" ".join(line.split()) for line in text.splitlines() if line.strip().startswith(starts)]


def test_the_first_line_is_the_verdict():
    assert shown().split("\n")[1] == "flowers, run 20260101-000000-abcd: blessed and pushed"
    assert shown(pushed=None).split("\n")[1].endswith(": blessed")
    assert shown(pushed=None, blessed=False).split("\n")[1].endswith(": not blessed, not pushed")


def test_components_come_with_their_time_and_what_was_cached():
    text = shown()
    assert lines(text, "ExampleGen", "Trainer") == ["ExampleGen 3.2 s cached", "Trainer 61.0 s"]
    assert "ExampleGen" not in shown(components=False)


def test_every_split_comes_with_its_examples_and_metrics():
    assert lines(shown(), "Split", "train", "eval", "test") == [
        "Split Examples Accuracy AUC",
        "train 1,437 - -",
        "eval 180 0.983 0.999",
        "test 181 0.500 -",
    ]


def test_the_hardest_classes_come_first_with_what_they_are_taken_for():
    classes = [
        ClassMetrics(name=f"class {index}", examples=10, precision=0.9, recall=0.9)
        for index in range(6)
    ]
    classes.append(ClassMetrics(name="rose", examples=10, precision=None, recall=0.0))
    classes.append(ClassMetrics(name="weed", examples=0, precision=None, recall=None))
    confusions = (
        Confusion(actual="rose", predicted="tulip", count=1),
        Confusion(actual="rose", predicted="poppy", count=9),
    )
    text = shown(classes={"eval": tuple(classes)}, confusions={"eval": confusions})
    table = lines(text, "eval: hardest", "rose", "class")
    assert table[0] == "eval: hardest 5 of 7 Examples Precision Recall Taken for"
    assert table[1] == "rose 10 - 0.000 poppy (9), tulip (1)"
    assert len(table) == 6


def test_long_names_of_classes_are_folded_and_their_figures_stay_whole():
    names = [f"transfer_not_received_by_recipient_{number}" for number in range(7)]
    classes = [ClassMetrics(name=one, examples=40, precision=0.825, recall=0.5) for one in names]
    confusions = [Confusion(actual=one, predicted=names[0], count=3) for one in names[1:]]
    text = shown(classes={"test": tuple(classes)}, confusions={"test": tuple(confusions)})
    assert text.count(" 40       0.825    0.500 ") == 5
    assert max(map(len, lines(text, "transf"))) <= 80


def test_slices_are_shown_with_the_hardest_first():
    slices = tuple(
        SliceMetrics(slice={"image_format": name}, metrics={"accuracy": accuracy})
        for name, accuracy in (("PNG", 0.9), ("GIF", 0.2))
    )
    assert lines(shown(slices={"eval": slices}), "image_format") == [
        "image_format = GIF 0.200",
        "image_format = PNG 0.900",
    ]


def test_what_is_said_with_confidence_is_held_against_what_came_true():
    bins = tuple(
        ReliabilityBin(count=count, confidence=confidence, accuracy=accuracy)
        for count, confidence, accuracy in ((10, 0.3, 0.5), (30, 0.85, 0.9), (70, 1.0, 0.8))
    )
    text = shown(reliability={"eval": bins[:1], "test": bins})
    assert lines(text, "test: said", "0.2 to", "0.8 to") == [
        "test: said with Times On average Came true",
        "0.2 to 0.4 10 0.300 0.500",
        "0.8 to 1.0 100 0.955 0.830",
    ]


def test_of_many_slices_that_failed_the_first_are_shown():
    judgements = [
        Judgement(
            metric="accuracy",
            demand="at least 0.5",
            slice={"source": str(number)},
            examples=30,
            state="failed",
            value=0.1,
        )
        for number in range(9)
    ]
    gate = GateReport(
        blessed=False,
        baseline=Baseline(state="none"),
        judgements=tuple(judgements),
        small=(SliceMetrics(slice={"source": "x"}, metrics={}),),
        least=30,
    )
    text = shown(blessed=False, pushed=None, gate=gate, reasons=gate.reasons)
    start = text.index("  Not blessed")
    assert text[start : text.index("  Baseline")] == (
        "  Not blessed failed: accuracy 0.1000 on source = 0 (30), at least 0.5\n"
        "              failed: accuracy 0.1000 on source = 1 (30), at least 0.5\n"
        "              failed: accuracy 0.1000 on source = 2 (30), at least 0.5\n"
        "              failed: accuracy 0.1000 on source = 3 (30), at least 0.5\n"
        "              failed: accuracy 0.1000 on source = 4 (30), at least 0.5\n"
        "              ... and 4 more on slices: gate in summary.json\n"
        "              skipped: slices of fewer than 30 examples: 1\n"
    )


def test_a_class_without_confusions_has_no_column_for_them():
    classes = (ClassMetrics(name="rose", examples=10, precision=0.5, recall=0.4),)
    table = lines(shown(task="multilabel", classes={"eval": classes}), "eval: class", "rose")
    assert table == ["eval: class Examples Precision Recall", "rose 10 0.500 0.400"]


def test_slices_of_numbers_come_with_the_largest_error_first():
    slices = tuple(
        SliceMetrics(slice={"brand": name}, metrics={"mae": mae, "rmse": 2 * mae, "r2": -0.1})
        for name, mae in (("a", 0.5), ("b", 12_345.6))
    )
    text = shown(task="regression", slices={"eval": slices})
    assert lines(text, "eval: slice", "brand") == [
        "eval: slice MAE RMSE R2",
        "brand = b 12,346 24,691 -0.100",
        "brand = a 0.500 1.000 -0.100",
    ]


def test_what_is_known_of_data_and_training_is_told_in_lines():
    text = shown(
        missing={"brand": {"train": 1200, "eval": 3, "test": 0}, "image": {"train": 1}},
        truncated={"name": {"train": 0, "eval": 7}},
        vectors={
            "image": VectorCounts(new=200, kept=19_800, duplicates=12, recomputed=3),
            "name": VectorCounts(new=20_000),
        },
        vector_notes=("the disk is full",),
        tuned={"head.dropout": 0.2, "epochs": 20},
        history={"loss": [1.0, 0.5, 0.4], "eval_loss": [0.9, 0.6, 0.7]},
        training_notes=("started from the head of the last blessed model",),
    )
    start = text.index("  Missing")
    assert text[start : text.index("  Took")] == (
        "  Missing     brand: 1,200 in train, 3 in eval\n"
        "              image: 1 in train\n"
        "  Cut short   name: 7 in eval\n"
        "  Vectors     image: 19,800 kept from earlier runs, 200 new (12 duplicates, 3 kept "
        "before, but damaged)\n"
        "              name: 20,000 new\n"
        "              the disk is full\n"
        "  Tuned       epochs: 20\n"
        "              head.dropout: 0.2\n"
        "  Pushed      /somewhere/serving/flowers/4\n"
        "  Training    3 epochs, eval loss 0.900 at first, 0.600 at best (epoch 2)\n"
        "              started from the head of the last blessed model\n"
        "              tensorboard --logdir /somewhere/logs\n"
    )


def test_spans_are_shown_with_what_is_new_of_them():
    spans = [
        SpanUse(span=5, name="5", examples=100, state="kept"),
        SpanUse(span=6, name="6", version=2, examples=1200, state="new"),
    ]
    assert lines(shown(spans=spans), "Spans") == [
        "Spans 5 kept from earlier runs; 6 (version 2) new (1,200 examples)"
    ]
    assert lines(shown(spans=spans[:1]), "Spans") == ["Spans 5 kept from earlier runs; nothing new"]


def test_what_was_set_aside_is_shown_with_its_reason_and_a_long_name_is_not_cut():
    name = "train/" + "very_long_name_" * 6 + ".png"
    text = shown(
        quarantined=12, quarantine=(Quarantined(source=name, reason="the file ends early"),)
    )
    assert "Set aside: 12" in text
    assert "the file ends early" in text
    assert name in "".join(part for line in text.splitlines() for part in line.split()[:1])
    assert "quarantine.jsonl" in text


def test_the_end_says_why_and_where_and_what_to_type_next():
    text = shown(anomalies=("image_width: none in eval",))
    assert text[text.index("  Blessed") :] == (
        "  Blessed     accuracy 0.983 is at least 0.95\n"
        "  Baseline    the last blessed model, version 3\n"
        "  Anomalies   image_width: none in eval\n"
        "  Pushed      /somewhere/serving/flowers/4\n"
        "  Training    tensorboard --logdir /somewhere/logs\n"
        "  Took        101.2 s, 1.8 GB of memory at most\n"
        "  Log         /somewhere/run.log\n"
        "  Serve it    graft serve /somewhere/serving/flowers\n"
    )


def test_a_pushed_version_comes_with_its_size_and_what_loading_it_took():
    pushed = Pushed(
        path="/somewhere/serving/flowers",
        version=4,
        files=12,
        bytes=1_540_000,
        warmup_requests=18,
        load_seconds=4.52,
    )
    text = shown(pushed=pushed)
    assert (
        "  Pushed      /somewhere/serving/flowers/4\n"
        "              12 files, 1.5 MB; loaded in a new process, with 18 warm-up requests, "
        "in 4.5 s\n"
    ) in text


def test_a_model_that_was_rolled_back_from_is_shown_as_not_pushed_with_the_reason():
    text = shown(pushed=None, held_back="this very model was rolled back from")
    assert text.split("\n")[1] == "flowers, run 20260101-000000-abcd: blessed, not pushed"
    assert "  Not pushed  this very model was rolled back from\n" in text


def test_a_refused_model_is_shown_with_the_reasons_and_without_a_way_to_serve_it():
    text = shown(blessed=False, pushed=None, reasons=("accuracy 0.5 is below 0.8", "loss 3"))
    assert "  Not blessed accuracy 0.5 is below 0.8\n              loss 3\n" in text
    assert "  Model       /somewhere/model\n" in text
    assert "Serve it" not in text


def test_paths_below_where_one_stands_are_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "  Log         logs/run.log\n" in shown(log=str(tmp_path / "logs" / "run.log"))


def test_predictions_of_the_pushed_model_are_shown():
    prediction = Prediction(source="a.png", actual="3", predicted="8", probability=0.51234)
    assert lines(shown(predictions=(prediction,)), "a.png") == ["a.png 8 0.512 3"]


def test_names_in_square_brackets_are_no_markup():
    text = shown(
        quarantined=1, quarantine=(Quarantined(source="[red]/a.png", reason="[/] is no tag"),)
    )
    assert "[red]/a.png" in text
    assert "[/] is no tag" in text


def test_the_metrics_of_every_task_fit_into_80_columns():
    for task in ("multiclass", "binary", "multilabel", "regression"):
        wide = -1234.5678 if task == "regression" else 0.98765
        figures = {name: wide for name, one in METRICS.items() if task in one.tasks}
        text = shown(task=task, metrics={"eval": figures, "test": figures})
        assert max(map(len, text[: text.index("  Blessed")].splitlines())) <= 80
        table = lines(text, "Split")[0]
        assert all(METRICS[name].title in table for name in figures)


def test_tables_fit_into_80_columns():
    head = shown(quarantined=1, quarantine=(Quarantined(source="a " * 60, reason="b " * 60),))
    assert max(len(line) for line in head[: head.index("  Blessed")].splitlines()) <= 80


def test_a_check_that_failed_comes_with_what_mends_it():
    stream = io.StringIO()
    checks = [
        Check("glibc", "ok", "2.41", ""),
        Check("compiler", "fail", "none", "apt install g++"),
    ]
    render_checks(checks, Console(file=stream, width=80))
    assert stream.getvalue() == (
        "ok    glibc     2.41\nfail  compiler  none\n      mend it: apt install g++\n"
    )


def test_every_kind_of_handle_is_shown_with_its_examples():
    stream = io.StringIO()
    render_handles(HANDLE_KINDS, Console(file=stream, width=80))
    for kind in HANDLE_KINDS:
        for text in (kind.form, *kind.examples):
            assert text in stream.getvalue()


SERVING = ServingReport(
    blessed=True,
    reasons=("passed: everything",),
    parity=(
        Parity(signature="a", examples=111, largest_difference=2.4e-7, other_labels=0),
        Parity(signature="b", examples=111, largest_difference=0.0, other_labels=0),
    ),
    latency=(
        Latency(batch=1, calls=33, p50_ms=37.24, p95_ms=71.3),
        Latency(batch=32, calls=5, p50_ms=400.0, p95_ms=430.0),
    ),
    size_mb=10.317,
    load_seconds=3.05,
    text_ops=("CaseFoldUTF8",),
)


def test_what_the_model_does_as_served_is_shown():
    text = shown(serving=SERVING)
    assert lines(text, "As served", "10.3 MB", "needs") == [
        "As served within 2.4e-07 of the training path on 111 eval examples",
        "10.3 MB, loaded in 3.0 s; a batch of 1 in 37.2 ms, of 32 in 400.0 ms",
        "needs TF-Text in the server: CaseFoldUTF8",
    ]
    other = ServingReport(validator="infra_validator", blessed=True, reasons=("passed: it loads",))
    assert lines(shown(serving=other), "As served") == ["As served passed: it loads"]


def test_what_serving_validation_refuses_stands_with_the_gates_reasons():
    reasons = ("passed: it loads", "failed: its files take 12.0 MB, at most 10")
    serving = SERVING.model_copy(update={"blessed": False, "reasons": reasons})
    text = shown(serving=serving, blessed=False, pushed=None)
    assert lines(text, "Not blessed", "failed", "As served", "passed") == [
        "Not blessed accuracy 0.983 is at least 0.95",
        "failed: its files take 12.0 MB, at most 10",
    ]
