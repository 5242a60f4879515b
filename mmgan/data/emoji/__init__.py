"""Pictures of 1,275 things in four art styles, with names and keywords in English and Chinese."""
