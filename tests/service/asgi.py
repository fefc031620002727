"""The API in this process, where a test plays the network."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI

from pdfingest.service.settings import Settings


def changed(settings: Settings, **more: Any) -> Settings:
    """Other settings."""
    return Settings(**{**settings.model_dump(), **more})


def asked(app: FastAPI, method: str, path: str, **more: Any) -> httpx.Response:
    """One request and its answer."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **more)

    return asyncio.run(ask())
