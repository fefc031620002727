import pytest

from pdfingest.shard import Shard, is_array_task


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        ("2/8", {}, Shard(2, 8)),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "5"}, Shard(3, 5)),
        ("auto/4", {"JOB_COMPLETION_INDEX": "1"}, Shard(1, 4)),
        (
            "auto",
            {
                "SLURM_ARRAY_TASK_ID": "12",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_ARRAY_TASK_MIN": "10",
            },
            Shard(2, 4),
        ),
        ("auto/7", {"AWS_BATCH_JOB_ARRAY_INDEX": "6"}, Shard(6, 7)),
        (
            "auto",
            {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "2"},
            Shard(0, 2),
        ),
    ],
)
def test_a_shard_is_what_the_option_or_the_scheduler_says(
    text: str, environment: dict[str, str], shard: Shard
) -> None:
    assert Shard.parse(text, environment) == shard


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ("3/3", {}, "from 0 to 2"),
        ("-1/3", {}, "must be I/N"),
        ("0/0", {}, "above 0"),
        ("half", {}, "must be I/N"),
        ("auto", {}, "CLOUD_RUN_TASK_INDEX"),
        ("auto", {"JOB_COMPLETION_INDEX": "1"}, "Give it: auto/N"),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "x", "CLOUD_RUN_TASK_COUNT": "2"}, "not a whole number"),
    ],
)
def test_a_shard_that_cannot_be_is_refused(
    text: str, environment: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Shard.parse(text, environment)


def test_one_task_of_one_is_no_array() -> None:
    assert not is_array_task({"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "1"})
    assert is_array_task({"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "2"})
    assert not is_array_task({})


def test_each_name_is_in_one_shard_and_shards_are_alike_in_size() -> None:
    for count in (1, 2, 3, 7):
        shards = [Shard(index, count) for index in range(count)]
        taken = [[shard.takes(f"{number}.pdf") for shard in shards] for number in range(700)]
        assert {sum(each) for each in taken} == {1}
        assert min(map(sum, zip(*taken, strict=True))) > 700 / count * 0.7
