"""People's own files: added, examined, cut, exported."""

from .library import Project, Projects, is_project

__all__ = ["Project", "Projects", "is_project"]
