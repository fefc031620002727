"""What goes wrong on the way between a client and the stage; see `Stage.fault`."""

import io

from .stage import Fault, Scene


def refuse(
    status: int, title: str = "refused", retry_after: str | None = None, **more: object
) -> Fault:
    """Answer with a problem."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}

    def fault(scene: Scene) -> bool:
        scene.problem(status, title, headers, **more)
        return True

    return fault


def hang_up(scene: Scene) -> bool:
    """Close the connection instead of answering."""
    scene.close_connection = True
    return True


def take_and_hang_up(scene: Scene) -> bool:
    """Do what was asked, but close the connection instead of answering."""
    answered, scene.wfile = scene.wfile, io.BytesIO()
    scene.usual()
    scene.wfile = answered
    return hang_up(scene)
