"""A person's own folder or zip, in the layouts that people's datasets have."""
