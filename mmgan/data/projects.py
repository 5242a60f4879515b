"""Where projects were to be found once."""

from ..projects import Project, Projects, is_project  # noqa: F401
