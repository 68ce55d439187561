"""The client asks a real server in both protocols, and says what goes wrong."""

import json

import pytest

from pipeline.cli import main
from serving.client.errors import ServerError
from serving.client.predict import Answer, describe, predict


@pytest.fixture(scope="module")
def targets(server):
    return server.url, f"grpc://{server.address}/colours"


@pytest.fixture(scope="module")
def files(picture, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name, colour in (("red", [255, 0, 0]), ("blue", [0, 0, 255])):
        (folder / f"{name}.png").write_bytes(picture(colour))
    return [str(folder / "red.png"), str(folder / "blue.png")]


def test_both_protocols_give_the_same_answers_for_files(targets, files):
    rest, rpc = [predict(target, files=files) for target in targets]
    assert [one.row for one in rest] == files
    assert [one.outputs["label"] for one in rest] == ["red", "blue"]
    for one, other in zip(rest, rpc, strict=True):
        assert set(one.outputs) == set(other.outputs)
        assert one.outputs["probabilities"] == pytest.approx(other.outputs["probabilities"])


def test_many_rows_go_in_several_requests(targets, files):
    for target in targets:
        answers = predict(target, files=[files[at % 2] for at in range(70)])
        assert [one.outputs["label"] for one in answers] == ["red", "blue"] * 35


def test_large_rows_go_in_requests_of_their_own(targets, picture, tmp_path):
    # Behind a PNG's end there may be anything.
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(picture([255, 0, 0]) + bytes(6_000_000))
    files = [str(tmp_path / f"{number}.png") for number in range(6)]
    for target in targets:
        assert [one.outputs["label"] for one in predict(target, files=files)] == ["red"] * 6


def test_a_version_is_asked_by_its_number_and_a_model_by_its_name(server, files):
    for target in (f"{server.url}/versions/7", f"grpc://{server.address}/colours/7"):
        assert len(predict(target, files=files)) == 2
    assert len(predict(server.address, files=files, name="colours")) == 2


def test_what_the_server_refuses_is_said(targets, server, files):
    for target, code in zip(targets, ("400", "INVALID_ARGUMENT"), strict=True):
        with pytest.raises(ServerError) as refused:
            predict(target, texts=["hello"])
        assert str(refused.value) == (
            f"The server refuses ({code}): image[0]: not a JPEG, PNG, GIF or BMP: "
            "the file starts with b'hello'"
        )
        with pytest.raises(ServerError) as refused:
            predict(target, files=files, signature="other")
        assert str(refused.value).startswith("The model has no signature other; it has serving_")
    with pytest.raises(ServerError) as refused:
        predict(server.address, files=files, name="x")
    assert str(refused.value) == (
        "The server refuses (NOT_FOUND): Servable not found for request: Latest(x)"
    )


def test_a_server_that_is_not_there_is_named(files):
    with pytest.raises(ServerError) as refused:
        predict("http://127.0.0.1:1/v1/models/m", files=files)
    assert str(refused.value) == (
        "http://127.0.0.1:1/v1/models/m/metadata cannot be reached: [Errno 111] Connection refused"
    )
    with pytest.raises(ServerError) as refused:
        predict("127.0.0.1:1", files=files, name="m")
    assert str(refused.value).startswith("127.0.0.1:1 cannot be reached: ")


def test_what_is_no_tf_serving_is_told_so(server, files):
    # Its answer is JSON, but not of a model.
    with pytest.raises(ServerError) as refused:
        predict(server.url.replace("/v1/", "/v1/models/").split("/v1/")[0], files=files, name="x")
    assert str(refused.value) == (
        "The server refuses (404): Servable not found for request: Latest(x)"
    )


def test_an_answer_is_a_line():
    answers = [
        Answer("a.png", {"label": "red", "score": 0.75, "classes": ["red"]}),
        Answer("long.png", {"label": "", "labels": []}),
        Answer("3", {"value": 1.5}),
        Answer("4", {"output": [1, 2]}),
        Answer("5", {"half": 1, "rest": 0}),
    ]
    assert describe(answers).splitlines() == [
        "a.png     red  0.750",
        "long.png  (none)",
        "3         1.5",
        "4         [1, 2]",
        '5         {"half": 1, "rest": 0}',
    ]


def test_graft_predict_asks_a_server(targets, files, capsys):
    assert main(["predict", targets[0], *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[files[0], "red"], [files[1], "blue"]]
    assert main(["predict", targets[1], "--input", f"image=@{files[1]}", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["row"], answer["outputs"]["label"]) == ("1", "blue")
