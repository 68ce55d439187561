"""What becomes of texts on their way to PostgreSQL and back; with a server: test_metadata_check."""

from hypothesis import given, settings
from hypothesis import strategies as st
from ml_metadata.proto import metadata_store_pb2 as proto
from ml_metadata.proto import metadata_store_service_pb2 as service

from pipeline.postgres_texts import for_postgres, restore

# What stands for a backslash is in no JSON and no path.
SIGNS = st.characters(exclude_characters="\x1a", exclude_categories=("Cs",))
TEXTS = st.text(SIGNS, max_size=20) | st.builds(
    lambda text, times: text * times, st.text(SIGNS, min_size=1, max_size=9), st.integers(1, 1500)
)


def request_of(texts):
    execution = proto.Execution(type_id=1, name="C:\\")
    for name, text in texts.items():
        execution.custom_properties[name].string_value = text
    execution.custom_properties["count"].int_value = 7
    return service.PutExecutionsRequest(executions=[execution])


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), TEXTS))
def test_every_text_comes_back_in_pieces_that_postgresql_takes(texts):
    request = request_of(texts)
    before = request.SerializeToString(deterministic=True)
    sent = for_postgres(request)
    assert request.SerializeToString(deterministic=True) == before
    for value in sent.executions[0].custom_properties.values():
        assert len(value.string_value.encode()) <= 2000
        assert "\\" not in value.string_value
    assert sent.executions[0].name == "C:\x1a"
    response = type(sent).FromString(sent.SerializeToString())
    restore(response)
    assert response == request


def test_a_message_that_needs_nothing_is_sent_as_it_is():
    request = service.PutExecutionsRequest(executions=[proto.Execution(type_id=1, name="a")])
    assert for_postgres(request) is request
