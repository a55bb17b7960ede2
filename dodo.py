"""The same tasks for people who know doit: `doit list`, `doit`, `doit build:NAME`."""

from buildsys.tasks import DOIT_CONFIG, task_build

__all__ = ["DOIT_CONFIG", "task_build"]
