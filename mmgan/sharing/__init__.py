"""Models on their way to other people: zips and the Hub."""
