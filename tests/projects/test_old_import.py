"""Code that imported projects from where they once were goes on working."""


def test_projects_are_found_at_both_places():
    from mmgan.data.projects import Project as OldProject
    from mmgan.data.projects import Projects as Old
    from mmgan.projects import Project, Projects

    assert Old is Projects and OldProject is Project
