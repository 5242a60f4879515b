"""What the operating system gives: files replaced as a whole, locks, threads, downloads, and where things are."""
