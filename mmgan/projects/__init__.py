"""People's own files: added, examined, cut, exported."""

from .projects import Project, Projects, is_project

__all__ = ["Project", "Projects", "is_project"]
