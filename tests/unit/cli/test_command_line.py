"""Values that users give, by a flag, the environment or a file, and what is said of wrong ones."""

from pathlib import Path

import pytest

from conftest import Say
from pdfingest.cli.declared import options_of
from pdfingest.cli.main import all_commands

NO_PDFS = ["run", "folder"]
"""Ends with code 3 where all options are understood: the folder is empty."""


WRONG = {
    ("workers", "x"): "must be a whole number, not 'x'.",
    ("workers", "0"): "must be from 1 to 512, not 0.",
    ("workers", "1.5"): "must be a whole number, not '1.5'.",
    ("max-pages", "0"): "must be 1 or more, not 0.",
    ("timeout", "-1"): "must be above 0, not -1.",
    ("timeout", "nan"): "must be a number, not nan.",
    ("timeout", "inf"): "must be a number, not inf.",
    ("page-timeout", "soon"): "must be a number, not 'soon'.",
    ("wait", "-1"): "must be 0 or more, not -1.",
    ("unit", "pages"): "must be page, document or chunk, not 'pages'.",
    ("sandbox", "foo"): "must be auto, require or off, not 'foo'.",
    ("order", ""): "must be size, name or mtime, not ''.",
    ("fail-on", "all"): "must be any, failed or never, not 'all'.",
    ("on", "there"): "must be here or celery, not 'there'.",
    ("log-format", "xml"): "must be text or json, not 'xml'.",
    ("max-output", "0"): "must be 1 or more, not 0.",
    ("max-output", "lots"): "must be a size such as 512M or 4G, not 'lots'.",
    ("max-peak", "-1"): "must be a size such as 512M or 4G, not '-1'.",
    ("memory-budget", "9" * 400): "must be less than 1E, not",
    ("output", ""): "must name a directory, or - for stdout.",
    ("engine", "pdfium,,pypdf"): "must be names with a comma between, not 'pdfium,,pypdf'.",
    ("engine", "pdfium, pdfium"): "must name each once, not 'pdfium, pdfium'.",
    ("shard", "3/2"): "must have an index from 0 to 1, not '3/2'.",
    ("shard", "half"): "must be I/N such as 0/8, or auto, or auto/N, not 'half'.",
    ("retry-failed", "bad luck"): "must be any or one or more of encrypted, malformed,",
}


@pytest.mark.parametrize(("option", "value"), WRONG, ids=" ".join)
def test_what_is_wrong_with_a_value_says_where_it_came_from(
    say: Say, option: str, value: str
) -> None:
    reason = WRONG[option, value]
    name = option.replace("-", "_")
    said = say(*NO_PDFS, f"--{option}={value}")
    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.startswith(f"pdfingest: --{option}: {reason}")
    assert said.stderr.count("\n") == 1
    if value:  # an empty variable is one that is not set
        said = say(*NO_PDFS, env={f"PDFINGEST_{name.upper()}": value})
        assert said.stderr.startswith(
            f"pdfingest: PDFINGEST_{name.upper()} in the environment: {reason}"
        )
        assert said.code == 2


WRONG_IN_A_FILE = {
    "workers = true": "must be a whole number, not true.",
    'workers = "4"': "must be a whole number, not '4'.",
    "workers = 0": "must be from 1 to 512, not 0.",
    "workers = 4.0": "must be a whole number, not 4.0.",
    'timeout = "60"': "must be a number, not '60'.",
    "timeout = false": "must be a number, not false.",
    "timeout = nan": "must be a number, not nan.",
    'html = "yes"': "must be true or false, not 'yes'.",
    "require-flat = 1": "must be true or false, not 1.",
    "unit = 3": "must be page, document or chunk, not 3.",
    'unit = "pages"': "must be page, document or chunk, not 'pages'.",
    "output = true": "must be text, not true.",
    "password = 3": "must be text or a list of texts.",
    'password = ["a", 3]': "must be text or a list of texts.",
    "memory-limit = true": "must be a size such as 512M or 4G, not true.",
    "shard = 3": "must be text, not 3.",
    "retry-failed = true": "must be any or one or more of encrypted,",
    "order = 1979-05-27": "must be size, name or mtime, not 1979-05-27.",
}


@pytest.mark.parametrize("line", WRONG_IN_A_FILE)
def test_what_a_file_says_wrong_is_told_with_the_file(say: Say, line: str) -> None:
    key, _, _ = line.partition(" ")
    said = say(*NO_PDFS, toml=line)
    where = f"pdfingest: {key} in {Path('pdfingest.toml').resolve()}: "
    assert said.stderr.startswith(where + WRONG_IN_A_FILE[line])
    assert (said.code, said.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    "line",
    [
        'password = ["correct horse", "b"]',
        'password = "correct horse"',
        'unit = "document"',
        "workers = 1",
        "timeout = 60",
        "page-timeout = 1.5",
        "page_timeout = 1.5",
        "html = false",
        'memory-limit = "128M"',
        "memory-limit = 134217728",
        'retry-failed = ["timeout", "crashed"]',
        'retry-failed = "any"',
        'shard = "0/2"',
        'engine = "pdfium, pypdf"',
        "",
    ],
)
def test_what_a_file_says_right_is_taken(say: Say, line: str) -> None:
    assert say(*NO_PDFS, toml=line).code == 3


def test_a_value_that_a_flag_replaces_must_be_right_all_the_same(say: Say) -> None:
    said = say(*NO_PDFS, "--workers", "1", toml="workers = true")
    assert said.stderr.startswith("pdfingest: workers in ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--force", "--retry-failed", "folder"], "--force and --retry-failed: "),
        (["run", "-o", "-", "--shard", "0/2", "folder"], "--shard: "),
        (
            ["run", "-w", "2", "--memory-limit", "1G", "--memory-budget", "128M", "folder"],
            "--memory-limit and --memory-budget: 1,024.0 MiB for a file are more than the ",
        ),
        (
            ["run", "-w", "4", "--memory-limit", "1G", "--memory-budget", "3G", "folder"],
            """--workers and --memory-limit: 4 x 1,024.0 MiB are more than the memory budget of \
3,072.0 MiB. Use at most 3 workers, or a limit of 768.0 MiB.""",
        ),
        (
            ["run", "-w", "4", "--memory-budget", "128M", "folder"],
            """--workers and --memory-budget: 128.0 MiB for 4 workers are 32.0 MiB each, but a \
child needs 64.0 MiB. Use at most 2 workers, or a budget of 256.0 MiB.""",
        ),
        (
            ["run", "-w", "4", "--memory-budget", "32M", "folder"],
            "--memory-budget: 32.0 MiB are too little: a child needs 64.0 MiB before",
        ),
        (
            ["run", "folder", "--password-file", "nowhere.txt"],
            "--password-file: nowhere.txt cannot be read: No such file or directory.",
        ),
        (["run", "folder", "--html", "-o", "-"], "--html and --output: pictures need a directory"),
        (["run"], "INPUT is missing: name files, directories or quoted globs. "),
        (["run", "--nonsense", "folder"], "No such option: --nonsense"),
        (["run", "folder", "--workers"], "Option '--workers' requires an argument. "),
        (["run", "folder", "--html=3"], "Option '--html' does not take a value. "),
        (["report"], "DIR is missing. "),
        (["report", "a", "b"], "Unexpected argument 'b'. "),
        (["report", ".", "--top", "-1"], "--top: must be 0 or more, not -1."),
        (["bench", "--files", "0"], "--files: must be 1 or more, not 0."),
        (["bench", "--inject-leak", "lots"], "--inject-leak: must be a size such as 512M or 4G"),
        (["serve", "--port", "70000"], "--port: must be from 1 to 65535, not 70000."),
        (["compact", ".", "--wait", "nan"], "--wait: must be a number, not nan."),
        (["nonsense"], "No such command 'nonsense'."),
        (["--nonsense"], "No such option: --nonsense"),
    ],
)
def test_every_usage_error_has_one_form(say: Say, words: list[str], message: str) -> None:
    said = say(*words)
    assert (said.code, said.stdout) == (2, "")
    assert said.stderr.startswith(f"pdfingest: {message}")
    assert said.stderr.count("\n") == 1


def test_the_program_without_a_word_shows_its_help_and_fails(say: Say) -> None:
    said = say()
    assert said.code == 2
    assert "run" in said.stderr
    assert "report" in said.stderr


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ("1", True),
        ("true", True),
        ("Yes", True),
        ("on", True),
        ("0", False),
        ("False", False),
        ("no", False),
        ("off", False),
        ("", False),
    ],
)
def test_a_flag_may_come_from_the_environment(say: Say, value: str, listed: bool) -> None:
    Path("folder/a.pdf").touch()
    shard = {"PDFINGEST_SHARD": "0/1", "PDFINGEST_OUTPUT": "-"}  # refused where it is to run
    said = say(*NO_PDFS, env={"PDFINGEST_DRY_RUN": value, **shard})
    assert said.stdout == ""
    assert said.code == 2
    said = say(*NO_PDFS, env={"PDFINGEST_DRY_RUN": value, "PDFINGEST_ENGINE": "nonsuch"})
    assert said.code == 4  # which asks for no file
    if listed:
        said = say(*NO_PDFS, env={"PDFINGEST_DRY_RUN": value})
        assert (said.code, said.stdout) == (0, "a.pdf\n")


def test_a_flag_that_is_neither_true_nor_false_is_told(say: Say) -> None:
    said = say(*NO_PDFS, env={"PDFINGEST_DRY_RUN": "perhaps"})
    assert said.code == 2
    assert said.stderr == (
        "pdfingest: PDFINGEST_DRY_RUN in the environment: must be true or false, not 'perhaps'.\n"
    )


def test_every_option_has_a_variable_and_one_that_commands_share_means_the_same() -> None:
    program = all_commands()
    found: dict[str, set[object]] = {}
    for command in program.commands:
        for option in options_of(program, command):
            assert option.variable.startswith("PDFINGEST_") == bool(option.key)
            if option.key:
                found.setdefault(option.variable, set()).add((option.key, option.kind))
    assert {variable for variable, meant in found.items() if len(meant) > 1} == set()
    assert {
        "PDFINGEST_WORKERS",
        "PDFINGEST_DRY_RUN",
        "PDFINGEST_BENCH_HTML",
        "PDFINGEST_REPORT_TOP",
        "PDFINGEST_SERVE_PORT",
        "PDFINGEST_LANES",
        "PDFINGEST_WAIT",
    } <= set(found)


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("PDFINGEST_WORKER", " Did you mean PDFINGEST_WORKERS?"),
        ("PDFINGEST_REDISURL", " Did you mean PDFINGEST_REDIS_URL?"),
        ("PDFINGEST_RUN_WORKERS", " Did you mean PDFINGEST_WORKERS?"),
        ("PDFINGEST_XYZZY", ""),
    ],
)
def test_a_variable_that_nothing_reads_is_named_in_a_warning(
    say: Say, variable: str, suggestion: str
) -> None:
    said = say(*NO_PDFS, env={variable: "4"})
    warning, error = said.stderr.splitlines()
    assert warning == f"pdfingest: {variable} is set, but nothing reads it.{suggestion}"
    assert (said.code, error.startswith("pdfingest: no PDF found")) == (3, True)
    assert say(*NO_PDFS, "-q", env={variable: "4"}).stderr.count("\n") == 1


def test_variables_of_the_service_and_of_kubernetes_are_known(say: Say) -> None:
    """Kubernetes sets these for a service that is called pdfingest (service environment)."""
    known = {
        "PDFINGEST_REDIS_URL": "redis://redis",
        "PDFINGEST_SERVICE_HOST": "10.0.0.1",
        "PDFINGEST_SERVICE_PORT_HTTP": "8000",
        "PDFINGEST_API_SERVICE_PORT": "8000",
        "PDFINGEST_PORT": "tcp://10.0.0.1:8000",
        "PDFINGEST_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "PDFINGEST_PORT_8000_TCP_PROTO": "tcp",
        "PDFINGEST_API_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert say(*NO_PDFS, env=known).stderr.count("\n") == 1
