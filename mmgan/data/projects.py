"""Where projects were in earlier releases."""

from ..projects import Project, Projects, is_project  # noqa: F401
