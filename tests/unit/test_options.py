import ast
import inspect
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pdfingest import FailureKind, IngestOptions, Sandbox, Unit, options
from pdfingest.cli.declared import options_of
from pdfingest.cli.main import all_commands
from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode, OptionError, PdfingestError
from pdfingest.job import EngineSpec, OcrSpec
from pdfingest.model import FailOn, Order
from pdfingest.run.tools import options_digest
from pdfingest.shard import Shard
from pdfingest.values import option_of

NAN = float("nan")


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("output", Path("a/b"), "a/b"),
        ("output", b"caf\xe9", "caf\udce9"),
        ("unit", "document", Unit.DOCUMENT),
        ("sandbox", "require", Sandbox.REQUIRE),
        ("order", "mtime", Order.MTIME),
        ("fail_on", "never", FailOn.NEVER),
        ("shard", "1/3", Shard(1, 3)),
        ("retry_failed", ["timeout", FailureKind.CRASHED], tuple(FailureKind)[5:8:2]),
        ("retry_failed", "timeout, crashed", tuple(FailureKind)[5:8:2]),
        ("retry_failed", "any", tuple(FailureKind)),
        ("passwords", "ab", ("ab",)),
        ("passwords", ["a", "b"], ("a", "b")),
        ("passwords", iter(["a", "b"]), ("a", "b")),
        ("memory_limit_bytes", "128M", 128 << 20),
        ("max_output_bytes", "1.5K", 1536),
        ("max_peak_bytes", 5, 5),
        ("timeout_s", 5, 5.0),
        ("engine", " pdfium , pypdf ", "pdfium,pypdf"),
    ],
)
def test_what_is_given_is_brought_to_the_type_of_the_field(
    field: str, given: Any, kept: Any
) -> None:
    found = getattr(IngestOptions(**{field: given}), field)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("output", ""),
        ("output", None),
        ("output", 3),
        ("workers", 0),
        ("workers", -1),
        ("workers", 513),
        ("workers", "4"),
        ("workers", 4.0),
        ("workers", True),
        ("engine", ""),
        ("engine", "pdfium,"),
        ("engine", "pdfium,pdfium"),
        ("engine", None),
        ("unit", "pages"),
        ("unit", None),
        ("unit", 3),
        ("sandbox", "foo"),
        ("sandbox", True),
        ("order", "foo"),
        ("fail_on", "no"),
        ("timeout_s", NAN),
        ("timeout_s", float("inf")),
        ("timeout_s", 0),
        ("timeout_s", "60"),
        ("timeout_s", True),
        ("timeout_s", Decimal(60)),
        ("page_timeout_s", -1.0),
        ("wait_s", -0.1),
        ("wait_s", NAN),
        ("memory_limit_bytes", "lots"),
        ("memory_limit_bytes", -1),
        ("memory_limit_bytes", 1.5),
        ("memory_limit_bytes", True),
        ("memory_limit_bytes", 1 << 70),
        ("memory_budget_bytes", None),
        ("max_output_bytes", 0),
        ("max_pages", 0),
        ("max_pages", "10"),
        ("passwords", ["a", 3]),
        ("passwords", b"ab"),
        ("passwords", None),
        ("shard", "3/2"),
        ("shard", 3),
        ("retry_failed", "bad luck"),
        ("retry_failed", ["timeout", "bad luck"]),
        ("retry_failed", True),
        ("force", 1),
        ("force", "yes"),
        ("checksum", None),
        ("require_flat", "no"),
        ("max_peak_bytes", "big"),
    ],
)
def test_what_cannot_be_is_refused_with_the_name_of_the_field(field: str, given: Any) -> None:
    with pytest.raises(OptionError) as caught:
        IngestOptions(**{field: given})
    assert caught.value.exit_code is ExitCode.USAGE
    assert str(caught.value).startswith(f"{field}: must ")


def test_a_password_is_not_shown() -> None:
    with pytest.raises(OptionError) as caught:
        IngestOptions(passwords=["secret", 3])  # type: ignore[list-item]  # on purpose
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(IngestOptions(passwords="secret"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"force": True, "retry_failed": "any"}, "force and retry_failed: "),
        ({"output": "-", "shard": "0/2"}, "shard: needs an output directory"),
        ({"output": "-", "retry_failed": "any"}, "retry_failed: needs an output directory"),
        (
            {"memory_limit_bytes": "1G", "memory_budget_bytes": "512M"},
            "memory_limit_bytes and memory_budget_bytes: ",
        ),
        ({"memory_limit_bytes": "1M"}, "memory_limit_bytes: 1.0 MiB are too little"),
        (
            {"workers": 9, "memory_limit_bytes": "1G", "memory_budget_bytes": "2G"},
            "workers and memory_limit_bytes: ",
        ),
        ({"workers": 4, "memory_budget_bytes": "128M"}, "workers and memory_budget_bytes: "),
    ],
)
def test_options_that_do_not_go_together_are_named_both(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError) as caught:
        IngestOptions(**given)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("limit", ["65M", "100M", "1G", "3G", "70G"])
def test_a_cure_that_is_named_is_one(limit: str) -> None:
    with pytest.raises(OptionError) as caught:
        IngestOptions(workers=300, memory_limit_bytes=limit, memory_budget_bytes="10G")
    assert " 0 workers" not in str(caught.value)


def test_every_field_is_an_option_of_the_command_line_with_the_same_default() -> None:
    defaults = {option.name: option.default for option in options_of(all_commands(), "run")}
    fields = IngestOptions.__dataclass_fields__.values()
    assert {option_of(each.name): each.default for each in fields}.items() <= defaults.items()


def test_type_checkers_see_a_parameter_for_each_field_in_its_order() -> None:
    (seen,) = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(options)))
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ]
    assert [each.arg for each in seen.args.kwonlyargs] == [*IngestOptions.__dataclass_fields__]


def test_the_digest_holds_what_changes_the_text_and_nothing_else() -> None:
    auto, pypdf = find_engines("auto"), find_engines("pypdf")
    base = options_digest(IngestOptions(), auto)
    assert options_digest(IngestOptions(workers=3, output="x", passwords=("p",)), auto) == base
    assert options_digest(IngestOptions(unit=Unit.DOCUMENT), auto) != base
    assert options_digest(IngestOptions(unit="document"), auto) == options_digest(
        IngestOptions(unit=Unit.DOCUMENT), auto
    )
    assert options_digest(IngestOptions(), pypdf) != base


def test_records_of_another_schema_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = find_engines("auto")
    before = options_digest(IngestOptions(), engines)
    monkeypatch.setattr("pdfingest.run.tools.SCHEMA", 1)
    assert options_digest(IngestOptions(), engines) != before


def test_an_unknown_engine_is_named_with_those_that_are_known() -> None:
    with pytest.raises(PdfingestError, match=r"nonsuch.*auto, pdfium, pypdf.*faulty") as caught:
        find_engines("nonsuch")
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


def names(engine: str) -> list[str]:
    return [spec.name for spec in find_engines(engine)]


def test_engines_are_named_with_commas_between_and_auto_is_two_of_them() -> None:
    assert names("auto") == ["pdfium", "pypdf"]
    assert names("auto, pdfplumber") == ["pdfium", "pypdf", "pdfplumber"]
    assert names("pypdf , pdfium") == ["pypdf", "pdfium"]


@pytest.mark.parametrize("engine", ["autopdf", "pdfauto"])
def test_an_engine_whose_name_holds_auto_keeps_its_name(engine: str) -> None:
    with pytest.raises(PdfingestError, match=f"'{engine}'"):
        find_engines(engine)


@pytest.mark.parametrize("engine", ["", ",", "pdfium,", "pdfium,pdfium", "auto,pypdf", "auto,auto"])
def test_engines_that_are_empty_or_doubled_are_a_usage_error(engine: str) -> None:
    with pytest.raises(OptionError, match="engine: must"):
        find_engines(engine)


def test_ocr_changes_the_digest_and_nothing_else_does_without_it() -> None:
    engines = find_engines("auto")
    base = options_digest(IngestOptions(), engines)
    engine = EngineSpec("tesseract", "m", "1")
    spec = OcrSpec(engine, ("deu", "eng"))
    assert options_digest(IngestOptions(), engines, None) == base
    digests = {
        options_digest(IngestOptions(ocr="auto"), engines, each)
        for each in (
            spec,
            spec._replace(engine=engine._replace(version="2")),
            spec._replace(chosen=("eng",)),
        )
    }
    assert len({base, *digests}) == 4


def test_ocr_gives_a_file_more_time_unless_the_user_says_otherwise() -> None:
    assert IngestOptions().timeout_s == 300
    assert IngestOptions(ocr="auto").timeout_s == 3600
    assert IngestOptions(ocr="auto", timeout_s=7).timeout_s == 7


def test_languages_without_ocr_are_refused() -> None:
    with pytest.raises(OptionError, match="without --ocr"):
        IngestOptions(ocr_lang="deu")
    with pytest.raises(OptionError, match="each once"):
        IngestOptions(ocr="auto", ocr_lang="deu,deu")
