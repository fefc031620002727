"""Traces by OpenTelemetry, where the extra `otel` is installed and its own variables name a place.

Owns nothing but the switch: what is traced is what the instrumentations of FastAPI and Celery
trace. Where they go is said by the variables of OpenTelemetry, as OTEL_EXPORTER_OTLP_ENDPOINT
(https://opentelemetry.io/docs/languages/sdk-configuration/).
"""

# pyright: basic
# OpenTelemetry is an extra; mypy checks this file strictly.
# ruff: noqa: PLC0415 - it is imported where it is wanted, as it may not be installed

import os
from typing import Any

from pdfingest.errors import UsageError

_PLACES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_wanted() -> bool:
    """Tell whether traces are wanted: a place is named, and they are not switched off."""
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not is_off and any(map(os.environ.get, _PLACES))


def instrument_api(app: Any) -> None:
    """Trace the requests of an application, and the messages that it sends, if that is wanted.

    Raises:
        UsageError: it is wanted, and the extra is not installed.
    """
    if is_wanted():
        try:
            from opentelemetry.instrumentation.celery import CeleryInstrumentor
            from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        provider = _provider("pdfingest-api")
        FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
        CeleryInstrumentor().instrument(tracer_provider=provider)


def instrument_worker() -> None:
    """Trace the messages that a worker takes, if that is wanted; raises as `instrument_api`."""
    if is_wanted():
        try:
            from opentelemetry.instrumentation.celery import CeleryInstrumentor
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        CeleryInstrumentor().instrument(tracer_provider=_provider("pdfingest-worker"))


def _provider(name: str) -> Any:
    """Make what sends the traces; OTEL_SERVICE_NAME counts before the name."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    named = os.environ.get("OTEL_SERVICE_NAME", name)
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _missing(error: ModuleNotFoundError) -> UsageError:
    return UsageError(
        f"traces are wanted (OTEL_EXPORTER_OTLP_ENDPOINT), but {error.name} is missing. "
        "Run: pip install 'pdfingest[otel]'"
    )
