import pytest

from upswarm.transfer.dialect import Caps

TUS = Caps(default_path="/tus/")
NONE = Caps()


@pytest.mark.parametrize(
    ("caps", "target", "endpoint"),
    [
        (TUS, "http://h:1080", "http://h:1080/tus/"),
        (TUS, "http://h:1080/", "http://h:1080/tus/"),
        (TUS, "http://h:1080/files", "http://h:1080/files"),
        (TUS, "http://h:1080/files/", "http://h:1080/files/"),
        (TUS, "https://[::1]:1080?x=1", "https://[::1]:1080/tus/?x=1"),
        (NONE, "http://h:1080", "http://h:1080"),
        (NONE, "http://h:1080/", "http://h:1080"),
        (NONE, "http://h:1080/a/b/", "http://h:1080/a/b/"),
    ],
)
def test_a_targets_own_path_is_taken_and_the_usual_one_where_it_has_none(caps, target, endpoint):
    assert caps.endpoint(target) == endpoint
