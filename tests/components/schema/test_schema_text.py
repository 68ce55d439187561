"""A schema that stands in the pipeline itself comes out as the file that others look for."""

from tfx.types import standard_artifacts

from components.schema.executor import Executor


def test_the_text_is_written_as_schema_gen_s_file(tmp_path):
    made = standard_artifacts.Schema()
    made.uri = str(tmp_path)
    Executor().Do({}, {"schema": [made]}, {"text": 'feature {\n  name: "image"\n}\n'})
    assert (tmp_path / "schema.pbtxt").read_text() == 'feature {\n  name: "image"\n}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["schema.pbtxt"]
